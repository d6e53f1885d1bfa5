/** The package as a folder: what is in it, and what others' tools make of it. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { build } from 'esbuild';
import { digest } from './made.js';

const repository = process.env['REPOSITORY'] as string;
const folder = join(process.env['PLAYGROUND_OUT'] as string, 'verifier');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

const consumer = mkdtempSync(join(tmpdir(), 'modanchor-consumer-'));
after(() => rmSync(consumer, { recursive: true }));
mkdirSync(join(consumer, 'node_modules'));
symlinkSync(folder, join(consumer, 'node_modules/modanchor-verifier'), 'junction');
writeFileSync(join(consumer, 'package.json'), '{"type":"module"}');

/** The code is small: a page loads it. In bytes, and after gzip less than a third. */
const MAX_CODE = 200_000;

test('the folder has what package.json promises, and its code needs nothing else', () => {
  assert.deepEqual(readdirSync(folder).sort(), [
    'LICENSE',
    'README.md',
    'index.js',
    'modanchor.wasm',
    'package.json',
    'types',
  ]);
  const { exports, types, version, dependencies } = JSON.parse(read('package.json')) as {
    exports: Record<string, string | Record<string, string>>;
    types: string;
    version: string;
    dependencies?: object;
  };
  const named = [types, ...Object.values(exports).flatMap((of) => (typeof of === 'string' ? [of] : Object.values(of)))];
  for (const name of named) {
    assert.ok(statSync(join(folder, name)).isFile(), name);
  }
  assert.equal(dependencies, undefined);
  assert.match(readFileSync(join(repository, 'Cargo.toml'), 'utf8'), new RegExp(`^version = "${version}"$`, 'm'));
  const code = read('index.js');
  assert.ok(code.length < MAX_CODE, `${code.length}`);
  assert.doesNotMatch(code, /sourceMappingURL|\beval\(|new Function\b|\bimport\(|\brequire\(|\bfrom ?["']/);
  assert.ok(!code.includes(repository), 'no path of who built it');
  assert.ok(code.includes(digest(readFileSync(join(folder, 'modanchor.wasm')))), 'the code names its component');
});

test('a TypeScript program that uses all of it has no error, and one that is wrong has', () => {
  const program = (first: string) => `
    import {
      readEvidence, Recorder, replay, syncBlob, verify, Verifier, writeEvidence, EvidenceError,
      type Fetcher, type Job, type Request, type Response, type sigstore,
    } from 'modanchor-verifier';
    export const settings: sigstore.Settings = { roots: [], places: ['proxy'], private: '', rekor: false };
    function answer(request: Request): Response {
      if (request.tag === 'sumdb') {
        const cap: number = request.val.maxBytes;
        return { tag: 'ok', val: { tag: 'body', val: { content: new Uint8Array(cap), origin: 'remote' } } };
      }
      return { tag: 'err', val: 'absent' };
    }
    const fetcher: Fetcher = { answer: (requests) => requests.map(answer) };
    export async function run(job: Job, bytes: Uint8Array): Promise<number> {
      ${first}
      const recorder = new Recorder({ step: ({ settled }) => void (settled + 1n) });
      const end = await verify(job, fetcher, recorder);
      if (end.tag === 'refused') throw new Error(end.refusal.tag);
      const verifier = await Verifier.load(bytes);
      const evidence = await readEvidence(await writeEvidence(recorder.evidence(end)));
      try { await replay(verifier, evidence); } catch (error) {
        if (error instanceof EvidenceError && error.code === 'changed') return 1;
      }
      const hashed = await verifier.h1Mod(syncBlob(bytes));
      return hashed.tag === 'ok' ? Number(hashed.val.files) : end.outcome.status;
    }`;
  const tsc = join(repository, 'playground/node_modules/typescript/bin/tsc');
  const options = [
    '--noEmit',
    '--strict',
    '--exactOptionalPropertyTypes',
    '--lib',
    'es2023,dom,dom.iterable',
    '--types',
    '',
  ];
  const check = (text: string, module: string, resolution: string) => {
    writeFileSync(join(consumer, 'program.ts'), text);
    const all = [...options, '--target', 'es2023', '--module', module, '--moduleResolution', resolution, 'program.ts'];
    return spawnSync(process.execPath, [tsc, ...all], { cwd: consumer, encoding: 'utf8' });
  };
  for (const [module, resolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ] as const) {
    const { status, stdout } = check(program(''), module, resolution);
    assert.equal(status, 0, stdout);
  }
  const wrong = check(program('job.now.seconds = 1;'), 'nodenext', 'nodenext');
  assert.notEqual(wrong.status, 0);
  assert.match(wrong.stdout, /Type 'number' is not assignable to type 'bigint'/);
});

test('a bundler for pages takes it, and what is not used is left out', async () => {
  const bundle = async (contents: string): Promise<string> => {
    const { outputFiles, warnings } = await build({
      bundle: true,
      format: 'esm',
      logLevel: 'silent',
      minify: true,
      platform: 'browser',
      stdin: { contents, resolveDir: consumer },
      write: false,
    });
    assert.deepEqual(warnings, []);
    return outputFiles[0]?.text ?? '';
  };
  const all = await bundle(`export * from 'modanchor-verifier';`);
  const some = await bundle(`import { readEvidence } from 'modanchor-verifier'; console.log(readEvidence);`);
  assert.ok(some.includes('modanchor-evidence/1') && some.length < all.length / 4, `${some.length} of ${all.length}`);
});
