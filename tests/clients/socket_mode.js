// Slack's Socket Mode client: connect, acknowledge with a payload, and come back after the server says `disconnect`.
'use strict';

const { SocketModeClient } = require('@slack/socket-mode');
const { LogLevel } = require('@slack/logger');
const { api, assert, eventually, say, scenario, sim, timeline } = require('./sim');

scenario(async () => {
  const client = new SocketModeClient({
    appToken: process.env.SIM_APP_TOKEN,
    clientOptions: { slackApiUrl: api },
    // Also how long it waits before it reconnects.
    clientPingTimeout: 500,
    logLevel: LogLevel.WARN,
  });
  let connected = 0;
  client.on('connected', () => { connected += 1; });
  client.on('slash_commands', async ({ ack, body }) => ack({ text: `got ${body.text}` }));
  client.on('message', async ({ ack }) => ack());
  let mentions = 0;
  client.on('app_mention', async ({ ack, retry_num: retry }) => {
    mentions += 1;
    // The first one is left unacknowledged: it must come again, numbered.
    if (mentions === 1) return undefined;
    assert.equal(retry, 1);
    return ack();
  });
  await client.start();

  const shown = (text) => eventually(text, async () =>
    (await timeline('priya', '#platform')).some((post) => post.message.text === text));
  await say('priya', '#platform', '/idp one');
  await shown('got one');

  await sim('levers', { disconnect: true });
  await eventually('the reconnection', () => connected === 2);
  await eventually('one connection', async () => (await sim('workspace')).connections === 1);
  await say('priya', '#platform', '/idp two');
  await shown('got two');

  await sim('levers', { event_retries_s: [0] });
  await say('priya', '#platform', 'hello @idp');
  await eventually('the second delivery', () => mentions === 2);
});
