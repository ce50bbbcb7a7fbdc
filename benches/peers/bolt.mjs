// The peer of "form submission → durable request → ack": Bolt JS with `pg`, written as one writes it well. One query reads
// who asks and what the form's draft is, one transaction writes every row that idp writes of a submission (into tables of
// the same shape, with the same functions of number and queue), one prepared statement a table, and the ack carries the
// same page. Same signature check, same body, same Postgres, same pool size.
//
//   DATABASE_URL=… PORT=… SLACK_SIGNING_SECRET=… SLACK_API_URL=… node bolt.mjs
import { randomUUID, createHash } from "node:crypto";
import bolt from "@slack/bolt";
import pg from "pg";

const { App, HTTPReceiver } = bolt;
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: Number(process.env.POOL ?? 16) });

// What is written stands in tables of its own, with idp's columns, checks and indexes; drafts and persons as they were
// before anything was sent.
const written = ["inbox", "draft", "person", "request", "audit_chain", "audit", "thread", "message"];
await pool.query(`create schema peer;
${written.map((table) => `create table peer.${table} (like public.${table} including all);`).join("\n")}
insert into peer.person select * from public.person;
insert into peer.draft select * from public.draft;
update peer.draft set consumed_at = null;
analyze peer.person, peer.draft;`);

const statement = (name, text) => (values) => ({ name, text, values });
const look = statement("look", `select i.id as installation, a.id as account, p.id as person, p.asked,
         d.command, d.asked_in, d.slash, d."values", d.revision, c.name as place,
         (select array_agg(g.handle) from membership m join served_group g on g.id = m.group_id
          where m.account_id = a.id) as groups,
         (select count(*)::int from peer.request r where r.requester_id = p.id and r.state in ('planning', 'awaiting_approval')) as open,
         idp_now() as now
  from installation i
  join account a on a.installation_id = i.id and a.external_id = $2 and a.kind = 'full' and a.active
  join peer.person p on p.id = a.person_id
  join peer.draft d on d.id = $3 and d.person_id = p.id and d.consumed_at is null
  left join channel c on c.installation_id = i.id and c.external_id = d.asked_in
  where i.platform = 'slack' and i.external_id = $1`);
const addRequest = statement("request", `insert into peer.request
  (id, number, command, command_digest, subject, requester_id, requester_account_id, draft_id, inputs, slash, origin, state, since, created_at)
  values ($1, nextval('request_number'), $2, $3, $4, $5, $6, $7, $8, $9, 'chat', 'planning', $10, $10) returning number`);
const addInbox = statement("inbox", `insert into peer.inbox (installation_id, key, kind, account_id, reply, received_at)
  values ($1, $2, 'page_filled', $3, $4, $5) on conflict do nothing`);
const sendDraft = statement("draft", `update peer.draft set "values" = $2, page = $3, revision = revision + 1, consumed_at = $4, touched_at = $4
  where id = $1 and consumed_at is null and revision = $5`);
const countAsked = statement("person", "update peer.person set asked = asked + 1 where id = $1");
const beginChain = statement("audit_chain", "insert into peer.audit_chain (chain, seq, hash) values ($1, 1, $2)");
const addAudit = statement("audit", "insert into peer.audit (chain, seq, prev, hash, body, kind, at) values ($1, 1, $2, $3, $4, 'request.asked', $5)");
const openThread = statement("thread", `insert into peer.thread (id, request_id, installation_id, channel, role, created_at)
  values ($1, $2, $3, $4, 'main', $5)`);
const addMessage = statement("message", `insert into peer.message (id, thread_id, place, kind, subject, nonce, created_at)
  values ($1, $2, 0, 'root', $3, $4, $5)`);
const enqueue = statement("job", `select pg_notify('idp_message', $1),
  graphile_worker.add_job(identifier => 'peer.plan', payload => $2::json, job_key => $3, max_attempts => 25)`);

const receiver = new HTTPReceiver({
  signingSecret: process.env.SLACK_SIGNING_SECRET,
  signatureVerification: true,
  endpoints: ["/slack/interactions"],
  logLevel: "error",
});
const app = new App({
  receiver,
  logLevel: "error",
  tokenVerificationEnabled: false,
  authorize: async () => ({ botToken: "xoxb-bench", botId: "B1", botUserId: "U0BOT" }),
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL },
});

const nothing = Buffer.alloc(32);
const definition = createHash("sha256").update("definition").digest();
const page = (text) => ({
  type: "modal",
  title: { type: "plain_text", text: "idp" },
  close: { type: "plain_text", text: "Close" },
  blocks: [{ type: "section", text: { type: "mrkdwn", text } }],
});

// What was typed, by field.
function typed(view) {
  const values = {};
  for (const [block, inputs] of Object.entries(view.state.values)) {
    const [input] = Object.values(inputs);
    values[block.split(":").at(-1)] = input.value ?? input.selected_option?.value ?? null;
  }
  return values;
}

app.view(/.*/, async ({ ack, body, view }) => {
  const [draft, index] = view.private_metadata.split(":");
  const inputs = typed(view);
  const client = await pool.connect();
  try {
    await client.query("begin");
    const { rows: [seen] } = await client.query(look([body.team.id, body.user.id, draft]));
    if (!seen || seen.open >= 1_000_000 || !seen.groups) throw new Error("may not ask");
    if (!inputs.name || inputs.name.length > 60) throw new Error("a field is wrong");
    const { now } = seen;
    const request = randomUUID();
    const thread = randomUUID();
    const { rows: [{ number }] } = await client.query(
      addRequest([request, seen.command, definition, inputs.name, seen.person, seen.account, draft, inputs, seen.slash, now]));
    const reply = `${number} ${inputs.name} is asked for. It stands in #${seen.place}.`;
    const first = await client.query(addInbox([seen.installation, body.trigger_id, seen.account, { reply: "card", card: { fallback: reply } }, now]));
    const sent = await client.query(sendDraft([draft, { ...seen.values, ...inputs }, Number(index), now, seen.revision]));
    if (first.rowCount !== 1 || sent.rowCount !== 1) throw new Error("sent before");
    await client.query(countAsked([seen.person]));
    const chain = `request:${request}`;
    const record = Buffer.from(JSON.stringify({
      account: seen.account, at: now, by: seen.person, command: seen.command, command_digest: definition.toString("hex"),
      inputs, kind: "request.asked", number, origin: "chat",
    }));
    const hash = createHash("sha256").update(chain).update(nothing).update(record).digest();
    await client.query(beginChain([chain, hash]));
    await client.query(addAudit([chain, nothing, hash, record, now]));
    await client.query(openThread([thread, request, seen.installation, seen.asked_in, now]));
    await client.query(addMessage([randomUUID(), thread, { about: "root" }, randomUUID(), now]));
    await client.query(enqueue([seen.installation, { request }, `plan:${request}`]));
    await client.query("commit");
    await ack({ response_action: "update", view: page(reply) });
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  } finally {
    client.release();
  }
});

await app.start(Number(process.env.PORT));
console.log("ready");
