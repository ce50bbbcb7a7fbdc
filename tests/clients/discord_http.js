// Interactions over HTTP: signatures checked by Node's own Ed25519, answers made by discord.js' builders.
'use strict';

const { createPublicKey, verify } = require('node:crypto');
const http = require('node:http');
const { ButtonBuilder, ButtonStyle, ActionRowBuilder, LabelBuilder, ModalBuilder, REST, Routes, TextInputBuilder, TextInputStyle } = require('discord.js');
const { assert, discord, eventually, scenario } = require('./sim');

const base = process.env.SIM_URL;

function isDiscords(key, headers, body) {
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(key, 'hex')]);
  const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' });
  const signed = Buffer.from(headers['x-signature-timestamp'] + body);
  return verify(null, signed, publicKey, Buffer.from(headers['x-signature-ed25519'], 'hex'));
}

const row = (label) =>
  new ActionRowBuilder().addComponents(new ButtonBuilder().setCustomId('open').setLabel(label).setStyle(ButtonStyle.Secondary));

function modal() {
  const input = new TextInputBuilder().setCustomId('name').setStyle(TextInputStyle.Short);
  const label = new LabelBuilder().setLabel('Name').setDescription('In lower case').setTextInputComponent(input);
  return new ModalBuilder().setCustomId('form').setTitle('New service').addLabelComponents(label);
}

function answer(payload) {
  if (payload.type === 1) return { type: 1 };
  if (payload.type === 2) return { type: 4, data: { content: 'Here', components: [row('Open').toJSON()] } };
  if (payload.type === 3) return { type: 9, data: modal().toJSON() };
  const label = payload.data.components[0];
  return { type: 7, data: { content: `Named ${label.component.value}`, components: [] } };
}

scenario(async () => {
  const { public_key: key, application } = await discord.get('guild');
  const seen = { right: 0, wrong: 0 };
  let takesAnything = true;
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => {
      const good = isDiscords(key, request.headers, body);
      seen[good ? 'right' : 'wrong'] += 1;
      if (!good && !takesAnything) return response.writeHead(401).end();
      response.writeHead(200, { 'content-type': 'application/json' });
      return response.end(JSON.stringify(answer(JSON.parse(body))));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${server.address().port}/interactions`;
  const rest = new REST({ version: '10', api: `${base}discord/api`, retries: 0 }).setToken(process.env.SIM_DISCORD_TOKEN);

  // An endpoint that takes a wrong signature is refused, one that doesn't is saved.
  await assert.rejects(rest.patch('/applications/@me', { body: { interactions_endpoint_url: endpoint } }), { code: 50035 });
  takesAnything = false;
  const saved = await rest.patch('/applications/@me', { body: { interactions_endpoint_url: endpoint } });
  assert.equal(saved.interactions_endpoint_url, endpoint);
  assert.equal(saved.verify_key, key);
  assert.ok(seen.right >= 2 && seen.wrong === 2, JSON.stringify(seen));

  await rest.put(Routes.applicationCommands(application.id), { body: [{ name: 'idp', description: 'Ask', type: 1 }] });
  const asked = await discord.say('kai', 'platform', '/idp');
  assert.equal(asked.problem, null);
  const find = async (content) => (await discord.timeline('kai', 'platform')).find((own) => own.content === content);
  const message = await eventually('an answer', () => find('Here'));
  const opened = await discord.press('kai', message, 'Open');
  assert.equal(opened.problem, null);
  const sent = await discord.sim('submit', { person: 'kai', entries: [{ custom_id: 'name', value: 'orders' }] });
  assert.equal(sent.problem, null);
  await eventually('the changed message', () => find('Named orders'));
  server.close();
});
