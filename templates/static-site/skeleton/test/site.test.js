// Every page parses as a page, and every link inside the site leads somewhere.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../public/", import.meta.url));
const pages = readdirSync(root, { recursive: true }).filter((file) => String(file).endsWith(".html"));

for (const page of pages) {
  const html = readFileSync(join(root, page), "utf8");

  test(`${page} has a language, a title and a heading`, () => {
    assert.match(html, /<html lang="[a-z-]+">/);
    assert.match(html, /<title>[^<]+<\/title>/);
    assert.match(html, /<h1>[^<]+<\/h1>/);
  });

  test(`${page} links only to what is there`, () => {
    for (const [, target] of html.matchAll(/(?:href|src)="([^"#]+)"/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      assert.ok(existsSync(join(root, target)), `${target} is missing`);
    }
  });
}

test("the headers keep scripts of others out", () => {
  assert.match(readFileSync(join(root, "_headers"), "utf8"), /Content-Security-Policy: default-src 'self'/);
});
