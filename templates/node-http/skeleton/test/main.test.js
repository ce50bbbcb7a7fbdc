// The process as the platform sees it: it starts, answers, and leaves in peace at SIGTERM.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

test("starts, answers and drains at SIGTERM", async () => {
  const main = fileURLToPath(new URL("../src/main.js", import.meta.url));
  const child = spawn(process.execPath, [main], { env: { ...process.env, PORT: "0", LOG_LEVEL: "info" } });
  const lines = createInterface({ input: child.stdout });
  const [first] = await once(lines, "line");
  const { message, port } = JSON.parse(first);
  assert.equal(message, "listening");
  assert.equal((await fetch(`http://127.0.0.1:${port}/livez`, { headers: { connection: "close" } })).status, 200);
  child.kill("SIGTERM");
  const [code] = await once(child, "exit");
  assert.equal(code, 0);
});

test("refuses a port that is none", async () => {
  const main = fileURLToPath(new URL("../src/main.js", import.meta.url));
  const child = spawn(process.execPath, [main], { env: { ...process.env, PORT: "http" }, stdio: "ignore" });
  const [code] = await once(child, "exit");
  assert.notEqual(code, 0);
});
