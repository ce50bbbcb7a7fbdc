// A small Bolt app with everything idp needs of Slack, and the story that uses it. Bolt checks signatures, parses
// payloads and answers in its own way; the story looks at what people see.
'use strict';

const { assert, eventually, say, sim, thread, timeline, view } = require('./sim');

const plain = (text) => ({ type: 'plain_text', text });
const option = (value) => ({ text: plain(value), value });

function form(title) {
  return {
    type: 'modal',
    callback_id: 'new-service',
    private_metadata: 'draft-1',
    title: plain(title),
    submit: plain('Ask for approval'),
    blocks: [
      { type: 'input', block_id: 'name', label: plain('Name'), element: { type: 'plain_text_input', action_id: 'value' } },
      {
        type: 'input',
        block_id: 'team',
        label: plain('Team'),
        element: { type: 'external_select', action_id: 'team', min_query_length: 0 },
      },
    ],
  };
}

const card = (text, buttons) => ({
  text,
  blocks: [
    { type: 'section', text: { type: 'mrkdwn', text } },
    ...(buttons ? [{ type: 'actions', elements: [
      { type: 'button', action_id: 'request.approve', value: 'plan-1', text: plain('Approve') },
    ] }] : []),
  ],
});

function listen(app) {
  app.command('/idp', async ({ ack, body, client, command }) => {
    if (command.text === 'help') return ack({ response_type: 'ephemeral', text: 'Type /idp new-service' });
    await ack();
    return client.views.open({ trigger_id: body.trigger_id, view: form('Create a service') });
  });
  app.options('team', async ({ ack, options }) => ack({ options: [option(`${options.value}ments`)] }));
  app.view('new-service', async ({ ack, view: submitted, client, body }) => {
    const { name, team } = submitted.state.values;
    if (name.value.value === 'taken') {
      return ack({ response_action: 'errors', errors: { name: 'Held by team core.' } });
    }
    if (name.value.value === 'next') return ack({ response_action: 'update', view: form('Page 2') });
    await ack();
    const text = `${name.value.value} for ${team.team.selected_option.value} by ${body.user.name}`;
    return client.chat.postMessage({ channel: '#platform', ...card(text, true) });
  });
  app.action('request.approve', async ({ ack, action, body, client, respond }) => {
    await ack();
    await client.chat.update({ channel: body.channel.id, ts: body.message.ts, ...card(`Approved ${action.value}`, false) });
    await client.chat.postMessage({ channel: body.channel.id, thread_ts: body.message.ts, text: 'Decided' });
    await respond({ response_type: 'ephemeral', replace_original: false, text: 'Thank you' });
  });
  app.event('app_mention', async ({ event, say: reply }) => reply({ text: `Hello <@${event.user}>`, thread_ts: event.ts }));
}

async function story() {
  await say('priya', '#platform', '/idp help');
  await eventually('the help', async () => (await timeline('priya', '#platform')).some((post) => post.message.text === 'Type /idp new-service'));

  await say('priya', '#platform', '/idp new-service');
  const first = await eventually('the form', () => view('priya'));
  assert.equal(first.definition.private_metadata, 'draft-1');
  const found = await sim('options', { person: 'priya', on: { view: first.id }, action_id: 'team', query: 'pay' });
  assert.equal(found.options[0].value, 'payments');

  const submit = (name) => sim('submit', { person: 'priya', entries: [
    { block_id: 'name', action_id: 'value', value: name },
    { block_id: 'team', action_id: 'team', value: 'payments' },
  ] });
  assert.equal((await submit('taken')).problem, null);
  assert.equal((await view('priya')).errors.name, 'Held by team core.');
  assert.equal((await submit('next')).problem, null);
  assert.equal((await view('priya')).definition.title.text, 'Page 2');
  assert.equal((await submit('payments-api')).problem, null);
  assert.equal(await view('priya'), null);

  const posted = await eventually('the card', async () => (await timeline('alex', '#platform')).find((post) => post.message.text === 'payments-api for payments by priya'));
  const { channel, ts } = posted.message;
  const pressed = await sim('press', { person: 'alex', on: { message: { channel, ts } }, action_id: 'request.approve' });
  assert.equal(pressed.problem, null);
  await eventually('the thanks', async () => (await timeline('alex', '#platform')).some((post) => post.message.text === 'Thank you'));
  const seen = await timeline('priya', '#platform');
  assert.ok(!seen.some((post) => post.message.text === 'Thank you'), 'the thanks are for Alex alone');
  assert.equal(seen.find((post) => post.message.ts === ts).message.text, 'Approved plan-1');
  assert.deepEqual((await thread('priya', channel, ts)).map((post) => post.message.text), ['Approved plan-1', 'Decided']);

  const { ts: root } = await say('tom', '#platform', 'hi @idp');
  await eventually('the reply', async () => (await thread('tom', '#platform', root)).length === 2);
}

module.exports = { listen, story };
