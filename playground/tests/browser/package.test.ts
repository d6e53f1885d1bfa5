/**
 * The package in a real Chromium, without the page: every recorded run comes to the same bytes there, under a policy that
 * allows what docs/verifier-package.md says and no more. tests/engines.mjs does the same with what the program's tests
 * recorded.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type * as Playwright from 'playwright-core';
import type * as Package from '../../verifier/index.js';
import { Recorder, readEvidence, Verifier, writeEvidence } from '../../verifier/index.js';
import { goSum, HELLO, job, pack, RECORDED, seal, unpack } from '../made.js';
import { NO_CHROMIUM, REPOSITORY } from './chromium.js';
import { serve } from './server.js';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const verifierFolder = join(process.env['PLAYGROUND_OUT'] as string, 'verifier');

const POLICY = "default-src 'none'; connect-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

/** Judges files again in Chromium: of each, the digest of the report and the status, or the error's code. */
async function inChromium(files: ReadonlyMap<string, Uint8Array>): Promise<Map<string, string>> {
  const server = await serve({ page: verifierFolder, headers: false }, (path, response) => {
    const content = path === 'index.html' ? '<!doctype html>' : files.get(path);
    response.setHeader('Content-Security-Policy', POLICY);
    if (content !== undefined) {
      response.setHeader('Content-Type', path === 'index.html' ? 'text/html' : 'application/octet-stream');
      response.end(content);
    }
    return content !== undefined;
  });
  const require = createRequire(join(REPOSITORY, 'playground/package.json'));
  const { chromium } = require('playwright-core') as typeof Playwright;
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage();
    const breaches: string[] = [];
    page.on('console', (message) => breaches.push(message.text()));
    await page.goto(server.url);
    const results = await page.evaluate(
      async ([code, names]) => {
        const { ownVerifier, readEvidence, replay, sha256 } = (await import(code)) as typeof Package;
        const verifier = await ownVerifier();
        const results: [string, string][] = [];
        for (const name of names) {
          const file = new Uint8Array(await (await fetch(name)).arrayBuffer());
          try {
            const { outcome } = await replay(verifier, await readEvidence(file));
            results.push([name, `${outcome.status} ${await sha256(outcome.report)}`]);
          } catch (error) {
            results.push([name, (error as { code?: string }).code ?? String(error)]);
          }
        }
        return results;
      },
      [`${server.url}index.js`, [...files.keys()]] as const,
    );
    assert.deepEqual(
      breaches.filter((text) => !text.includes('favicon')),
      [],
    );
    return new Map(results);
  } finally {
    await browser.close();
    await server.close();
  }
}

/** What a file's replay must come to. */
async function expected(file: Uint8Array): Promise<string> {
  const { outcome } = await readEvidence(file);
  return `${outcome.status} sha256:${createHash('sha256').update(outcome.report).digest('hex')}`;
}

test('the package judges as it does here, and refuses as it does', { skip: NO_CHROMIUM }, async () => {
  const component = readFileSync(join(verifierFolder, 'modanchor.wasm'));
  const verifier = await Verifier.load(new Uint8Array(component));
  const files = new Map<string, Uint8Array>();
  const wrong = new TextEncoder().encode('wrong\n');
  for (const [name, task] of [
    ['pass.evidence', goSum(HELLO)],
    ['fail.evidence', goSum(wrong)],
    ['lookup.evidence', { tag: 'lookup', val: ['golang.org/x/text@v0.43.0'] }],
  ] as const) {
    const recorder = new Recorder();
    const end = await verifier.verify(job(task as Package.Task), RECORDED, recorder);
    files.set(name, await writeEvidence(recorder.evidence(end)));
  }
  const want = new Map<string, string>();
  for (const [name, file] of files) {
    want.set(name, await expected(file));
  }
  const pass = files.get('pass.evidence') as Uint8Array;
  const spoilt: [string, Uint8Array, string][] = [
    ['cut', pass.subarray(0, -1), 'changed'],
    ['longer', Buffer.concat([pass, Uint8Array.of(0)]), 'changed'],
    ['other', HELLO, 'not-evidence'],
    ['twice', seal(Buffer.concat([pass.subarray(48), gzipSync('')])), 'malformed'],
    ['garbage', seal(Buffer.concat([pass.subarray(48), Uint8Array.of(0)])), 'malformed'],
    ['truncated', seal(pass.subarray(48, -9)), 'malformed'],
    ['spaces', pack(unpack(pass).replace('"job":', '"job": ')), 'not-canonical'],
    ['status', pack(unpack(pass).replace('"status":0', '"status":1')), 'other-outcome'],
  ];
  for (const [name, file, code] of spoilt) {
    files.set(name, file);
    want.set(name, code);
  }
  assert.deepEqual(await inChromium(files), want);
});
