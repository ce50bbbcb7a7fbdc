// Starts the service, and stops it so that nobody's request is cut off.
import { createServer } from "node:http";
import { config } from "./config.js";
import { handler, health } from "./app.js";
import { log } from "./log.js";

const server = createServer(handler);
server.listen(config.port, () => log("info", "listening", { port: server.address().port }));

let stopping = false;
function stop(signal) {
  if (stopping) return;
  stopping = true;
  health.ready = false; // the load balancer looks elsewhere first
  log("info", "draining", { signal });
  server.close(() => {
    log("info", "stopped", {});
    process.exit(0);
  });
  server.closeIdleConnections();
  setTimeout(() => {
    log("error", "gave up waiting", { seconds: config.drainSeconds });
    process.exit(1);
  }, config.drainSeconds * 1000).unref();
}
process.on("SIGTERM", stop);
process.on("SIGINT", stop);
