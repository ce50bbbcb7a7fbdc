// Drives a demo into the states of its root cards and keeps a picture of each: light, dark and at a phone's width.
//
//   idp demo --reset --listen 127.0.0.1:8484
//   NODE_PATH=$PWD/.tools/node/node_modules node tests/clients/cards.mjs http://127.0.0.1:8484 FOLDER [DEMO [STORY…]]
//
// DEMO is the demo's folder (demo in its data folder): in its git/ a name that only the git server knows is refused when
// it is planned, and somebody else's push keeps a repository from being taken back; in its database the clock is put
// forward, so that a request expires. A template with a step that waits (--templates-dir) also shows a run at work.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const { chromium } = createRequire(`${process.env.NODE_PATH}/`)('playwright-core');
const [base, folder, demo, ...only] = process.argv.slice(2);
if (!folder) throw new Error('usage: cards.mjs ADDRESS FOLDER [DEMO [STORY…]]');
mkdirSync(folder, { recursive: true });

/** How long anything may take: a run gives up on a git server that is away after a minute and some. */
const PATIENCE_MS = 150_000;
/** And on one that takes a call and never answers, after three times four minutes. */
const NO_ANSWER_MS = 900_000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what, look, patience = PATIENCE_MS) {
  for (const end = Date.now() + patience; Date.now() < end; await pause(40)) {
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
  if (!answer.ok) throw new Error(`${path}: ${JSON.stringify(said)}`);
  return said;
}

const see = async (path) => (await fetch(`${base}/sim/${path}`)).json();

async function find(subject, says) {
  const posts = await see('timeline?person=alex&channel=platform');
  return posts.map((post) => post.message).find((card) => card.text?.includes(` ${subject}:`) && says.test(card.text));
}

const card = (subject, says, patience) => until(`${subject}: ${says}`, () => find(subject, says), patience);

/** Someone types a name and sends the form as it comes; `wanted` are other values, by field. */
async function asks(person, name, wanted = {}) {
  await act('say', { person, channel: 'platform', text: `/idp new-service ${name}` });
  for (const button of ['Next', 'Ask for approval']) {
    const view = await until(button, async () => {
      const open = await see(`view?person=${person}`);
      return open?.definition?.submit?.text === button && open;
    });
    const entries = view.definition.blocks.flatMap((block) => {
      const field = Object.keys(wanted).find((own) => block.block_id?.endsWith(`:${own}`));
      return field ? [{ block_id: block.block_id, action_id: block.element.action_id, value: wanted[field] }] : [];
    });
    await act('submit', { person, view: view.id, entries });
  }
  await act('close', { person });
}

const press = (person, own, action) =>
  act('press', { person, on: { message: { channel: own.channel, ts: own.ts } }, action_id: action });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
});
const looks = [
  ['light', { width: 1280, height: 900 }, 'light'],
  ['dark', { width: 1280, height: 900 }, 'dark'],
  ['phone', { width: 390, height: 844 }, 'light'],
];
const pages = [];
for (const [look, viewport, colorScheme] of looks) {
  const context = await browser.newContext({ viewport, colorScheme, timezoneId: 'Europe/Berlin', locale: 'en-GB' });
  const page = await context.newPage();
  await page.goto(`${base}/?as=priya&in=platform`);
  await page.locator('body[data-live]').waitFor();
  page.setDefaultTimeout(PATIENCE_MS);
  pages.push([look, page]);
}

async function picture(name, own) {
  for (const [look, page] of pages) {
    const shown = page.locator(`[id="m-${own.ts}"]`).first();
    await shown.scrollIntoViewIfNeeded();
    await page.screenshot({ path: join(folder, `${name}-${look}.png`) });
  }
  console.log(`kept ${name}`);
}

/** What a button asks before it acts. Nobody answers it with yes. */
async function dialog(name, own, action) {
  for (const [look, page] of pages) {
    await page.locator(`[id="m-${own.ts}"] [data-press="${action}"]`).first().click();
    await page.locator('#confirm[open]').waitFor();
    await page.screenshot({ path: join(folder, `${name}-${look}.png`) });
    await page.keyboard.press('Escape');
    await page.mouse.move(1, 1);
  }
  console.log(`kept ${name}`);
}

async function waiting(name, wanted) {
  await asks('priya', name, wanted);
  return card(name, /waiting for/);
}

