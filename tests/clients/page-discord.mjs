// The Discord server beside the Slack workspace, driven in a real browser: SIM_URL is a simulator.
import assert from 'node:assert/strict';
import { base, card, focused, open, picture, sim, stops, story, tell, writing } from './browser.mjs';
import { startBot } from './page-discord-bot.mjs';

const bot = await startBot({ base, token: process.env.SIM_DISCORD_TOKEN });
await sim('discord/levers', { deliver_to: [bot.address] });

let priya;

story('the rail leads from one server to the other, and stays the same person', async () => {
  priya = await open('/?as=tom');
  await priya.getByRole('link', { name: 'Acme on Discord' }).click();
  await priya.locator('#who summary', { hasText: 'Tom Berg' }).waitFor();
  await priya.goto(`${base}discord`);
  await priya.locator('body.discord[data-live]').waitFor();
  await priya.getByRole('heading', { name: '#platform', exact: true }).waitFor();
  await priya.locator('#who summary', { hasText: 'Priya Nair' }).waitFor();
  assert.match(await priya.title(), /on Discord/);
  assert.equal(await priya.locator('#sidebar a', { hasText: 'security-ops' }).count(), 0);
  await picture(priya, 'd01-first');
});

story('the command is completed by keyboard, the app asked for its values', async () => {
  await writing(priya).fill('/id');
  await priya.getByRole('option', { name: '/idp run' }).waitFor();
  await priya.keyboard.press('Enter');
  assert.equal(await writing(priya).inputValue(), '/idp run ');
  await priya.getByRole('option', { name: 'command:' }).waitFor();
  await priya.keyboard.press('Tab');
  await priya.getByRole('option', { name: 'Create a service' }).waitFor();
  await picture(priya, 'd02-command');
  await priya.keyboard.press('Enter');
  assert.equal(await writing(priya).inputValue(), '/idp run command:new-service ');
  await priya.getByRole('option', { name: 'words:' }).waitFor();
  await priya.keyboard.press('Enter');
  await priya.getByRole('dialog', { name: 'Create a service' }).waitFor();
});

story('the form says what is missing before it is sent, and keeps what was typed', async () => {
  const dialog = priya.getByRole('dialog');
  await dialog.getByText('Do not share passwords').waitFor();
  await dialog.getByLabel('Name').fill('pa');
  await dialog.getByRole('button', { name: 'Submit' }).click();
  await dialog.getByText('Must be 3 or more in length').waitFor();
  await picture(priya, 'd03-form');
  assert.equal(await dialog.getByLabel('Name').inputValue(), 'pa');
  await dialog.getByLabel('Name').fill('payments-api');
  await dialog.getByLabel('Size').selectOption('medium');
  await dialog.getByLabel('Dashboard').check();
  await dialog.getByRole('button', { name: 'Submit' }).click();
  await priya.locator('dialog#modal').waitFor({ state: 'hidden' });
});

story('the card waits, its thread hangs under it, and a private answer is seen by one', async () => {
  await card(priya, 'Waiting for approval').waitFor();
  await priya.getByRole('link', { name: 'Open Alex (lead) in a second tab' }).waitFor();
  await priya.locator('.replies', { hasText: '142 payments-api' }).waitFor();
  await priya.getByText('Only you can see this').waitFor();
  await picture(priya, 'd04-waiting');
  await priya.getByRole('button', { name: 'Dismiss message' }).click();
  await priya.getByText('Only you can see this').waitFor({ state: 'detached' });
});

let alex;

story('another one decides, and both see it', async () => {
  alex = await open('/discord?as=alex&in=random');
  await alex.locator('#sidebar a.fresh', { hasText: 'platform' }).first().waitFor();
  await alex.locator('#sidebar a', { hasText: 'platform' }).first().click();
  await alex.locator('.replies').click();
  await alex.locator('#thread').getByText('Who can decide').waitFor();
  await alex.locator('#thread textarea').fill('Looks **good** to me, @priya');
  await alex.keyboard.press('Enter');
  await alex.locator('#thread strong', { hasText: 'good' }).waitFor();
  await picture(alex, 'd05-thread');
  await card(alex, 'Waiting').getByRole('button', { name: 'Approve' }).click();
  await card(priya, 'Done in 4 s').waitFor();
  await priya.locator('.replies', { hasText: '3 messages' }).waitFor();
  const said = bot.seen.filter((kind) => kind === 3).length;
  assert.equal(said, 1);
});

story('a direct message stands in a channel of its own', async () => {
  await alex.locator('#sidebar a', { hasText: 'idp' }).click();
  await alex.getByText('Approved by you').waitFor();
  await alex.getByPlaceholder('Message @idp').waitFor();
});

