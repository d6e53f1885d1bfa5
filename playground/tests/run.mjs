/**
 * Checks the types, bundles tests/*.test.ts and runs them with node:test:
 *
 *     node tests/run.mjs OUT [NAME…]
 *
 * OUT is what build.mjs has built; NAME is a test's file without `.test.ts`, such as `codec` or `browser/page`; none means all.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const tests = fileURLToPath(new URL('.', import.meta.url));
const [out, ...wanted] = process.argv.slice(2);
if (out === undefined) {
  throw new Error('usage: node tests/run.mjs OUT [NAME…]');
}
const names = readdirSync(tests, { recursive: true })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => name.slice(0, -'.test.ts'.length).replaceAll('\\', '/'))
  .sort();
const chosen = wanted.length === 0 ? names : wanted;
const unknown = chosen.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  throw new Error(`no such test: ${unknown.join(', ')}; there are ${names.join(', ')}`);
}

const playground = join(tests, '..');
// What a test reads is named from these: where it is bundled to, import.meta.url says nothing.
const env = { ...process.env, PLAYGROUND_OUT: resolve(out), REPOSITORY: resolve(playground, '..') };
function run(...args) {
  const { status, error } = spawnSync(process.execPath, args, { cwd: playground, stdio: 'inherit', env });
  if (status !== 0) {
    console.error(error ?? `failed: node ${args.join(' ')}`);
    process.exit(1);
  }
}
run('node_modules/typescript/bin/tsc', '--noEmit');
// For the large files that tests make.
mkdirSync(join(resolve(out), 'tests'), { recursive: true });
// Below node_modules, so that packages are found from there.
const bundled = join(playground, 'node_modules/.tests');
rmSync(bundled, { recursive: true, force: true });
await build({
  absWorkingDir: playground,
  bundle: true,
  entryPoints: chosen.map((name) => join(tests, `${name}.test.ts`)),
  format: 'esm',
  logLevel: 'warning',
  outbase: tests,
  outdir: bundled,
  outExtension: { '.js': '.mjs' },
  packages: 'external',
  platform: 'node',
  sourcemap: 'inline',
  target: 'node20',
});
run(
  '--enable-source-maps',
  '--test',
  '--test-reporter=spec',
  ...chosen.map((name) => join(bundled, `${name}.test.mjs`)),
);
