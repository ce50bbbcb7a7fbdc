// Bolt JS with its HTTP receiver: proves signatures, forms, payload shapes, answers and Web API by Slack's own code.
'use strict';

const { App, HTTPReceiver, LogLevel } = require('@slack/bolt');
const { api, scenario, sim } = require('./sim');
const { listen, story } = require('./app');

scenario(async () => {
  const receiver = new HTTPReceiver({
    signingSecret: process.env.SIM_SIGNING_SECRET,
    endpoints: ['/slack/commands', '/slack/interactions', '/slack/options', '/slack/events'],
    logLevel: LogLevel.WARN,
  });
  const app = new App({
    receiver,
    token: process.env.SIM_BOT_TOKEN,
    clientOptions: { slackApiUrl: api },
    logLevel: LogLevel.WARN,
  });
  listen(app);
  const server = await app.start(0);
  await sim('levers', { deliver_to: [`http://127.0.0.1:${server.address().port}`], limits: 'off' });
  await story();
});
