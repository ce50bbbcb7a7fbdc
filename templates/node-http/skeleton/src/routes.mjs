// What the service answers. Add routes here; each is a function from the service's state to status and body.

export const routes = new Map([
  ['/', ({ name }) => ({ status: 200, body: { service: name, message: `Hello from ${name}` } })],
  // Alive: restart the process if this fails. It must not depend on anything else.
  ['/livez', () => ({ status: 200, body: { status: 'ok' } })],
  // Ready: send traffic only while this is 200. Off while stopping.
  ['/readyz', ({ ready }) => ready
    ? { status: 200, body: { status: 'ok' } }
    : { status: 503, body: { status: 'stopping' } }],
]);
