// One line of JSON for each event: what log collectors read without being told how.

/** A function that writes `{ time, level, message, ...fields }`. */
export function createLog(write = (line) => process.stdout.write(line), now = () => new Date()) {
  return (level, message, fields = {}) => {
    write(`${JSON.stringify({ time: now().toISOString(), level, message, ...fields })}\n`);
  };
}
