// The page, driven in a real browser by pointer and by keyboard: SIM_URL is a simulator.
import assert from 'node:assert/strict';
import { base, card, focused, open, picture, sim, stops, story, tell, writing } from './browser.mjs';
import { startBot } from './page-bot.mjs';

const bot = await startBot({ base, secret: process.env.SIM_SIGNING_SECRET, token: process.env.SIM_BOT_TOKEN });
await sim('levers', { deliver_to: [bot.address] });

let priya;

story('it opens on #platform as Priya, and says what to type', async () => {
  priya = await open('/');
  await priya.getByRole('heading', { name: '#platform' }).waitFor();
  assert.equal(await writing(priya).getAttribute('placeholder'), 'Type /idp new-service');
  assert.match(await priya.locator('#who summary').innerText(), /Priya Nair/);
  assert.equal(await focused(priya), await writing(priya).getAttribute('id'));
  await picture(priya, '01-open');
});

story('a command is completed and sent by keyboard, and its form opens', async () => {
  await priya.keyboard.type('/i');
  await priya.locator('.completion [role=option]').first().waitFor();
  await picture(priya, '02-completion');
  await priya.keyboard.press('ArrowDown');
  await priya.keyboard.press('Enter');
  assert.equal(await writing(priya).inputValue(), '/idp new-service ');
  await priya.keyboard.press('Enter');
  await priya.getByRole('dialog', { name: 'Create a service' }).waitFor();
  assert.equal(await priya.evaluate(() => document.activeElement.placeholder), 'payments-api');
});

story('a required field and an error of the app stand at the field, and nothing typed is lost', async () => {
  await priya.getByRole('button', { name: 'Next' }).click();
  await priya.locator('.field.wrong .error').waitFor();
  await priya.keyboard.type('core-api');
  await priya.getByLabel('Static site').check();
  await priya.getByRole('button', { name: 'Next' }).click();
  await priya.getByText('core-api exists (team core)').waitFor();
  assert.equal(await priya.getByLabel('Name').inputValue(), 'core-api');
  assert.ok(await priya.getByLabel('Static site').isChecked());
  assert.equal(await priya.getByLabel('Name').getAttribute('aria-invalid'), 'true');
  await picture(priya, '03-form-error');
});

story('a long list is searched by keyboard; Escape closes the list and not the form', async () => {
  const team = priya.getByRole('combobox', { name: 'Team' });
  await team.fill('se');
  await priya.locator('.search li:not([hidden])', { hasText: 'search' }).waitFor();
  await priya.keyboard.press('Escape');
  assert.equal(await team.getAttribute('aria-expanded'), 'false');
  assert.ok(await priya.locator('dialog#modal[open]').isVisible());
  await team.fill('sea');
  await priya.locator('.search li[aria-selected=true]', { hasText: 'search' }).waitFor();
  await priya.keyboard.press('Enter');
  assert.equal(await team.inputValue(), 'search');
  await priya.getByLabel('Name').fill('payments-api');
  await sim('say', { person: 'tom', channel: 'random', text: 'Something happens elsewhere.' });
  await priya.locator('#sidebar a.fresh', { hasText: 'random' }).waitFor();
  await team.focus();
  await sim('say', { person: 'sam', channel: 'payments', text: 'And here.' });
  await priya.locator('#sidebar a.fresh', { hasText: 'payments' }).waitFor();
  assert.equal(await focused(priya), await team.getAttribute('id'), 'the focus was moved');
  assert.equal(await priya.getByLabel('Name').inputValue(), 'payments-api');
  await priya.getByRole('button', { name: 'Next' }).click();
});

story('the next page has a search that the app answers, a number, and a way back', async () => {
  await priya.getByRole('button', { name: 'Ask for approval' }).waitFor();
  await priya.getByRole('combobox', { name: 'Region' }).fill('eu-');
  await priya.locator('.search li', { hasText: 'eu-west' }).click();
  await priya.getByLabel('Size').selectOption('medium');
  await priya.getByLabel('Dashboard').check();
  await picture(priya, '04-form-page-two');
  await priya.getByRole('button', { name: 'Back' }).click();
  await priya.getByLabel('Name').waitFor();
  await priya.getByLabel('Name').fill('payments-api');
  await priya.getByRole('button', { name: 'Next' }).click();
  await priya.getByRole('combobox', { name: 'Region' }).fill('eu-');
  await priya.locator('.search li', { hasText: 'eu-west' }).click();
  await priya.getByLabel('Size').selectOption('medium');
  await priya.getByRole('button', { name: 'Ask for approval' }).click();
  await priya.locator('dialog#modal').waitFor({ state: 'hidden' });
});

