/**
 * What the tests of the program recorded, judged again here: `MODANCHOR_KEEP_EVIDENCE` names the folder that they kept it
 * in. With the same component in both, every report must be the same, byte for byte; {@link replay} throws otherwise.
 */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readEvidence, replay, Verifier, writeEvidence } from '../verifier/index.js';
import { unpack } from './made.js';

const kept = process.env['MODANCHOR_KEEP_EVIDENCE'];

/** Fewer would be a sign that nothing was kept. */
const AT_LEAST = 30;

test('every run that the program recorded', { skip: kept === undefined && 'no MODANCHOR_KEEP_EVIDENCE' }, async (t) => {
  const folder = kept as string;
  const component = readFileSync(join(process.env['PLAYGROUND_OUT'] as string, 'verifier/modanchor.wasm'));
  const verifier = await Verifier.load(new Uint8Array(component));
  const names = readdirSync(folder).filter((name) => name.endsWith('.evidence'));
  assert.ok(names.length >= AT_LEAST, `${folder} has ${names.length}`);
  const verdicts = new Map<string, number>();
  for (const name of names) {
    const file = new Uint8Array(readFileSync(join(folder, name)));
    try {
      const evidence = await readEvidence(file);
      assert.equal(unpack(await writeEvidence(evidence)), unpack(file));
      const { outcome } = await replay(verifier, evidence);
      verdicts.set(outcome.verdict, (verdicts.get(outcome.verdict) ?? 0) + 1);
    } catch (cause) {
      throw new Error(`${name}: ${(cause as Error).message}`, { cause });
    }
  }
  t.diagnostic([...verdicts].map(([verdict, count]) => `${count} ${verdict}`).join(', '));
});
