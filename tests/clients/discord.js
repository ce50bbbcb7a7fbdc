// discord.js over the gateway: proves REST answers, events, interactions and refusals by code that nobody here wrote.
'use strict';

const {
  ActionRowBuilder, ApplicationCommandOptionType, ButtonBuilder, ButtonStyle, Client, Events, GatewayIntentBits,
  MessageFlags, ModalBuilder, Partials, TextInputBuilder, TextInputStyle,
} = require('discord.js');
const { assert, discord, eventually, scenario } = require('./sim');

const base = process.env.SIM_URL;

const COMMANDS = [{
  name: 'idp',
  description: 'Ask the platform',
  options: [{
    name: 'run', description: 'Ask for something', type: ApplicationCommandOptionType.Subcommand,
    options: [
      { name: 'command', description: 'What', type: ApplicationCommandOptionType.String, required: true, autocomplete: true },
      { name: 'words', description: 'More', type: ApplicationCommandOptionType.String },
    ],
  }],
}];

const button = (id, label) =>
  new ActionRowBuilder().addComponents(new ButtonBuilder().setCustomId(id).setLabel(label).setStyle(ButtonStyle.Primary));

function form() {
  const input = new TextInputBuilder().setCustomId('name').setLabel('Name').setStyle(TextInputStyle.Short).setMinLength(3);
  return new ModalBuilder().setCustomId('form').setTitle('New service').addComponents(new ActionRowBuilder().addComponents(input));
}

async function answer(interaction) {
  if (interaction.isAutocomplete()) {
    const typed = interaction.options.getFocused();
    await interaction.respond(['new-service', 'deploy'].filter((own) => own.includes(typed)).map((own) => ({ name: own, value: own })));
  } else if (interaction.isChatInputCommand()) {
    assert.equal(interaction.options.getSubcommand(), 'run');
    assert.equal(interaction.member.displayName, 'Priya Nair');
    const asked = interaction.options.getString('command');
    if (asked === 'later') {
      await interaction.deferReply({ flags: MessageFlags.Ephemeral });
      await interaction.editReply({ content: 'It took a while.' });
      await interaction.followUp({ content: 'And one thing more.', flags: MessageFlags.Ephemeral });
    } else if (asked === 'form') {
      await interaction.showModal(form());
    } else {
      await interaction.reply({ content: `${asked}: ${interaction.options.getString('words')}`, components: [button('yes', 'Yes')] });
    }
  } else if (interaction.isModalSubmit()) {
    await interaction.reply({ content: `Named ${interaction.fields.getTextInputValue('name')}.` });
  } else if (interaction.isButton()) {
    await interaction.update({ content: 'Pressed.', components: [] });
  }
}

const refused = async (code, work) => {
  await assert.rejects(work, (error) => {
    assert.equal(error.code, code, `${error.stack}`);
    return true;
  });
};

const said = async (content) =>
  eventually(content, async () => (await discord.timeline('priya', 'platform')).find((own) => own.content === content));