story('behind the scenes the signed delivery and the calls stand', async () => {
  await card(priya, 'Done in 4 s').hover();
  await card(priya, 'Done in 4 s').getByRole('link', { name: 'Behind the scenes' }).click();
  const drawer = priya.locator('#drawer');
  await drawer.getByText('slash command').or(drawer.getByText('form sent')).first().waitFor();
  await drawer.locator('summary', { hasText: 'press' }).click();
  await drawer.getByText('X-Signature-Ed25519').last().waitFor();
  await drawer.getByText(/POST \/channels/).first().waitFor();
  await picture(priya, 'd06-behind');
  await priya.keyboard.press('Escape');
  await drawer.waitFor({ state: 'detached' });
});

story('things can be broken on purpose', async () => {
  await priya.getByText('Break it').click();
  await picture(priya, 'd07-break-it');
  await priya.getByRole('button', { name: /429 for 20 s/ }).click();
  await priya.locator('.chip', { hasText: '429 for' }).waitFor();
  assert.equal((await bot.call('POST', `channels/${bot.platform}/messages`, { content: 'x' })).status, 429);
  await sim('discord/levers', { refuse_for_s: 0 });
  await priya.getByText('Break it').click();
  await priya.getByRole('button', { name: /permission away/ }).click();
  await priya.getByText('idp may not write in #platform any more.').waitFor();
  assert.equal((await bot.call('POST', `channels/${bot.platform}/messages`, { content: 'x' })).json.code, 50013);
  await priya.getByText('Break it').click();
  await priya.getByRole('button', { name: /Let the bot write/ }).click();
  await priya.getByText('Break it').click();
  await priya.getByRole('button', { name: /intent off/ }).click();
  await priya.locator('.chip', { hasText: 'members intent off' }).waitFor();
  await sim('discord/levers', { members_intent: true });
});

story('whoever is on one platform alone can still look at the other, as somebody else', async () => {
  await priya.goto(`${base}discord?as=kai`);
  await priya.locator('body[data-live]').waitFor();
  await priya.getByRole('link', { name: /Kai Lund has no account there/ }).click();
  await priya.locator('#who summary', { hasText: 'Priya Nair' }).waitFor();
});

story('markup of people stays text', async () => {
  await priya.goto(`${base}discord?as=priya&in=random`);
  await priya.locator('body[data-live]').waitFor();
  await writing(priya).fill('<b>**bold**</b> `a_b` @everyone @alex <script>alert(1)</script>');
  await priya.keyboard.press('Enter');
  const said = priya.locator('#channel article').last();
  await said.getByText('<b>').waitFor();
  assert.equal(await said.locator('b, script').count(), 0);
  assert.equal(await said.locator('.mention').innerText(), '@Alex Ruiz');
});

story('every way through the page works by keyboard alone', async () => {
  const page = await open('/discord?as=priya&in=platform');
  const seen = await stops(page);
  for (const wanted of ['Open repository', 'Behind the scenes', 'Break it', '#platform', 'A'])
    assert.ok(seen.some((own) => own.includes(wanted)), `${wanted} can't be reached: ${seen.join(' | ')}`);
  await page.context().close();
});

story("a phone's width shows one thing at a time", async () => {
  const phone = await open('/discord?as=priya', { width: 390, height: 844, touch: true });
  const wide = () => phone.evaluate(() => document.documentElement.scrollWidth);
  assert.equal(await wide(), 390);
  await picture(phone, 'd20-phone');
  await phone.getByRole('button', { name: 'Channels' }).click();
  await phone.getByRole('link', { name: 'Acme on Slack' }).waitFor();
  await picture(phone, 'd21-phone-channels');
  await phone.locator('#sidebar a', { hasText: 'platform' }).first().click();
  await phone.locator('.replies').click();
  await phone.locator('#thread').getByText('Who can decide').waitFor();
  assert.equal(await wide(), 390);
  await picture(phone, 'd22-phone-thread');
  await phone.getByRole('link', { name: 'Close the thread' }).click();
  await phone.locator('#thread').waitFor({ state: 'detached' });
  await writing(phone).fill('/idp run command:new-service');
  await phone.getByRole('button', { name: 'Send' }).click();
  await phone.getByRole('dialog', { name: 'Create a service' }).waitFor();
  await picture(phone, 'd23-phone-form');
  await phone.locator('dialog header [data-close]').click();
  await phone.locator('dialog#modal').waitFor({ state: 'hidden' });
  await phone.context().close();
});

story('it is dark where the system is', async () => {
  const dark = await open('/discord?as=priya&in=platform', { dark: true });
  const background = await dark.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(background, 'rgb(49, 51, 56)');
  await picture(dark, 'd30-dark');
  await dark.locator('.replies').click();
  await dark.locator('#thread').waitFor();
  await picture(dark, 'd31-dark-thread');
  await writing(dark).fill('/idp run command:new-service');
  await dark.locator('#write [aria-selected]').first().waitFor();
  await dark.getByRole('button', { name: 'Send' }).first().click();
  await dark.getByRole('dialog', { name: 'Create a service' }).waitFor();
  assert.ok(await focused(dark));
  await picture(dark, 'd32-dark-form');
  await dark.keyboard.press('Escape');
  await dark.locator('dialog#modal').waitFor({ state: 'hidden' });
  await dark.context().close();
});

await tell(bot);
