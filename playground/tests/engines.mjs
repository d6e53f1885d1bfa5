/**
 * Judges every recorded run again, in Node.js and in Chromium, and compares the reports with the one that the program
 * wrote, which ran the component in wasmtime: three engines, the same bytes.
 *
 *     node tests/engines.mjs OUT EVIDENCE
 *
 * OUT is what build.mjs has built; EVIDENCE is a folder of files that `modanchor verify --record` wrote, such as
 * `cargo xtask test` leaves in target/evidence. It fails on any difference, and where the files hold too little: LEAST.
 */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { CHROMIUM, hasChromium, openBare } from './chromium.mjs';

/** What the inputs must hold for the comparison to say something. */
const LEAST = {
  inputs: 30,
  rules: 30,
  verdicts: ['pass', 'fail', 'incomplete'],
  rule: 'sumdb-fork',
};

const [out, folder] = process.argv.slice(2).map((path) => resolve(path));
if (out === undefined || folder === undefined) {
  throw new Error('usage: node tests/engines.mjs OUT EVIDENCE');
}
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.evidence'))
  .sort();

/** What the program wrote, read with nothing of the package's: the report, and what was answered. */
function recorded(file) {
  const { job, exchange, outcome, contents } = JSON.parse(gunzipSync(file).toString());
  const report = contents[outcome.report];
  const failures = exchange.flat().flatMap(({ response }) => response.error ?? []);
  return { component: job.tool.component, report: Buffer.from(report), failures };
}

/** One byte changed, another one in each file. */
function spoilt(file, i) {
  const copy = new Uint8Array(file);
  copy[(i * 7919) % copy.length] ^= 1 + (i % 255);
  return copy;
}

const component = `sha256:${createHash('sha256')
  .update(readFileSync(join(out, 'verifier/modanchor.wasm')))
  .digest('hex')}`;
const inputs = names.map((name, i) => {
  const file = readFileSync(join(folder, name));
  return { name, file, spoilt: spoilt(file, i), ...recorded(file) };
});
const wrong = inputs
  .filter((input) => input.component !== component)
  .map(({ name }) => `${name}: of another component`);

/** Runs in both engines, with the package: the report, and why a changed file is refused. */
async function judge({ ownVerifier, readEvidence, replay }, file, changed) {
  const { outcome, sameComponent } = await replay(await ownVerifier(), await readEvidence(file));
  const refused = await readEvidence(changed).then(
    () => 'read',
    (error) => `${error.name} ${error.code}`,
  );
  return { report: outcome.report, sameComponent, refused };
}

/** Runs one engine over all inputs. */
async function engine(name, run) {
  const begin = performance.now();
  const refusals = [];
  let same = 0;
  for (const input of inputs) {
    try {
      const { report, sameComponent, refused } = await run(input);
      refusals.push(refused);
      if (!sameComponent || !input.report.equals(report)) {
        wrong.push(`${input.name}: another report in ${name}`);
      } else if (!refused.startsWith('EvidenceError ')) {
        wrong.push(`${input.name}: with a byte changed, ${name} says: ${refused}`);
      } else {
        same += 1;
      }
    } catch (error) {
      wrong.push(`${input.name}: in ${name}: ${error}`);
    }
  }
  return { name, same, refusals, seconds: (performance.now() - begin) / 1000 };
}

/** A table of how many inputs have what. */
function count(title, of) {
  const all = new Map();
  for (const input of inputs) {
    for (const key of new Set(of(input))) {
      all.set(key, (all.get(key) ?? 0) + 1);
    }
  }
  console.log(`\n| ${title} | inputs |\n|---|---|`);
  for (const [key, n] of [...all].sort()) {
    console.log(`| ${key} | ${n} |`);
  }
  return [...all.keys()];
}

const library = await import(pathToFileURL(join(out, 'verifier/index.js')));
const node = await engine(`Node.js ${process.versions.node}`, ({ file, spoilt }) =>
  judge(library, new Uint8Array(file), spoilt),
);

if (!hasChromium()) {
  throw new Error(`there is no Chromium at ${CHROMIUM}`);
}
const script = `
  import * as library from '/verifier/index.js';
  ${judge}
  const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
  globalThis.judgeAgain = async (i) => {
    const judged = await judge(library, await bytes('/' + i + '/file'), await bytes('/' + i + '/spoilt'));
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(judged.report);
    return { ...judged, report: text };
  };`;
const bare = await openBare(out, script, (path) => {
  const [, i, what] = /^\/(\d+)\/(file|spoilt)$/.exec(path) ?? [];
  return inputs[i]?.[what];
});
await bare.page.goto(bare.origin);
await bare.page.waitForFunction(() => 'judgeAgain' in globalThis);
const chromium = await engine(`Chromium ${bare.version}`, async (input) => {
  const judged = await bare.page.evaluate((i) => globalThis.judgeAgain(i), inputs.indexOf(input));
  return { ...judged, report: Buffer.from(judged.report) };
});
await bare.close();
for (const [i, { name }] of inputs.entries()) {
  if (node.refusals[i] !== chromium.refusals[i]) {
    wrong.push(`${name}: with a byte changed, the engines differ: ${node.refusals[i]}, ${chromium.refusals[i]}`);
  }
}

console.log(
  `${inputs.length} recorded runs, component ${component}\n\n` +
    '| engine | the same report, byte for byte | seconds |\n|---|---|---|',
);
console.log(`| wasmtime, in the program | ${inputs.length} recorded | |`);
for (const { name, same, seconds } of [node, chromium]) {
  console.log(`| ${name} | ${same} of ${inputs.length} | ${seconds.toFixed(1)} |`);
}
const reports = new Map(inputs.map((input) => [input, JSON.parse(input.report)]));
const verdicts = count('verdict', (input) => [reports.get(input).verdict]);
const rules = count('rule', (input) => reports.get(input).findings.map(({ rule }) => rule));
count('failure among the answers', (input) => input.failures);

wrong.push(
  ...LEAST.verdicts.filter((verdict) => !verdicts.includes(verdict)).map((verdict) => `no input with ${verdict}`),
);
if (!rules.includes(LEAST.rule)) {
  wrong.push(`no input with ${LEAST.rule}`);
}
if (inputs.length < LEAST.inputs || rules.length < LEAST.rules) {
  wrong.push(
    `${inputs.length} inputs with ${rules.length} rules: at least ${LEAST.inputs} with ${LEAST.rules} are needed`,
  );
}
if (wrong.length > 0) {
  console.error(`\n${wrong.join('\n')}`);
  process.exit(1);
}
