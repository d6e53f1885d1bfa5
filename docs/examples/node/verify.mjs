// Verifies a go.sum:
//
//     node verify.mjs GO.SUM PROXY [EVIDENCE]
//
// PROXY stands for the checksum database as Go's module proxy does: a URL, or a folder with the same paths. The verdict
// is the component's; this program only reads what it asks for. The exit status is that of `modanchor verify`.

import { readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Recorder, verify, writeEvidence } from 'modanchor-verifier';

/**
 * The key of sum.golang.org, as the go command has it (cmd/go/internal/modfetch/key.go). By it everything is verified.
 */
const SUM_GOLANG_ORG = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8';

/** How long an answer may take, in milliseconds. */
const TIMEOUT = 30_000;

/** What is judged, and by whose word: `record job` of wit/job.wit. */
function jobFor(content) {
  const now = Date.now();
  return {
    now: { seconds: BigInt(Math.floor(now / 1000)), nanoseconds: (now % 1000) * 1_000_000 },
    // The component's digest is put in by the package.
    tool: { version: 'example', component: '' },
    task: {
      tag: 'verify',
      val: { files: [{ path: 'go.sum', kind: 'go-sum', content }], programs: [], bareVendors: [] },
    },
    sumdb: {
      tag: 'database',
      val: { key: SUM_GOLANG_ORG, setBy: 'verify.mjs', tileHeight: 8, witnesses: [], quorum: 0 },
    },
    skip: { patterns: '', setBy: 'verify.mjs' },
    failOn: 'medium',
    allowIncomplete: false,
    ignores: [],
    bytes: { moduleCache: 'off', zips: 'cache', vendor: 'off' },
    tuf: { all: [], map: [], required: false },
    sigstore: { roots: [], places: [], private: '', rekor: false },
  };
}

const body = (content) => ({ tag: 'ok', val: { tag: 'body', val: { content, origin: 'remote' } } });
const failure = (val) => ({ tag: 'err', val });

/** Answers one request. With nowhere to keep anything, all but the database's answers are absent. */
async function answer(proxy, request) {
  if (request.tag === 'advance') {
    // "What is in place afterwards": for this run, the head that the component has just accepted.
    return body(request.val.next);
  }
  if (request.tag !== 'sumdb') {
    return failure('absent');
  }
  const { database, path, maxBytes } = request.val;
  return /^https?:/.test(proxy)
    ? fromUrl(new URL(`sumdb/${database}/${path}`, proxy.endsWith('/') ? proxy : `${proxy}/`), maxBytes)
    : fromFile(join(proxy, 'sumdb', database, path), maxBytes);
}

async function fromFile(path, maxBytes) {
  try {
    return (await stat(path)).size > maxBytes ? failure('too-large') : body(await readFile(path));
  } catch (error) {
    return failure(error.code === 'ENOENT' ? 'absent' : 'storage');
  }
}

async function fromUrl(url, maxBytes) {
  try {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT) });
    if (!response.ok) {
      await response.body?.cancel();
      return failure(failureOf(response.status));
    }
    const chunks = [];
    let length = 0;
    for await (const chunk of response.body ?? []) {
      length += chunk.length;
      if (length > maxBytes) {
        return failure('too-large');
      }
      chunks.push(chunk);
    }
    return body(new Uint8Array(Buffer.concat(chunks)));
  } catch (error) {
    return failure(error.name === 'TimeoutError' ? 'timed-out' : 'unreachable');
  }
}

/** `enum failure` of wit/types.wit. */
function failureOf(status) {
  switch (status) {
    case 404:
    case 410:
      return 'absent';
    case 429:
      return 'rate-limited';
    case 401:
    case 403:
    case 407:
      return 'denied';
    default:
      return status >= 500 ? 'server-error' : 'unexpected-status';
  }
}

/** At most so many requests at once: the lists of a large go.sum have hundreds. */
const AT_ONCE = 16;

async function answerAll(proxy, requests) {
  const answers = new Array(requests.length);
  const waiting = requests.entries();
  const work = async () => {
    for (const [i, request] of waiting) {
      answers[i] = await answer(proxy, request);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return answers;
}

/** Text from files and servers, for a terminal: what could command it is made visible. */
const visible = (text) => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);

const [goSum, proxy, evidence] = process.argv.slice(2);
if (goSum === undefined || proxy === undefined) {
  console.error('usage: node verify.mjs GO.SUM PROXY [EVIDENCE]');
  process.exit(2);
}
const recorder = new Recorder();
const source = /^https?:/.test(proxy) ? proxy : resolve(proxy);
const end = await verify(
  jobFor(new Uint8Array(await readFile(goSum))),
  { answer: (all) => answerAll(source, all) },
  recorder,
);
if (end.tag === 'refused') {
  console.error(`the job makes no sense: ${end.refusal.tag}: ${visible(end.refusal.val ?? '')}`);
  process.exit(2);
}
const report = JSON.parse(new TextDecoder().decode(end.outcome.report));
for (const { severity, rule, file, line, message } of report.findings) {
  // What is wrong with no line of a file has none, and what is wrong with no file has none of both.
  const place = [file, line].filter((part) => part !== null).map((part) => `${part}:`);
  console.log(visible([place.join(''), `${severity}[${rule}]: ${message}`].join(' ').trim()));
}
console.log(`${end.outcome.verdict}: ${report.modules.length} module versions, judged by ${report.tool.component}`);
if (evidence !== undefined) {
  await writeFile(evidence, await writeEvidence(recorder.evidence(end)));
  console.log(`recorded: ${evidence}`);
}
process.exitCode = end.outcome.status;
