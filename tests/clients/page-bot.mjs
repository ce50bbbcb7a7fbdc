// A small app for the page's test: it answers like a bot with forms, cards and threads, and remembers nothing but
// what the test asks about. It speaks to the simulator as any app does: signed deliveries in, Web API calls out.
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';

const plain = (text) => ({ type: 'plain_text', text });
const words = (text) => ({ type: 'section', text: { type: 'mrkdwn', text } });
const small = (text) => ({ type: 'context', elements: [{ type: 'mrkdwn', text }] });
const option = (value, text, description) => ({
  value,
  text: plain(text),
  ...(description ? { description: plain(description) } : {}),
});
const button = (action_id, value, text, more = {}) => ({ type: 'button', action_id, value, text: plain(text), ...more });

const TEAMS = ['payments', 'core', 'search', 'growth', 'data', 'identity', 'billing', 'mobile', 'web', 'infra'];
const TITLE = (name) => `*${name}* · new service · 142 · asked by Priya Nair`;

export const firstPage = {
  type: 'modal',
  callback_id: 'form',
  private_metadata: 'draft-1.0',
  title: plain('Create a service'),
  submit: plain('Next'),
  close: plain('Cancel'),
  blocks: [
    small('Your request will stand in <#C07PLATFO01|platform>.'),
    {
      type: 'input',
      block_id: 'name.0',
      label: plain('Name'),
      hint: plain('Lower-case letters, digits and dashes'),
      element: { type: 'plain_text_input', action_id: 'name', placeholder: plain('payments-api'), max_length: 40 },
    },
    {
      type: 'input',
      block_id: 'template.0',
      label: plain('Golden path'),
      element: {
        type: 'radio_buttons',
        action_id: 'template',
        initial_option: option('node', 'Node.js HTTP service', 'Starts, answers and tests itself with Node alone'),
        options: [
          option('node', 'Node.js HTTP service', 'Starts, answers and tests itself with Node alone'),
          option('site', 'Static site', 'Pages without a server'),
        ],
      },
    },
    {
      type: 'input',
      block_id: 'owner.0',
      label: plain('Team'),
      element: {
        type: 'static_select',
        action_id: 'owner',
        initial_option: option('payments', 'payments'),
        options: TEAMS.map((team) => option(team, team)),
      },
    },
  ],
};

const secondPage = (name) => ({
  type: 'modal',
  callback_id: 'form',
  private_metadata: name,
  title: plain('Create a service'),
  submit: plain('Ask for approval'),
  close: plain('Cancel'),
  blocks: [
    {
      type: 'input',
      block_id: 'region.1',
      label: plain('Region'),
      hint: plain('Type three letters'),
      element: { type: 'external_select', action_id: 'region', min_query_length: 3, placeholder: plain('Search regions') },
    },
    {
      type: 'input',
      block_id: 'size.1',
      label: plain('Size'),
      element: {
        type: 'static_select',
        action_id: 'size',
        placeholder: plain('Choose a size'),
        options: ['small', 'medium', 'large'].map((size) => option(size, size)),
      },
    },
    {
      type: 'input',
      block_id: 'replicas.1',
      label: plain('Replicas'),
      element: { type: 'number_input', action_id: 'replicas', is_decimal_allowed: false, min_value: '1', max_value: '9', initial_value: '2' },
    },
    {
      type: 'input',
      block_id: 'extras.1',
      optional: true,
      label: plain('Extras'),
      element: {
        type: 'checkboxes',
        action_id: 'extras',
        options: [option('dashboard', 'Dashboard'), option('alerts', 'Alerts')],
      },
    },
    {
      type: 'input',
      block_id: 'why.1',
      optional: true,
      label: plain('Why'),
      element: { type: 'plain_text_input', action_id: 'why', multiline: true },
    },
    { type: 'actions', block_id: 'turn.1', elements: [button('form.back', 'draft-1', 'Back')] },
  ],
});

const denyPage = {
  type: 'modal',
  callback_id: 'deny',
  title: plain('Deny 142?'),
  submit: plain('Deny'),
  close: plain('Back'),
  blocks: [
    {
      type: 'input',
      block_id: 'reason',
      label: plain('Reason'),
      element: { type: 'plain_text_input', action_id: 'reason', multiline: true },
    },
  ],
};

const planPage = {
  type: 'modal',
  callback_id: 'reading',
  title: plain('Plan of 142'),
  close: plain('Close'),
  blocks: [
    words(`${TITLE('payments-api')}\n*Creates* private repository acme/payments-api (23 files)`),
    { type: 'divider' },
    words('*1. Render 23 files* · `fetch:template`'),
    words('```README.md\npackage.json\nsrc/\n  server.mjs```'),
    small('visibility: `private`'),
  ],
};

