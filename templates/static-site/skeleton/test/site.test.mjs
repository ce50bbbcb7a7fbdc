import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import { parseHeaders } from '../scripts/headers.mjs';

const root = new URL('../public/', import.meta.url);
const read = (path) => readFileSync(new URL(path, root), 'utf8');
const pages = readdirSync(root, { recursive: true }).filter((path) => path.endsWith('.html'));

test('every link and every file that a page names is there', () => {
  assert.ok(pages.includes('index.html'));
  for (const page of pages) {
    for (const [, target] of read(page).matchAll(/(?:href|src)="([^"]*)"/g)) {
      if (/^(https?:|mailto:|#)/.test(target)) continue;
      const path = target.split(/[?#]/, 1)[0].replace(/^\//, '') || 'index.html';
      assert.ok(existsSync(new URL(path, root)), `${page} names ${target}`);
    }
  }
});

test('every page says its language, title, description and width', () => {
  for (const page of pages) {
    const html = read(page);
    for (const part of [/<html lang="\w+">/, /<title>[^<]+<\/title>/, /name="description" content="[^"]+"/, /name="viewport"/]) {
      assert.match(html, part, page);
    }
    assert.equal(html.match(/<h1>/g)?.length, 1, `${page} has one h1`);
  }
});

test('the headers are strict, and no page breaks them', () => {
  const headers = parseHeaders(read('_headers'));
  assert.match(headers['content-security-policy'], /default-src 'none'/);
  assert.match(headers['strict-transport-security'], /max-age=\d{8}/);
  assert.equal(headers['x-content-type-options'], 'nosniff');
  for (const page of pages) {
    assert.doesNotMatch(read(page), /<script|<style|\sstyle=|\son\w+=/, `${page} has code in it`);
  }
});
