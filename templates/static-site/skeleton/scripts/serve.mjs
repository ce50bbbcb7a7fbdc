// Serves `public/` for a look at it, with the headers of `public/_headers`. Not for production.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

import { parseHeaders } from './headers.mjs';

const root = fileURLToPath(new URL('../public', import.meta.url));
const types = {
  '.css': 'text/css', '.html': 'text/html', '.ico': 'image/x-icon', '.js': 'text/javascript',
  '.png': 'image/png', '.svg': 'image/svg+xml', '.txt': 'text/plain',
};
const headers = parseHeaders(await readFile(join(root, '_headers'), 'utf8'));

const server = createServer(async (request, response) => {
  const path = safePath(request.url);
  const [status, file, body] = await find(path);
  response.writeHead(status, { ...headers, 'content-type': `${types[extname(file)] ?? 'application/octet-stream'}; charset=utf-8` });
  response.end(body);
});

async function find(path) {
  for (const file of [path, join(path, 'index.html'), `${path}.html`]) {
    const body = await readFile(join(root, file)).catch(() => undefined);
    if (body) return [200, file, body];
  }
  return [404, '404.html', await readFile(join(root, '404.html'))];
}

/** The path below `public/`; whatever tries to climb out of it ends at the root. */
function safePath(url) {
  try {
    return normalize(decodeURIComponent(new URL(url, 'http://localhost').pathname)).replace(/^(\.\.[/\\])+/, '');
  } catch {
    return '/';
  }
}

server.listen(process.env.PORT || 8080, process.env.HOST || '127.0.0.1', () => {
  console.log(`http://localhost:${server.address().port}/`);
});
