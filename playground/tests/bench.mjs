/**
 * How long it takes to judge in Chromium, in Node.js and in the program (benches/README.md):
 *
 *     node tests/bench.mjs OUT EVIDENCE [--runs N]
 *
 * OUT is what build.mjs has built; EVIDENCE is a file that `modanchor verify --record` wrote. Nothing is asserted but
 * that every judgement comes to the recorded report.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { parseArgs } from 'node:util';
import { openBare, openPlayground } from './chromium.mjs';

const repository = fileURLToPath(new URL('../..', import.meta.url));
/** A small run, of the project in tests/fixtures/hello: what a first verdict is about. */
const SAMPLE = 'good';
const SMALL = join(repository, `playground/page/samples/${SAMPLE}.evidence`);
const PROGRAM = process.env.MODANCHOR_BIN ?? join(repository, 'target/release/modanchor');

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '9' } },
});
const [out, evidence] = positionals.map((path) => resolve(path));
const runs = Number(values.runs);
if (out === undefined || evidence === undefined || !(Number.isSafeInteger(runs) && runs > 0)) {
  throw new Error('usage: node tests/bench.mjs OUT EVIDENCE [--runs N]');
}
const large = readFileSync(evidence);
const small = readFileSync(SMALL);

const SCRIPT = `
  import { ownVerifier, readEvidence, replay } from '/verifier/index.js';
  const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
  const judge = async (file) => replay(await ownVerifier(), await readEvidence(file));
  const file = await bytes('/small');
  const { outcome } = await judge(file);
  globalThis.first = performance.now();
  globalThis.verdict = outcome.verdict;
  globalThis.replayLarge = async () => {
    const file = await bytes('/large');
    const begin = performance.now();
    await judge(file);
    return performance.now() - begin;
  };`;

function median(all) {
  const sorted = [...all].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

const rows = [];
function row(name, all, aim) {
  const [low, high] = [Math.min(...all), Math.max(...all)].map((ms) => ms.toFixed(0));
  rows.push(`| ${name} | ${median(all).toFixed(0)} ms | ${low} to ${high} ms | ${aim} |`);
}

// A Chromium that has just started: no cache, and no code that was compiled before. Both times begin with the navigation.
const onPage = [];
const first = [];
const inChromium = [];
let version;
for (let i = 0; i < runs; i++) {
  const playground = await openPlayground(out);
  await playground.page.goto(playground.origin, { waitUntil: 'commit' });
  await playground.page.locator(`[data-sample="${SAMPLE}"]`).click();
  await playground.page.locator('#verdict').waitFor();
  onPage.push(await playground.page.evaluate(() => performance.now()));
  await playground.close();
  const bare = await openBare(out, SCRIPT, (path) => ({ '/small': small, '/large': large })[path]);
  version = bare.version;
  await bare.page.goto(bare.origin);
  await bare.page.waitForFunction(() => 'replayLarge' in globalThis);
  first.push(await bare.page.evaluate(() => globalThis.first));
  inChromium.push(await bare.page.evaluate(() => globalThis.replayLarge()));
  await bare.close();
}
row(`Chromium ${version}: first verdict of the page, cold, with a click on a sample`, onPage, '< 1 s');
row(`Chromium ${version}: first verdict of a bare page, cold`, first, '< 1 s');
row(`Chromium ${version}: replay, the first after that`, inChromium, '< 1 s');

const { ownVerifier, readEvidence, replay } = await import(pathToFileURL(join(out, 'verifier/index.js')));
await replay(await ownVerifier(), await readEvidence(new Uint8Array(small)));
const inNode = [];
let lines;
for (let i = 0; i < runs; i++) {
  const begin = performance.now();
  const { outcome } = await replay(await ownVerifier(), await readEvidence(new Uint8Array(large)));
  inNode.push(performance.now() - begin);
  lines = JSON.parse(new TextDecoder().decode(outcome.report)).counts.lines;
}
row(`Node.js ${process.versions.node}: replay`, inNode, '');

if (existsSync(PROGRAM)) {
  const inProgram = [];
  for (let i = 0; i <= runs; i++) {
    const begin = performance.now();
    const { status, stderr } = spawnSync(PROGRAM, ['replay', '--quiet', evidence], { encoding: 'utf8' });
    // The first only warms the machine's caches.
    if (i > 0) inProgram.push(performance.now() - begin);
    if (![0, 1, 3].includes(status)) throw new Error(`${PROGRAM}: ${stderr}`);
  }
  row('the program: replay, the whole process', inProgram, '< 150 ms');
} else {
  console.log(`There is no ${PROGRAM}, which \`cargo build --release\` makes: it is not measured.`);
}

const kib = (bytes) => `${(bytes / 1024).toFixed(0)} KiB`;
const component = readFileSync(join(out, 'verifier/modanchor.wasm'));
const code = readFileSync(join(out, 'verifier/index.js'));
console.log(
  `Replay of ${lines} lines, ${kib(large.length)} of evidence; the first verdict is of ${kib(small.length)}.`,
);
console.log(
  `Component: ${kib(component.length)}, ${kib(gzipSync(component).length)} after gzip; ` +
    `the package's code: ${kib(gzipSync(code).length)} after gzip.`,
);
console.log(`${runs} runs each, ${availableParallelism()} cores, load ${loadavg()[0].toFixed(2)} at the end.\n`);
console.log('| | median | from, to | aim |\n|---|---|---|---|');
console.log(rows.join('\n'));
