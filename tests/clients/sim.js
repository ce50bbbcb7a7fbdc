// What the client scripts share: driving the simulator from outside, as a person would, and waiting for what shows.
'use strict';

const assert = require('node:assert/strict');

const base = process.env.SIM_URL;
const api = `${base}api/`;

async function call(path, body) {
  const options = body === undefined ? {} : {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  const response = await fetch(`${base}${path}`, options);
  const answer = await response.json();
  assert.ok(response.ok, `${path}: ${JSON.stringify(answer)}`);
  return answer;
}

const sim = (path, body) => call(`sim/${path}`, body);

/** The same on Discord. */
const onDiscord = (path, body) => call(`sim/discord/${path}`, body);
const discord = {
  sim: onDiscord,
  get: (path, query = {}) => onDiscord(`${path}?${new URLSearchParams(query)}`),
  say: (person, channel, text) => onDiscord('say', { person, channel, text }),
  complete: (person, channel, text) => onDiscord('complete', { person, channel, text }),
  timeline: (person, channel) => onDiscord(`timeline?${new URLSearchParams({ person, channel })}`),
  press: (person, message, component) =>
    onDiscord('press', { person, on: { channel: message.channel, id: message.id }, component }),
};

const say = (person, channel, text) => sim('say', { person, channel, text });
const timeline = (person, channel) =>
  sim(`timeline?${new URLSearchParams({ person, channel })}`);
const thread = (person, channel, ts) =>
  sim(`thread?${new URLSearchParams({ person, channel, ts })}`);
const view = (person) => sim(`view?${new URLSearchParams({ person })}`);

// Waits until `look` returns something true, at most ten seconds.
async function eventually(what, look) {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const found = await look();
    if (found) return found;
    assert.ok(Date.now() < deadline, `in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// Runs a scenario and ends the process with its outcome.
function scenario(run) {
  run().then(
    () => process.exit(0),
    (cause) => {
      console.error(cause);
      process.exit(1);
    },
  );
}

module.exports = { api, assert, discord, eventually, say, scenario, sim, thread, timeline, view };
