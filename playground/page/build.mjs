/**
 * Builds the page. `../build.mjs` calls this with what both builds share.
 *
 * MODANCHOR_PLAYGROUND_SUMDB, a base URL with a slash at the end, is where look-ups go before the page's own origin:
 * `BASEsumdb/NAME/PATH` is asked. It is the one other origin that the page's policy lets it talk to.
 */

import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Trusted roots of Sigstore that come with the page: those of the program, under its names. */
const ROOTS = [
  { name: 'sigstore', folder: 'sigstore' },
  { name: 'github', folder: 'sigstore/github' },
];

const digest = (bytes, algorithm, encoding) => createHash(algorithm).update(bytes).digest(encoding);

/** All files below a folder, relative to it, with `/`, sorted: the order of a folder differs from disk to disk. */
function files(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort((a, b) => (a < b ? -1 : 1));
}

/** The policy, as a header has it. A meta element knows no `frame-ancestors`. */
export function policy(sumdb, header) {
  const other = sumdb === '' ? [] : [new URL(sumdb).origin];
  return [
    "default-src 'self'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "img-src 'self'",
    ["connect-src 'self'", ...other].join(' '),
    "worker-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    ...(header ? ["frame-ancestors 'none'"] : []),
    "require-trusted-types-for 'script'",
    'trusted-types modanchor',
  ].join('; ');
}

/** Checks the base URL: it goes into the policy. */
function base(sumdb) {
  if (sumdb === '') return '';
  const url = new URL(sumdb);
  const plain =
    url.href === sumdb && sumdb.endsWith('/') && url.search === '' && url.hash === '' && url.username === '';
  const local = url.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  if (!plain || !(url.protocol === 'https:' || local)) {
    throw new Error(`MODANCHOR_PLAYGROUND_SUMDB is ${sumdb}: an https URL with a slash at the end is needed`);
  }
  return sumdb;
}

/** Writes the page to `out`. `bundle`: esbuild's options for every bundle. */
export async function buildPage(out, { bytes, version, bundle, sumdb = process.env.MODANCHOR_PLAYGROUND_SUMDB ?? '' }) {
  const assets = join(here, '../../host/assets');
  const at = base(sumdb);
  mkdirSync(join(out, 'roots'), { recursive: true });
  const roots = ROOTS.map(({ name, folder }) => {
    const content = readFileSync(join(assets, folder, 'trusted_root.json'));
    const root = JSON.parse(readFileSync(join(assets, folder, 'root.json'), 'utf8'));
    const file = `roots/${name}.json`;
    writeFileSync(join(out, file), content);
    return { name, file, sha256: digest(content, 'sha256', 'hex'), expires: Date.parse(root.signed.expires) / 1000 };
  });
  const info = { version, component: `sha256:${digest(bytes, 'sha256', 'hex')}`, sumdb: at, roots };
  const options = { ...bundle, platform: 'browser', format: 'iife', outdir: out };
  await build({
    ...options,
    entryPoints: [join(here, 'main.ts'), join(here, 'worker.ts')],
    define: { __BUILD__: JSON.stringify(info) },
  });
  await build({ ...options, entryPoints: [join(here, 'style.css')] });
  cpSync(join(here, 'icon.svg'), join(out, 'icon.svg'));
  cpSync(join(here, 'samples'), join(out, 'samples'), { recursive: true, filter: (name) => !name.endsWith('.md') });
  writeFileSync(join(out, 'modanchor.wasm'), bytes);
  const integrity = (name) => `sha384-${digest(readFileSync(join(out, name)), 'sha384', 'base64')}`;
  const html = readFileSync(join(here, 'index.html'), 'utf8')
    .replace('%CSP%', () => policy(at, false))
    .replace('%STYLE%', () => integrity('style.css'))
    .replace('%MAIN%', () => integrity('main.js'));
  if (html.includes('%')) throw new Error('index.html has a % that nothing took the place of');
  writeFileSync(join(out, 'index.html'), html);
  // What the service worker keeps, and compares.
  const list = Object.fromEntries(
    files(out).map((name) => [name, digest(readFileSync(join(out, name)), 'sha256', 'hex')]),
  );
  const text = JSON.stringify(list);
  await build({
    ...options,
    entryPoints: [join(here, 'sw.ts')],
    define: { __FILES__: text, __FILES_DIGEST__: JSON.stringify(digest(text, 'sha256', 'hex')) },
  });
  // For those who can set headers. No host is required to.
  writeFileSync(join(out, 'headers.txt'), headers(at));
}

/** The headers that a server should send with every file. */
function headers(sumdb) {
  return [
    `Content-Security-Policy: ${policy(sumdb, true)}`,
    'X-Content-Type-Options: nosniff',
    'Referrer-Policy: no-referrer',
    'Cross-Origin-Opener-Policy: same-origin',
    'Cross-Origin-Resource-Policy: same-origin',
    '',
  ].join('\n');
}
