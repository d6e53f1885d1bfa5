/** docs/examples/node, as its README says, with the package as it is handed out. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const repository = process.env['REPOSITORY'] as string;
const fixtures = join(repository, 'tests/fixtures');
const folder = mkdtempSync(join(tmpdir(), 'modanchor-example-'));
after(() => rmSync(folder, { recursive: true }));

for (const name of ['package.json', 'verify.mjs', 'replay.mjs']) {
  cpSync(join(repository, 'docs/examples/node', name), join(folder, name));
}
mkdirSync(join(folder, 'node_modules'));
const built = join(process.env['PLAYGROUND_OUT'] as string, 'verifier');
symlinkSync(built, join(folder, 'node_modules/modanchor-verifier'), 'junction');

function node(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  return { status, stdout, stderr };
}

const JUDGE = /judged by sha256:[0-9a-f]{64}\n/;

test('a go.sum is verified and recorded, and the verdict had again', () => {
  const verified = node('verify.mjs', join(fixtures, 'hello/go.sum'), join(fixtures, 'proxy'), 'run.evidence');
  assert.deepEqual([verified.status, verified.stderr], [0, '']);
  assert.equal(
    verified.stdout.replace(JUDGE, 'judged\n'),
    'pass: 11 module versions, judged\nrecorded: run.evidence\n',
  );
  const again = node('replay.mjs', 'run.evidence');
  assert.deepEqual(again, { status: 0, stdout: 'pass: the same report as recorded, byte for byte\n', stderr: '' });
});

test('a changed line fails, and the finding names it', () => {
  const goSum = readFileSync(join(fixtures, 'hello/go.sum'), 'utf8').replace('oOW0eioC', 'ZOW0eioC');
  writeFileSync(join(folder, 'changed.sum'), goSum);
  const { status, stdout } = node('verify.mjs', 'changed.sum', join(fixtures, 'proxy'));
  assert.equal(status, 1);
  assert.match(stdout, /^go\.sum:3: critical\[gosum-mismatch\]: .*\nfail: 11 module versions/);
});

test('a database that is not there leaves the verdict open', () => {
  const { status, stdout } = node('verify.mjs', join(fixtures, 'hello/go.sum'), 'nowhere');
  assert.equal(status, 3);
  assert.match(stdout, /\nincomplete: 11 module versions/);
});

test('what is no evidence has no verdict, and wrong usage says so', () => {
  const none = node('replay.mjs', 'verify.mjs');
  assert.deepEqual([none.status, none.stdout], [1, '']);
  assert.match(none.stderr, /^no verdict: this file is not evidence/);
  assert.deepEqual([node('verify.mjs').status, node('replay.mjs').status], [2, 2]);
  writeFileSync(join(folder, 'cut.evidence'), readFileSync(join(folder, 'run.evidence')).subarray(0, -1));
  assert.match(node('replay.mjs', 'cut.evidence').stderr, /\(changed\)\n$/);
});