story('the card waits, and says whom to open', async () => {
  await card(priya, 'Waiting for approval').waitFor();
  const hint = priya.getByRole('link', { name: 'Open Alex (lead) in a second tab' });
  assert.match(await hint.getAttribute('href'), /as=alex/);
  await priya.getByText('1 reply').waitFor();
  await picture(priya, '05-waiting');
});

story('a dialog names the effect, and an answer for one person alone is seen by nobody else', async () => {
  await card(priya, 'Waiting').getByRole('button', { name: 'Approve' }).click();
  const dialog = priya.getByRole('dialog', { name: 'Approve 142?' });
  await dialog.getByText('Recorded under your name').waitFor();
  await picture(priya, '06-confirm');
  await dialog.getByRole('button', { name: 'Approve' }).click();
  await priya.getByText("You asked for this, so your vote can't count").waitFor();
  await priya.getByText('Only visible to you').waitFor();
});

let alex;

story('a second tab shows what is new, and a thread beside the channel', async () => {
  alex = await open('/?as=alex&in=random');
  await alex.locator('#sidebar a.fresh', { hasText: 'platform' }).waitFor();
  await picture(alex, '07-alex-unread');
  await alex.locator('#sidebar a', { hasText: 'platform' }).click();
  await card(alex, 'Waiting for approval').waitFor();
  assert.equal(await alex.getByText("your vote can't count").count(), 0);
  assert.equal(await alex.locator('.hint').count(), 0);
  await alex.getByText('1 reply').click();
  await alex.locator('#thread').getByText('needs one of you').waitFor();
  await alex.locator('#thread textarea').fill('Why not payments-core?');
  await alex.keyboard.press('Enter');
  await priya.getByText('2 replies').waitFor();
  await picture(alex, '08-alex-thread');
});

story('a plan is read in a dialog and closed with Escape', async () => {
  await card(alex, 'Waiting').getByRole('button', { name: 'See plan' }).click();
  await alex.getByRole('dialog', { name: 'Plan of 142' }).getByText('server.mjs').waitFor();
  await picture(alex, '09-plan');
  await alex.keyboard.press('Escape');
  await alex.locator('dialog#modal').waitFor({ state: 'hidden' });
});

story('what one decides, the other sees at once', async () => {
  await writing(priya).fill('half a tho');
  const before = await priya.evaluate(() => performance.timeOrigin);
  await card(alex, 'Waiting').getByRole('button', { name: 'Approve' }).click();
  await alex.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
  await card(priya, 'Done in 4 s').waitFor();
  await priya.getByText('3 replies').waitFor();
  assert.equal(await writing(priya).inputValue(), 'half a tho');
  assert.equal(await priya.evaluate(() => performance.timeOrigin), before, 'the page was loaded anew');
  await writing(priya).fill('');
  const link = card(priya, 'Done').getByRole('link', { name: 'Open repository' });
  assert.equal(await link.getAttribute('target'), '_blank');
});

story('what can be pasted can be copied', async () => {
  await priya.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await card(priya, 'git clone').getByRole('button', { name: 'Copy' }).click();
  assert.equal(await priya.evaluate(() => navigator.clipboard.readText()), `git clone ${base}git/acme/payments-api.git`);
  await picture(priya, '10-done');
});

story('behind the scenes stand the signed delivery, its answer and the calls', async () => {
  await card(priya, 'Done').hover();
  await card(priya, 'Done').getByRole('link', { name: 'Behind the scenes' }).click();
  const drawer = priya.locator('#drawer');
  await drawer.getByText('chat.postMessage').waitFor();
  const presses = drawer.locator('details.wire', { hasText: 'press' });
  await presses.first().locator('summary').first().click();
  await presses.first().getByText('x-slack-signature', { exact: false }).first().waitFor();
  await presses.first().getByText(/200 in \d+ ms/).waitFor();
  const count = await presses.count();
  await presses.first().getByRole('button', { name: 'Deliver again' }).click();
  await drawer.getByText('second time').waitFor();
  assert.equal(await presses.count(), count + 1);
  await picture(priya, '11-behind');
  await priya.keyboard.press('Escape');
  await drawer.waitFor({ state: 'detached' });
});

