// Starts the service and stops it cleanly: SIGTERM turns readiness off, lets open requests finish and leaves.
import { readConfig } from './config.mjs';
import { createLog } from './log.mjs';
import { createService } from './server.mjs';

const config = readConfig(process.env);
const log = createLog();
const service = createService({ log, name: config.name });

service.server.listen(config.port, config.host, () => {
  log('info', 'listening', { host: config.host, port: service.server.address().port });
});

service.server.on('error', (error) => {
  log('error', 'cannot listen', { error: error.message });
  process.exitCode = 1;
});

let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    log('info', 'stopping', { signal });
    service.drain(config.drainMs).then((finished) => {
      log(finished ? 'info' : 'warn', 'stopped', { finished });
      process.exit(finished ? 0 : 1);
    });
  });
}
