// One human on both platforms: links Alex's two accounts in a demo, lets Priya ask on Slack, decides on Discord, and keeps
// pictures of both servers. Priya, linked likewise, is refused on Discord what is her own.
//
//   idp demo --reset --listen 127.0.0.1:8484
//   NODE_PATH=$PWD/.tools/node/node_modules node tests/clients/crossing.mjs http://127.0.0.1:8484 FOLDER
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const { chromium } = createRequire(`${process.env.NODE_PATH}/`)('playwright-core');
const [base, folder] = process.argv.slice(2);
if (!folder) throw new Error('usage: crossing.mjs ADDRESS FOLDER');
mkdirSync(folder, { recursive: true });

const PATIENCE_MS = 60_000;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what, look) {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await pause(50)) {
    const seen = await look();
    if (seen) return seen;
  }
  throw new Error(`in vain: ${what}`);
}

async function act(path, body) {
  const answer = await fetch(`${base}/sim/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok || said.problem) throw new Error(`${path}: ${JSON.stringify(said)}`);
  return said;
}

const see = async (path) => (await fetch(`${base}/sim/${path}`)).json();
const words = (message) => JSON.stringify([message.text, message.content, message.blocks, message.components]);

/** What somebody reads in a channel of Slack, and of Discord; `direct` are the direct messages with the bot. */
async function onSlack(person, channel) {
  if (channel === 'direct') {
    const rooms = await see(`sidebar?person=${person}`);
    channel = rooms.find((room) => room.kind === 'direct' && room.bot)?.id;
    if (!channel) return [];
  }
  return (await see(`timeline?person=${person}&channel=${channel}`)).map((post) => post.message);
}

async function onDiscord(person, channel) {
  if (channel === 'direct') {
    const rooms = await see(`discord/sidebar?person=${person}`);
    channel = rooms.find((room) => room.kind === 'direct')?.id;
    if (!channel) return [];
  }
  return see(`discord/timeline?person=${person}&channel=${channel}`);
}

const found = (what, read, says) => until(what, async () => (await read()).findLast((own) => says.test(words(own))));
const labels = (message) => (message.components ?? []).flatMap((row) => row.components ?? []).map((own) => own.label);

const pressSlack = (person, own, action) =>
  act('press', { person, on: { message: { channel: own.channel, ts: own.ts } }, action_id: action });
const pressDiscord = (person, own, label) =>
  act('discord/press', { person, on: { channel: own.channel, id: own.id }, component: label });

/** Presses a button that asks once more; gives the question. */
async function surely(person, own, label) {
  const place = own.channel;
  await pressDiscord(person, own, label);
  const read = () => see(`discord/timeline?person=${person}&channel=${place}`);
  return until(`what ${label} answers`, async () => (await read()).findLast((said) => BigInt(said.id) > BigInt(own.id)));
}

async function links(person) {
  await act('say', { person, channel: 'platform', text: '/idp link' });
  const told = await found(`${person}'s code`, () => onSlack(person, 'platform'), /link code:[A-Z0-9]{4}/);
  const [, code] = /link code:([A-Z0-9]{4}[A-Z0-9-]*)/.exec(words(told));
  await act('discord/say', { person, channel: 'platform', text: `/idp link code:${code}` });
  const asked = await found(`${person} is asked`, () => onSlack(person, 'direct'), /Is that you/);
  await pressSlack(person, asked, 'link.confirm');
  await found(`${person} is linked`, () => onSlack(person, 'direct'), /You confirmed/);
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
});
async function picture(name, address, colorScheme = 'light', viewport = { width: 1280, height: 820 }) {
  const context = await browser.newContext({ viewport, colorScheme, timezoneId: 'Europe/Berlin', locale: 'en-GB' });
  const page = await context.newPage();
  await page.goto(`${base}${address}`);
  await page.locator('body[data-live]').waitFor();
  await pause(400);
  await page.screenshot({ path: join(folder, `${name}.png`) });
  await context.close();
  console.log(`kept ${name}`);
}

try {
  await links('alex');
  await links('priya');
  await picture('linked-slack', '/?as=alex');

  await act('say', { person: 'priya', channel: 'platform', text: '/idp new-service crossing-api' });
  for (const button of ['Next', 'Ask for approval']) {
    const view = await until(button, async () => {
      const open = await see('view?person=priya');
      return open?.definition?.submit?.text === button && open;
    });
    await act('submit', { person: 'priya', view: view.id });
  }
  await act('close', { person: 'priya' });
  const card = await found('the card', () => onSlack('priya', 'platform'), /crossing-api: waiting/);
  const number = /(\d+) crossing-api/.exec(card.text)[1];

  for (const person of ['priya', 'alex']) {
    await act('discord/say', { person, channel: 'platform', text: `/idp status id:${number}` });
    await found(`${person}'s card on Discord`, () => onDiscord(person, 'direct'), /crossing-api/);
  }
  const own = await found("Priya's card", () => onDiscord('priya', 'direct'), /crossing-api/);
  assert.ok(labels(own).includes('Approve'), 'the buttons stand');
  const room = (person, rooms) => rooms.find((one) => one.kind === 'direct').id;
  const priyas = room('priya', await see('discord/sidebar?person=priya'));
  const alexs = room('alex', await see('discord/sidebar?person=alex'));
  const really = await surely('priya', own, 'Approve');
  await pressDiscord('priya', really, labels(really)[0]);
  const refused = await found('the refusal', () => onDiscord('priya', 'direct'), /your vote can't count/);
  assert.ok(refused, 'nobody approves their own request by changing the platform');
  await picture('own-request-on-discord', `/discord?as=priya&in=${priyas}`);
  await picture('waiting-on-discord', `/discord?as=alex&in=${alexs}`);

  const theirs = await found("Alex's card", () => onDiscord('alex', 'direct'), /crossing-api/);
  const question = await surely('alex', theirs, 'Approve');
  await pressDiscord('alex', question, labels(question)[0]);
  await found('done on Slack', () => onSlack('priya', 'platform'), /crossing-api: done in/);
  await found('done on Discord', () => onDiscord('alex', 'direct'), /Done.* in /);
  await picture('done-on-slack', '/?as=priya&in=platform');
  await picture('done-on-discord', `/discord?as=alex&in=${alexs}`);
  await picture('done-on-discord-dark', `/discord?as=alex&in=${alexs}`, 'dark');
  await picture('done-on-discord-phone', `/discord?as=alex&in=${alexs}`, 'light', { width: 390, height: 844 });
  await picture('done-on-slack-dark', '/?as=priya&in=platform', 'dark');
  console.log('one human decided on Discord what was asked on Slack, and nobody on their own');
} finally {
  await browser.close();
}
