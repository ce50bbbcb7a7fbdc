// What the page's stories share: a real browser, pictures of scenes, and running stories in order.
// CHROMIUM is the browser. With PICTURES=folder every scene is also kept as a picture.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

// Packages stand where scripts/setup-tools put them; `import` knows no NODE_PATH.
const { chromium } = createRequire(`${process.env.NODE_PATH}/`)('playwright-core');

export const base = process.env.SIM_URL;
const pictures = process.env.PICTURES;
if (pictures) mkdirSync(pictures, { recursive: true });

export async function sim(path, body) {
  const answer = await fetch(`${base}sim/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.ok(answer.ok, await answer.text());
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});

const wrong = [];
export async function open(address, { dark = false, width = 1280, height = 820, touch = false } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    hasTouch: touch,
    isMobile: touch,
    deviceScaleFactor: touch ? 2 : 1,
    timezoneId: 'Europe/Berlin',
    locale: 'en-GB',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on('pageerror', (error) => wrong.push(`${error.stack}`));
  page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
  await page.goto(new URL(address, base).href);
  await page.locator('body[data-live]').waitFor();
  return page;
}

export async function picture(page, name) {
  if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`) });
}

const steps = [];
export const story = (name, run) => steps.push({ name, run });
export const writing = (page) => page.locator('#channel textarea');
export const card = (page, text) => page.locator('#channel article.bot', { hasText: text });
export const focused = (page) => page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent);

/** Every stop of the Tab key, backwards: each with a visible focus; gives what they say. */
export async function stops(page, count = 80) {
  await page.keyboard.press('Shift+Tab');
  const seen = new Set();
  for (let at = 0; at < count; at += 1) {
    const here = await page.evaluate(() => {
      const own = document.activeElement;
      const box = own.getBoundingClientRect();
      const ring = getComputedStyle(own).outlineStyle !== 'none' || own.closest('.composer');
      return { what: own.textContent || own.getAttribute('aria-label') || own.id, ring: Boolean(ring), seen: box.width > 0 };
    });
    if (here.what && here.what.length < 60) {
      seen.add(here.what.trim());
      assert.ok(here.ring && here.seen, `no visible focus at ${here.what}`);
    }
    await page.keyboard.press('Shift+Tab');
  }
  return [...seen];
}

/** Runs the stories in order and ends the process; `bot` is the app behind the page. */
export async function tell(bot) {
  let failed = false;
  try {
    for (const { name, run } of steps) {
      try {
        await run();
        console.log(`ok   ${name}`);
      } catch (cause) {
        console.log(`FAIL ${name}`);
        for (const page of browser.contexts().flatMap((context) => context.pages()))
          console.log('  ', page.url(), await page.locator('dialog[open], .toast').allInnerTexts());
        if (pictures) for (const [at, context] of browser.contexts().entries())
          for (const page of context.pages()) await page.screenshot({ path: join(pictures, `fail-${at}.png`) });
        throw cause;
      }
    }
    assert.deepEqual(wrong, [], 'errors in the browser');
    assert.deepEqual(bot.problems, [], 'errors of the app');
  } catch (cause) {
    failed = true;
    console.error(cause);
  } finally {
    await browser.close();
    await bot.stop();
  }
  process.exit(failed ? 1 : 0);
}
