// A small app for the Discord page's test: it answers like a bot with forms, cards and threads, and remembers nothing but
// what the test asks about. Signed interactions in, REST calls out.
import { createPublicKey, verify } from 'node:crypto';
import { createServer } from 'node:http';

const button = (custom_id, label, style = 2) => ({ type: 2, style, label, custom_id });
const row = (...components) => ({ type: 1, components });
const label = (text, component, description) => ({ type: 18, label: text, component, ...(description ? { description } : {}) });
const option = (value, text) => ({ value, label: text });

const form = {
  title: 'Create a service',
  custom_id: 'form 1',
  components: [
    { type: 10, content: 'Your request will stand in <#1312000000000000501>.' },
    label('Name', { type: 4, custom_id: 'name', style: 1, min_length: 3, max_length: 40, placeholder: 'payments-api' }, 'Lower-case letters, digits and dashes'),
    label('Size', { type: 3, custom_id: 'size', options: [option('small', 'Small'), option('medium', 'Medium')] }),
    label('Extras', { type: 3, custom_id: 'extras', required: false, min_values: 0, max_values: 2,
      options: [option('dashboard', 'Dashboard'), option('alerts', 'Alerts')] }),
  ],
};

const waiting = {
  content: '**payments-api** · 142 · asked by <@1312000000000000201>\n### Waiting for approval\nCan decide: <@1312000000000000202>\n-# plan `7f3a9c` · until <t:1795437840:t>',
  components: [row(button('request.approve 7', 'Approve', 1), button('request.deny 7', 'Deny', 4), button('plan.show 7', 'See plan'))],
  flags: 4,
  allowed_mentions: { parse: [] },
};

const done = {
  content: '**payments-api** · 142 · asked by <@1312000000000000201>\n### Done in 4 s\n```\ngit clone http://127.0.0.1:3001/git/acme/payments-api.git\n```',
  components: [row({ type: 2, style: 5, label: 'Open repository', url: 'http://127.0.0.1:3001/git/acme/payments-api' })],
};

export async function startBot({ base, token }) {
  const guild = await (await fetch(`${base}sim/discord/guild`)).json();
  const platform = guild.channels.find((own) => own.name === 'platform').id;
  const alex = guild.members.find((own) => own.handle === 'alex').id;
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(guild.public_key, 'hex')]);
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  const problems = [];
  const seen = [];
  let root;

  async function call(method, path, body) {
    const answer = await fetch(`${base}discord/api/v10/${path}`, {
      method,
      headers: { authorization: `Bot ${token}`, 'user-agent': 'DiscordBot (https://idp.dev, 1)', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: answer.status, json: answer.status === 204 ? null : await answer.json() };
  }

  async function good(method, path, body) {
    const { status, json } = await call(method, path, body);
    if (status >= 300) problems.push(`${method} ${path}: ${JSON.stringify(json)}`);
    return json;
  }

  async function asked() {
    root = (await good('POST', `channels/${platform}/messages`, waiting)).id;
    await good('POST', `channels/${platform}/messages/${root}/threads`, { name: '142 payments-api' });
    await good('POST', `channels/${root}/messages`, { content: '**Who can decide**: <@1312000000000000202>' });
  }

  async function decided() {
    await good('PATCH', `channels/${platform}/messages/${root}`, done);
    await good('POST', `channels/${root}/messages`, { content: 'payments-api is ready.' });
    const direct = await good('POST', 'users/@me/channels', { recipient_id: alex });
    await good('POST', `channels/${direct.id}/messages`, { content: 'Approved by you.' });
  }

  function answer(payload) {
    switch (payload.type) {
      case 1:
        return { type: 1 };
      case 2:
        return { type: 9, data: form };
      case 3:
        decided().catch((cause) => problems.push(String(cause.stack)));
        return { type: 6 };
      case 4:
        return { type: 8, data: { choices: [{ name: 'Create a service', value: 'new-service' }] } };
      default:
        asked().catch((cause) => problems.push(String(cause.stack)));
        return { type: 4, data: { content: 'Your request is number 142.', flags: 64 } };
    }
  }

  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts).toString();
    const signed = Buffer.from(request.headers['x-signature-timestamp'] + body);
    if (!verify(null, signed, key, Buffer.from(request.headers['x-signature-ed25519'], 'hex'))) {
      response.writeHead(401).end();
      return;
    }
    const payload = JSON.parse(body);
    seen.push(payload.type);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer(payload)));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const string = (name, description, more = {}) => ({ type: 3, name, description, ...more });
  await good('PUT', `applications/${guild.application.id}/commands`, [{
    name: 'idp', description: 'Ask the platform', options: [
      { type: 1, name: 'run', description: 'Ask for something', options: [
        string('command', 'What you want to ask for', { required: true, autocomplete: true }), string('words', 'What you know already')] },
      { type: 1, name: 'help', description: 'What can I do here?' }],
  }]);
  return {
    address: `http://127.0.0.1:${server.address().port}/discord/interactions`,
    call,
    platform,
    problems,
    seen,
    stop: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}