const stories = {
  async opening() {
    await picture('succeeded', await card('orders-api', /done in/));
  },
  async denied() {
    const own = await waiting('denied-api');
    await picture('awaiting', own);
    await dialog('approve', own, 'request.approve');
    await press('alex', own, 'request.deny');
    const view = await until('a dialog', () => see('view?person=alex'));
    const block = view.definition.blocks.find((part) => part.type === 'input');
    const reason = { block_id: block.block_id, action_id: block.element.action_id, value: 'Use payments-core: it has this already.' };
    await act('submit', { person: 'alex', view: view.id, entries: [reason] });
    await picture('denied', await card('denied-api', /denied/i));
  },
  async cancelled() {
    const own = await waiting('cancelled-api');
    const menu = own.blocks.flatMap((block) => block.elements ?? []).find((part) => part.type === 'overflow');
    const option = menu?.options.find((part) => part.value.startsWith('request.cancel'));
    if (option)
      await act('press', {
        person: 'priya', on: { message: { channel: own.channel, ts: own.ts } }, action_id: menu.action_id, value: option.value,
      });
    else await press('priya', own, 'request.cancel');
    await picture('cancelled', await card('cancelled-api', /cancelled/i));
  },
  async security() {
    await picture('awaiting-two-groups', await waiting('public-api', { visibility: 'public' }));
  },
  async form() {
    await act('say', { person: 'priya', channel: 'platform', text: '/idp new-service orders-api' });
    await until('a form', () => see('view?person=priya'));
    for (const [, page] of pages) await page.locator('dialog[open] form').waitFor();
    for (const [look, page] of pages) {
      await page.locator('dialog[open] [type="submit"]').click();
      await page.locator('dialog[open]:not(:has([aria-busy="true"])) .error').first().waitFor();
      await page.screenshot({ path: join(folder, `name-taken-${look}.png`) });
    }
    await act('close', { person: 'priya' });
    console.log('kept name-taken');
    await Promise.all(pages.map(([, page]) => page.mouse.move(1, 1)));
  },
  async refused() {
    if (!demo) return console.log('no folder of the demo: not kept refused');
    execFileSync('git', ['init', '--quiet', '--bare', join(demo, 'git', 'acme', 'refused-api.git')]);
    await asks('priya', 'refused-api');
    await picture('refused', await card('refused-api', /can't be done/));
  },
  async stopped() {
    const own = await waiting('away-api');
    await act('levers', { forge_away_s: 100 });
    await press('alex', own, 'request.approve');
    await picture('queued', await card('away-api', /approved, starting/));
    await asks('priya', 'planning-api');
    await picture('planning', await card('planning-api', /planning/));
    await picture('held-up', await card('planning-api', /held up/));
    await until('the cause', async () => JSON.stringify((await find('away-api', /./)).blocks).includes('by itself'));
    await picture('delayed', own);
    const stopped = await card('away-api', /stopped/);
    await picture('failed', stopped);
    await dialog('undo', stopped, 'run.undo');
    await press('priya', stopped, 'run.undo');
    await picture('undone', await card('away-api', /undone/));
    await picture('planned', await card('planning-api', /couldn't plan|waiting for/));
  },
  /** With a template whose run waits behind the creation of its repository. */
  async running() {
    if (!demo) return console.log('no folder of the demo: not kept running');
    const own = await waiting('running-api');
    await press('alex', own, 'request.approve');
    const running = await card('running-api', /: running|done in/);
    if (/done in/.test(running.text)) return console.log('no step waits in the template: not kept running');
    await until('its step waits', async () => JSON.stringify((await find('running-api', /./)).blocks).includes('Waiting: '));
    await picture('running', running);
    await dialog('cancel', running, 'request.cancel');
    strangersPush(join(demo, 'git', 'acme', 'running-api.git'));
    await act('levers', { forge_away_s: 12 });
    await press('priya', running, 'request.cancel');
    await picture('undoing', await card('running-api', /: undoing/));
    await picture('undo-failed', await card('running-api', /couldn't be undone/));
  },
  /** With a template `held` that waits before it creates its repository, which by then can't be looked at: its marker is
   *  a pipe that nobody writes into. */
  async blocked() {
    if (!demo) return console.log('no folder of the demo: not kept blocked');
    const own = await waiting('blocked-api', { template: 'held' });
    await press('alex', own, 'request.approve');
    await until('its step waits', async () => JSON.stringify((await find('blocked-api', /./)).blocks).includes('Waiting: '));
    const repository = join(demo, 'git', 'acme', 'blocked-api.git');
    mkdirSync(repository, { recursive: true });
    execFileSync('mkfifo', [join(repository, 'idp.json')]);
    const blocked = await card('blocked-api', /needs a look/, NO_ANSWER_MS);
    await picture('blocked', blocked);
    await dialog('undo-blocked', blocked, 'run.undo');
    rmSync(repository, { recursive: true });
  },
  /** Last: from here on it is days later. */
  async expired() {
    if (!demo) return console.log('no folder of the demo: not kept expired');
    await waiting('expired-api');
    putForward(join(demo, 'postgres'), '25 hours');
    await picture('expired', await card('expired-api', /: expired/));
  },
};

/** A commit that is nobody's but its author's, on the default branch. */
function strangersPush(repository) {
  const git = (...args) => execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8' }).trim();
  const who = ['-c', 'user.name=Somebody', '-c', 'user.email=somebody@example.com', '-c', 'safe.directory=*'];
  const commit = git(...who, 'commit-tree', 'HEAD^{tree}', '-p', 'HEAD', '-m', 'Fix it by hand');
  git(...who, 'update-ref', 'refs/heads/main', commit);
}

/** Puts the clock of the bot's own database forward. */
function putForward(cluster, by) {
  const port = readFileSync(join(cluster, 'data', 'postmaster.pid'), 'utf8').split('\n')[3];
  const password = readFileSync(join(cluster, 'password'), 'utf8').trim();
  const env = { ...process.env, PGHOST: join(cluster, 'socket'), PGPORT: port, PGUSER: 'postgres', PGPASSWORD: password };
  execFileSync('psql', ['-qd', 'idp', '-c', `update clock set shift = interval '${by}'`], { env });
}

let failed = false;
for (const [name, story] of Object.entries(stories)) {
  if (only.length && !only.includes(name)) continue;
  try {
    await story();
  } catch (cause) {
    failed = true;
    console.error(`${name}: ${cause.message}`);
  }
}
await browser.close();
process.exit(failed ? 1 : 0);
