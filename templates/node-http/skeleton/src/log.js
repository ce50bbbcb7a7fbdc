// One JSON object a line on standard output: what log collectors read.

/** Writes one line. Never put secrets or bodies of requests into `fields`. */
export function log(level, message, fields) {
  if (process.env.LOG_LEVEL === "silent") return;
  process.stdout.write(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }) + "\n");
}
