// The HTTP server: routes, health, one log line for each request, and draining.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

import { routes } from './routes.mjs';

/** A server that isn't listening yet, and the way to stop it. */
export function createService({ log, name }) {
  const state = { ready: true, name };

  const server = createServer((request, response) => {
    const started = process.hrtime.bigint();
    const id = requestId(request.headers['x-request-id']);
    response.setHeader('x-request-id', id);
    if (!state.ready) response.setHeader('connection', 'close');
    response.on('close', () => {
      const ms = Number(process.hrtime.bigint() - started) / 1e6;
      const { method, url } = request;
      log('info', 'request', { id, method, path: pathOf(url), status: response.statusCode, ms });
    });
    answer(request, response, state).catch((error) => {
      log('error', 'request failed', { id, error: error.stack });
      if (!response.headersSent) send(response, 500, { error: 'internal error', id });
      else response.destroy();
    });
  });

  // A client that sends nothing must not hold a connection for ever.
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;

  return {
    server,
    /** Turns readiness off and waits for open requests; false if they took longer than `limitMs`. */
    drain(limitMs) {
      state.ready = false;
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          server.closeAllConnections();
          resolve(false);
        }, limitMs);
        server.close(() => {
          clearTimeout(timer);
          resolve(true);
        });
        server.closeIdleConnections();
      });
    },
  };
}

async function answer(request, response, state) {
  const route = routes.get(pathOf(request.url));
  if (!route) return send(response, 404, { error: 'not found' });
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return send(response, 405, { error: 'method not allowed' });
  }
  const { status, body } = await route(state);
  return send(response, status, body);
}

function send(response, status, body) {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  // Node leaves the body out by itself where the method is HEAD.
  response.end(text);
}

function pathOf(url) {
  return url.split('?', 1)[0];
}

/** The caller's id if it looks like one, else a new one: a log line must not be forged through it. */
function requestId(given) {
  return typeof given === 'string' && /^[\w-]{1,64}$/.test(given) ? given : randomUUID();
}
