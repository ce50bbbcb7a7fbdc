import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

import { routes } from '../src/routes.mjs';
import { createService } from '../src/server.mjs';

test('draining lets an open request finish and refuses readiness', async () => {
  const service = createService({ name: 'drained', log: () => {} });
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  routes.set('/slow', async () => { await held; return { status: 200, body: { slow: true } }; });
  service.server.listen(0, '127.0.0.1');
  await once(service.server, 'listening');
  const arrived = once(service.server, 'request');
  const slow = fetch(`http://127.0.0.1:${service.server.address().port}/slow`);
  await arrived;
  const drained = service.drain(5_000);
  release();
  const response = await slow;
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { slow: true });
  assert.equal(await drained, true);
  assert.equal(routes.get('/readyz')({ ready: false }).status, 503);
  routes.delete('/slow');
});

test('the process logs JSON, answers, and leaves with 0 on SIGTERM', async () => {
  const child = spawn(process.execPath, ['src/main.mjs'], {
    cwd: new URL('..', import.meta.url),
    env: { ...process.env, PORT: '0', HOST: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const lines = createInterface({ input: child.stdout });
    const [first] = await once(lines, 'line');
    const { message, port } = JSON.parse(first);
    assert.equal(message, 'listening');
    const status = await new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, path: '/readyz' }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject).end();
    });
    assert.equal(status, 200);
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
  } finally {
    child.kill('SIGKILL');
  }
});
