// The same Bolt app over Socket Mode.
'use strict';

const { App, LogLevel } = require('@slack/bolt');
const { api, scenario, sim } = require('./sim');
const { listen, story } = require('./app');

scenario(async () => {
  await sim('levers', { limits: 'off' });
  const app = new App({
    socketMode: true,
    token: process.env.SIM_BOT_TOKEN,
    appToken: process.env.SIM_APP_TOKEN,
    clientOptions: { slackApiUrl: api },
    logLevel: LogLevel.WARN,
  });
  listen(app);
  await app.start();
  await story();
});
