// Judges a recorded run again, with no network:
//
//     node replay.mjs EVIDENCE
//
// EVIDENCE is what verify.mjs, the page or `modanchor verify --record` wrote.

import { readFile } from 'node:fs/promises';
import { EvidenceError, ownVerifier, readEvidence, replay } from 'modanchor-verifier';

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: node replay.mjs EVIDENCE');
  process.exit(2);
}
try {
  const evidence = await readEvidence(new Uint8Array(await readFile(file)));
  const { outcome } = await replay(await ownVerifier(), evidence);
  console.log(`${outcome.verdict}: the same report as recorded, byte for byte`);
  process.exitCode = outcome.status;
} catch (error) {
  if (!(error instanceof EvidenceError)) {
    throw error;
  }
  console.error(`no verdict: ${error.message} (${error.code})`);
  process.exitCode = error.code === 'other-component' ? 3 : 1;
}