export const cards = {
  planning: (name) => ({
    text: `142 ${name}: planning`,
    blocks: [
      words(`${TITLE(name)}\n*Planning* since <!date^1795437840^{time}|13:04 UTC>. Nothing has been created.`),
      { type: 'actions', elements: [button('request.cancel', 'r142', 'Cancel')] },
    ],
  }),
  waiting: (name) => ({
    text: `142 ${name}: waiting for payments-leads until Tue 14:05 UTC`,
    blocks: [
      words(`${TITLE(name)}\n*Waiting for approval*: 1 from payments-leads, until <!date^1795528800^{date_short_pretty} {time}|Tue 14:00 UTC>`),
      words(
        `*Creates* private repository acme/${name} (23 files), catalog entry\n*Changes* nothing that exists\n` +
          '*Path* Node.js HTTP service · *Team* payments\n*Why*: rule "team-lead"\n' +
          '*Can decide*: Alex Ruiz, Sam Ito · plan 7f3a9c',
      ),
      {
        type: 'actions',
        elements: [
          button('request.approve', 'plan-1', 'Approve', {
            style: 'primary',
            confirm: {
              title: plain('Approve 142?'),
              text: plain(`Creates private repository acme/${name}, 23 files. Recorded under your name for plan 7f3a9c.`),
              confirm: plain('Approve'),
              deny: plain('Back'),
            },
          }),
          button('request.deny', 'plan-1', 'Deny…', { style: 'danger' }),
          button('plan.show', 'plan-1', 'See plan'),
          {
            type: 'overflow',
            action_id: 'menu',
            options: [option('request.cancel r142', 'Cancel')],
          },
        ],
      },
    ],
  }),
  done: (name, base) => ({
    text: `142 ${name}: done in 4 s`,
    blocks: [
      words(`${TITLE(name)}\n*Done* in 4 s · approved by Alex Ruiz`),
      words(`<${base}page/icon.svg|Repository>`),
      words(`\`\`\`git clone ${base}git/acme/${name}.git\`\`\``),
      {
        type: 'actions',
        elements: [button('link.open', 'link', 'Open repository', { style: 'primary', url: `${base}page/icon.svg` })],
      },
    ],
  }),
  denied: (name, reason) => ({
    text: `142 ${name}: denied`,
    blocks: [words(`${TITLE(name)}\n*Denied* by Alex Ruiz: "${reason}" Nothing was created.`)],
  }),
};

/** Starts the app; `stop` ends it. `seen` counts deliveries by kind, `problems` holds what went wrong. */
export async function startBot({ base, secret, token }) {
  const seen = [];
  const problems = [];
  let name = 'payments-api';
  let card = null;

  const call = async (method, args) => {
    const answer = await fetch(`${base}api/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8', authorization: `Bearer ${token}` },
      body: JSON.stringify(args),
    });
    const json = await answer.json();
    if (!json.ok) problems.push(`${method}: ${JSON.stringify(json)}`);
    return json;
  };
  const respond = (url, body) =>
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const show = (content) => call('chat.update', { ...card, ...content });

  const asked = async (typed) => {
    if (typed.text.startsWith('new-service')) {
      await call('views.open', { trigger_id: typed.trigger_id, view: firstPage });
      return undefined;
    }
    return { response_type: 'ephemeral', text: 'There is no command `' + typed.text + '`. Did you mean `/idp new-service`?' };
  };

  const filled = ({ view }) => {
    const values = view.state.values;
    if (view.callback_id === 'deny') {
      show(cards.denied(name, values.reason.reason.value));
      return undefined;
    }
    if (values['name.0']) {
      name = values['name.0'].name.value;
      if (name === 'core-api')
        return { response_action: 'errors', errors: { 'name.0': 'core-api exists (team core). Please choose another name.' } };
      return { response_action: 'update', view: secondPage(name) };
    }
    (async () => {
      const posted = await call('chat.postMessage', { channel: 'C07PLATFO01', ...cards.planning(name) });
      card = { channel: posted.channel, ts: posted.ts };
      await show(cards.waiting(name));
      await call('chat.postMessage', {
        channel: card.channel,
        thread_ts: card.ts,
        text: `<!subteam^S07PAYLEA03>: 142 ${name} needs one of you. The buttons are on the card above; ask questions here.`,
      });
    })();
    return { response_action: 'clear' };
  };

  const pressed = async (payload) => {
    const [{ action_id: id }] = payload.actions;
    if (id === 'form.back') await call('views.update', { view_id: payload.view.id, view: firstPage });
    if (id === 'plan.show') await call('views.open', { trigger_id: payload.trigger_id, view: planPage });
    if (id === 'request.deny') await call('views.open', { trigger_id: payload.trigger_id, view: denyPage });
    if (id !== 'request.approve') return;
    if (payload.user.username === 'priya') {
      await respond(payload.response_url, {
        response_type: 'ephemeral',
        replace_original: false,
        text: "You asked for this, so your vote can't count. Can decide: Alex Ruiz, Sam Ito.",
      });
      return;
    }
    await show(cards.done(name, base));
    await call('chat.postMessage', {
      channel: card.channel,
      thread_ts: card.ts,
      text: `<@U07PRIYA001> ${name} is ready: <${base}page/icon.svg|Repository>`,
    });
  };

  const options = (payload) => ({
    options: ['eu-north', 'eu-west', 'us-east']
      .filter((region) => region.includes(payload.value))
      .map((region) => option(region, region)),
  });

  const answer = async (path, body) => {
    const form = new URLSearchParams(body);
    if (path === '/slack/commands') seen.push('command');
    if (path === '/slack/commands') return asked(Object.fromEntries(form));
    if (path === '/slack/events') return { challenge: JSON.parse(body).challenge };
    const payload = JSON.parse(form.get('payload'));
    seen.push(payload.type);
    if (payload.type === 'view_submission') return filled(payload);
    if (payload.type === 'block_suggestion') return options(payload);
    if (payload.type === 'block_actions') await pressed(payload);
    return undefined;
  };

  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts).toString();
    const signed = createHmac('sha256', secret)
      .update(`v0:${request.headers['x-slack-request-timestamp']}:${body}`)
      .digest('hex');
    if (request.headers['x-slack-signature'] !== `v0=${signed}`) {
      problems.push('a delivery with a wrong signature');
      response.writeHead(401).end();
      return;
    }
    try {
      const json = await answer(request.url, body);
      response.writeHead(200, { 'content-type': 'application/json' }).end(json ? JSON.stringify(json) : '');
    } catch (cause) {
      problems.push(String(cause.stack));
      response.writeHead(500).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${server.address().port}`,
    call,
    seen,
    problems,
    stop: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}