story('things can be broken on purpose', async () => {
  await priya.getByText('Break it').click();
  await picture(priya, '12-break-it');
  await priya.getByRole('button', { name: /429 for 20 s/ }).click();
  await priya.locator('.chip', { hasText: '429 for' }).waitFor();
  const refused = await bot.call('chat.postMessage', { channel: 'C07PLATFO01', text: 'too much' });
  assert.equal(refused.error, 'ratelimited');
  bot.problems.pop();
  await sim('levers', { refuse_for_s: 0 });
  await priya.getByText('Break it').click();
  await priya.getByRole('button', { name: /Deliver twice/ }).click();
  await priya.locator('.chip', { hasText: 'twice' }).waitFor();
  const before = bot.seen.filter((kind) => kind === 'command').length;
  await writing(priya).fill('/idp nothing');
  await priya.keyboard.press('Enter');
  await priya.getByText('Did you mean').waitFor();
  await priya.locator('.chip').waitFor({ state: 'detached' });
  assert.equal(bot.seen.filter((kind) => kind === 'command').length, before + 2);
});

story('a person is switched, also to one without the channel', async () => {
  await priya.locator('#who summary').click();
  await picture(priya, '13-people');
  await priya.locator('#who a', { hasText: 'Gil Reyes' }).first().click();
  await priya.locator('#who summary', { hasText: 'Gil Reyes' }).waitFor();
  await priya.locator('body[data-live]').waitFor();
  assert.equal(await priya.locator('#sidebar a', { hasText: 'payments' }).count(), 0);
  await priya.goto(`${base}?as=tom&in=payments`);
  await priya.getByRole('button', { name: 'Join' }).click();
  await writing(priya).waitFor();
});

story('markup of people stays text', async () => {
  await priya.goto(`${base}?as=priya&in=random`);
  await priya.locator('body[data-live]').waitFor();
  await writing(priya).fill('<b>*bold*</b> `a_b_c` & <!channel> @alex <script>alert(1)</script>');
  await priya.keyboard.press('Enter');
  const said = priya.locator('#channel article').last();
  await said.getByText('<b>').waitFor();
  assert.equal(await said.locator('b, script').count(), 0);
  assert.equal(await said.locator('.mention').innerText(), '@Alex Ruiz');
  assert.equal(await said.locator('code').innerText(), 'a_b_c');
});

story('an address of a message leads to it', async () => {
  const posted = await bot.call('chat.postMessage', { channel: 'C07PLATFO01', text: 'Here I *am*.' });
  const link = await bot.call('chat.getPermalink', { channel: posted.channel, message_ts: posted.ts });
  await priya.goto(link.permalink);
  await priya.locator('#thread article', { hasText: 'Here I am.' }).waitFor();
});

story('every way through the page works by keyboard alone', async () => {
  const page = await open('/?as=priya&in=platform');
  const seen = await stops(page);
  for (const wanted of ['Open repository', 'Behind the scenes', 'Break it', '#platform'])
    assert.ok(seen.some((own) => own.includes(wanted)), `${wanted} can't be reached: ${seen.join(' | ')}`);
  await page.context().close();
});

story("a phone's width shows one thing at a time", async () => {
  const phone = await open('/?as=priya', { width: 390, height: 844, touch: true });
  const wide = () => phone.evaluate(() => document.documentElement.scrollWidth);
  assert.equal(await wide(), 390);
  await picture(phone, '20-phone');
  await phone.getByRole('button', { name: 'Channels' }).click();
  await phone.locator('#sidebar a', { hasText: 'random' }).waitFor();
  await picture(phone, '21-phone-channels');
  await phone.locator('#sidebar a', { hasText: 'platform' }).click();
  await phone.locator('.replies').click();
  await phone.locator('#thread').getByText('is ready').waitFor();
  assert.equal(await wide(), 390);
  await picture(phone, '22-phone-thread');
  await phone.getByRole('link', { name: 'Close the thread' }).click();
  await phone.locator('#thread').waitFor({ state: 'detached' });
  await writing(phone).fill('/idp new-service');
  await phone.getByRole('button', { name: 'Send' }).click();
  await phone.getByRole('dialog', { name: 'Create a service' }).waitFor();
  await picture(phone, '23-phone-form');
  await phone.locator('dialog header [data-close]').click();
  await phone.locator('dialog#modal').waitFor({ state: 'hidden' });
  await phone.context().close();
});

story('it is dark where the system is', async () => {
  const dark = await open('/?as=priya&in=platform', { dark: true });
  const background = await dark.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(background, 'rgb(23, 27, 27)');
  await picture(dark, '30-dark');
  await dark.locator('.replies').click();
  await dark.locator('#thread').waitFor();
  await picture(dark, '31-dark-thread');
  await writing(dark).fill('/idp new-service');
  await dark.keyboard.press('Enter');
  await dark.getByRole('dialog', { name: 'Create a service' }).waitFor();
  await picture(dark, '32-dark-form');
  await dark.keyboard.press('Escape');
  await dark.context().close();
});

await tell(bot);
