/** The headers for `/*` out of a `_headers` file. */
export function parseHeaders(text) {
  const lines = text.split('\n').filter((line) => /^\s+\S+:/.test(line));
  return Object.fromEntries(lines.map((line) => {
    const at = line.indexOf(':');
    return [line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()];
  }));
}
