/**
 * Builds `verifier/`, the package, and `page/`, both around a component:
 *
 *     node build.mjs COMPONENT OUT
 *
 * `cargo xtask playground` calls this, after it has written the table of the contract to
 * verifier/generated/contract.json. What is built is a function of the component, the sources and package-lock.json: no
 * time, no path and no order of a folder gets into it.
 */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { buildPage } from './page/build.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const generated = join(here, 'verifier/generated');
const bin = (path) => join(here, 'node_modules', path);

/**
 * For every bundle. ES2023 and what Node.js 20 and the browsers of 2024 share; names of others' licences are kept in
 * the files.
 */
const BUNDLE = {
  absWorkingDir: here,
  bundle: true,
  charset: 'utf8',
  format: 'esm',
  legalComments: 'inline',
  logLevel: 'warning',
  minify: true,
  platform: 'neutral',
  sourcemap: false,
  target: 'es2023',
  treeShaking: true,
};

/**
 * What is changed in jco's code, each exactly once: a jco that writes something else fails the build, and is looked at.
 */
const PATCHES = [
  // Text that comes out of the component keeps a U+FEFF at its start, and is never repaired: it must be the same in
  // every host.
  ['new TextDecoder();', "new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });"],
  // Modules are cut out of the component. A default that fetches files by a name that is only known then makes bundlers
  // look for files.
  [/ {2}if \(!getCoreModule\) getCoreModule = .*\n/, ''],
];

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

/** All files below a folder, relative to it, with `/`, sorted. */
function files(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort((a, b) => (a < b ? -1 : 1));
}

/** Runs a tool of node_modules. */
function tool(path, ...args) {
  execFileSync(process.execPath, [bin(path), ...args], { cwd: here, stdio: ['ignore', 'inherit', 'inherit'] });
}

/**
 * Writes verifier/generated/ but for contract.json: the component's types, the code that joins its modules, its digest.
 */
async function generate(component, bytes) {
  const work = join(generated, 'jco');
  rmSync(work, { recursive: true, force: true });
  tool(
    '@bytecodealliance/jco/dist/jco.js',
    ...['transpile', component, '--out-dir', work, '--name', 'modanchor', '--quiet'],
    ...['--instantiation', 'async', '--no-nodejs-compat', '--base64-cutoff=0', '--variants-inline-cases', '--strict'],
  );

  // The modules that jco wrote are those that are cut out of the component at run time, under the same names.
  const cutter = join(generated, 'component.mjs');
  await build({ ...BUNDLE, entryPoints: [join(here, 'verifier/component.ts')], outfile: cutter });
  const { coreModules, moduleName } = await import(pathToFileURL(cutter));
  const modules = coreModules(bytes);
  const written = files(work).filter((name) => name.endsWith('.wasm'));
  const same = (module, i) => written.includes(moduleName(i)) && module.equals(readFileSync(join(work, moduleName(i))));
  if (modules.length !== written.length || !modules.every(same)) {
    throw new Error('the core modules that jco writes are not those of the component: see verifier/component.ts');
  }

  let code = readFileSync(join(work, 'modanchor.js'), 'utf8');
  for (const [from, to] of PATCHES) {
    const pieces = code.split(from);
    if (pieces.length !== 2) {
      throw new Error(`jco's code has ${from} ${pieces.length - 1} times and not once: see PATCHES in build.mjs`);
    }
    code = pieces.join(to);
  }
  rmSync(join(generated, 'interfaces'), { recursive: true, force: true });
  cpSync(join(work, 'interfaces'), join(generated, 'interfaces'), { recursive: true });
  cpSync(join(work, 'modanchor.d.ts'), join(generated, 'modanchor.d.ts'));
  writeFileSync(join(generated, 'modanchor.js'), code);
  writeFileSync(join(generated, 'component.json'), `${JSON.stringify({ digest: `sha256:${sha256(bytes)}` })}\n`);
  rmSync(work, { recursive: true });
  rmSync(cutter);
}

/** The package. */
async function buildVerifier(out, bytes, version) {
  await build({ ...BUNDLE, entryPoints: [join(here, 'verifier/index.ts')], outfile: join(out, 'index.js') });
  const types = join(out, 'types');
  tool('typescript/bin/tsc', '--project', join(here, 'verifier/tsconfig.json'), '--outDir', types);
  const declared = files(generated).filter((name) => name.endsWith('.d.ts'));
  for (const name of declared) {
    cpSync(join(generated, name), join(types, 'generated', name));
  }
  writeFileSync(join(out, 'modanchor.wasm'), bytes);
  cpSync(join(here, 'verifier/README.md'), join(out, 'README.md'));
  cpSync(join(here, '../LICENSE'), join(out, 'LICENSE'));
  const manifest = {
    name: 'modanchor-verifier',
    version,
    description: 'Verifies go.sum against the checksum database, TUF and Sigstore: a sealed component and its types',
    license: 'Apache-2.0',
    type: 'module',
    exports: {
      '.': { types: './types/index.d.ts', default: './index.js' },
      './modanchor.wasm': './modanchor.wasm',
      './package.json': './package.json',
    },
    types: './types/index.d.ts',
    sideEffects: false,
    engines: { node: '>=20.16' },
  };
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

const [component, out] = process.argv.slice(2).map((path) => resolve(path));
if (component === undefined || out === undefined) {
  throw new Error('usage: node build.mjs COMPONENT OUT');
}
const bytes = readFileSync(component);
const version = /^\[workspace\.package\]\nversion = "(.*)"$/m.exec(
  readFileSync(join(here, '../Cargo.toml'), 'utf8'),
)?.[1];
if (version === undefined) {
  throw new Error('Cargo.toml names no version of the workspace');
}
await generate(component, bytes);
for (const name of ['verifier', 'page']) {
  rmSync(join(out, name), { recursive: true, force: true });
}
mkdirSync(join(out, 'verifier'), { recursive: true });
await buildVerifier(join(out, 'verifier'), bytes, version);
await buildPage(join(out, 'page'), { bytes, version, bundle: BUNDLE });