scenario(async () => {
  const client = new Client({
    intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMembers, GatewayIntentBits.GuildMessages, GatewayIntentBits.DirectMessages],
    partials: [Partials.Message, Partials.Channel],
    rest: { api: `${base}discord/api`, retries: 0 },
  });
  const heard = [];
  for (const name of [Events.MessageDelete, Events.ThreadDelete, Events.GuildMemberUpdate, Events.ShardResume, Events.GuildMemberAdd])
    client.on(name, () => heard.push(name));
  client.on(Events.InteractionCreate, (interaction) => answer(interaction).catch((error) => { console.error(error); process.exit(1); }));
  client.on(Events.Error, (error) => { console.error(error); process.exit(1); });
  await discord.sim('levers', { deliver_to: [] });
  const ready = new Promise((resolve) => client.once(Events.ClientReady, resolve));
  await client.login(process.env.SIM_DISCORD_TOKEN);
  await ready;

  // Who and what there is.
  assert.equal(client.user.username, 'idp');
  const guild = client.guilds.cache.first();
  assert.equal(guild.name, 'Acme');
  const members = await guild.members.list({ limit: 1000 });
  const alex = members.find((own) => own.user.username === 'alex');
  assert.ok(alex.roles.cache.some((role) => role.name === 'Payments Leads'));
  const platform = guild.channels.cache.find((own) => own.name === 'platform');
  assert.ok(platform.permissionsFor(client.user.id).has('SendMessages'));
  const closed = guild.channels.cache.find((own) => own.name === 'security-ops');
  assert.ok(!closed.permissionsFor(client.user.id).has('ViewChannel'));

  // A command with a completion, an answer, a button that changes it.
  const registered = await client.application.commands.set(COMMANDS);
  assert.equal(registered.size, 1);
  const found = await discord.complete('priya', 'platform', '/idp run command:serv');
  assert.deepEqual(found.suggestions.map((own) => own.text), ['/idp run command:new-service ']);
  const plain = await discord.say('priya', 'platform', '/idp run command:new-service words:payments api');
  assert.equal(plain.problem, null);
  const reply = await said('new-service: payments api');
  await discord.press('alex', reply, 'yes');
  await said('Pressed.');

  // Promised, kept, followed.
  await discord.say('priya', 'platform', '/idp run command:later');
  await said('It took a while.');
  await said('And one thing more.');
  assert.ok(!(await discord.timeline('alex', 'platform')).some((own) => own.content === 'It took a while.'));

  // A form: too short first.
  await discord.say('priya', 'platform', '/idp run command:form');
  const wrong = await discord.sim('submit', { person: 'priya', entries: [{ custom_id: 'name', value: 'x' }] });
  assert.equal(wrong.delivery, null);
  await discord.sim('submit', { person: 'priya', entries: [{ custom_id: 'name', value: 'payments-api' }] });
  await said('Named payments-api.');

  // Messages, threads, direct messages, and what is refused.
  const card = await platform.send({ content: 'A card', components: [button('approve', 'Approve')], allowedMentions: { parse: [] } });
  await card.edit({ content: 'A card, later' });
  const thread = await card.startThread({ name: '142 payments-api', autoArchiveDuration: 10080 });
  assert.equal(thread.id, card.id);
  await thread.send('Step 1 of 3');
  const under = await card.reply('Answered');
  await under.delete();
  await eventually('a deletion', () => heard.includes(Events.MessageDelete));
  await alex.send('Between us');
  assert.equal((await discord.timeline('alex', '@idp')).length, 1);
  await refused(160004, client.rest.post(`/channels/${platform.id}/messages/${card.id}/threads`, { body: { name: 'Again' } }));
  await refused(50035, platform.send({ content: 'x'.repeat(2001) }));
  await refused(50001, closed.send('x'));
  await refused(10008, platform.messages.fetch('1'));
  await discord.sim('admin', { deny: { channel: 'platform', whom: 'idp', permissions: ['SEND_MESSAGES'] } });
  await refused(50013, platform.send('x'));
  await discord.sim('admin', { deny: { channel: 'platform', whom: 'idp', permissions: [] } });

  // What others do is heard, also after the connection had to begin again.
  await discord.sim('levers', { reconnect: true });
  await eventually('a resumed session', () => heard.includes(Events.ShardResume));
  await discord.sim('admin', { take_role: { person: 'alex', role: 'Payments Leads' } });
  await eventually('a role that is gone', () => heard.includes(Events.GuildMemberUpdate));
  await discord.sim('admin', { delete_channel: { channel: thread.id } });
  await eventually('a deleted thread', () => heard.includes(Events.ThreadDelete));

  // Its own queue waits for buckets: seven messages into one of five.
  await discord.sim('levers', { limits: 'slack' });
  const before = Date.now();
  await Promise.all([1, 2, 3, 4, 5, 6, 7].map((n) => platform.send(`Message ${n}`)));
  assert.ok(Date.now() - before > 1_000, 'the bucket was not kept');
  await client.destroy();
});
