// The peer of "form submission → durable request → ack": Bolt JS with `pg`, doing the same inserts in one
// transaction before its ack. Same signature check, same body, same Postgres, same pool size.
//
//   DATABASE_URL=… PORT=… SLACK_SIGNING_SECRET=… SLACK_API_URL=… node bolt.mjs
import { randomUUID, createHash } from "node:crypto";
import bolt from "@slack/bolt";
import pg from "pg";

const { App, HTTPReceiver } = bolt;
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: Number(process.env.POOL ?? 16) });

await pool.query(`create schema if not exists peer;
create table if not exists peer.inbox (key text primary key, kind text, account text, reply jsonb, received_at timestamptz);
create table if not exists peer.draft (id uuid primary key, consumed_at timestamptz);
create table if not exists peer.request (id uuid primary key, number bigint generated always as identity, command text,
  digest bytea, subject text, requester text, inputs jsonb, state text, since timestamptz, created_at timestamptz);
create table if not exists peer.claim (kind text, name text, request_id uuid, primary key (kind, name));
create table if not exists peer.audit (chain text, seq bigint, prev bytea, hash bytea, body bytea, at timestamptz, primary key (chain, seq));
create table if not exists peer.thread (id uuid primary key, request_id uuid, channel text);
create table if not exists peer.message (id uuid primary key, thread_id uuid, place int, wanted bigint, shown bigint);
create table if not exists peer.job (id bigint generated always as identity primary key, task text, payload jsonb, run_at timestamptz);`);

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

app.view(/.*/, async ({ ack, body, view }) => {
  const client = await pool.connect();
  try {
    await client.query("begin");
    const { rows: [{ now }] } = await client.query("select now() as now");
    await client.query({ name: "inbox", text: "insert into peer.inbox values ($1,'view_submission',$2,null,$3) on conflict do nothing", values: [body.trigger_id ?? view.id + body.user.id + randomUUID(), body.user.id, now] });
    const request = randomUUID();
    const thread = randomUUID();
    const inputs = {};
    for (const block of Object.values(view.state.values)) {
      for (const [name, input] of Object.entries(block)) inputs[name] = input.value ?? input.selected_option?.value ?? null;
    }
    const name = Object.values(inputs)[0];
    await client.query({ name: "draft", text: "insert into peer.draft values ($1,$2) on conflict (id) do update set consumed_at = excluded.consumed_at", values: [randomUUID(), now] });
    const digest = createHash("sha256").update("definition").digest();
    await client.query({ name: "request", text: "insert into peer.request (id,command,digest,subject,requester,inputs,state,since,created_at) values ($1,$2,$3,$4,$5,$6,'planning',$7,$7)", values: [request, "bench", digest, name, body.user.id, inputs, now] });
    await client.query({ name: "claim", text: "insert into peer.claim values ('repository',$1,$2)", values: [`${name}-${request}`, request] });
    const record = Buffer.from(JSON.stringify({ kind: "request.asked", at: now, inputs }));
    await client.query({ name: "audit", text: "insert into peer.audit values ($1,1,$2,$3,$4,$5)", values: [request, Buffer.alloc(32), createHash("sha256").update(record).digest(), record, now] });
    await client.query({ name: "thread", text: "insert into peer.thread values ($1,$2,$3)", values: [thread, request, "C0PLATFORM"] });
    await client.query({ name: "message", text: "insert into peer.message values ($1,$2,0,1,0)", values: [randomUUID(), thread] });
    await client.query({ name: "job", text: "insert into peer.job (task,payload,run_at) values ('plan',$1,$2)", values: [{ request }, now] });
    await client.query("commit");
    await ack();
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  } finally {
    client.release();
  }
});

await app.start(Number(process.env.PORT));
console.log("ready");
