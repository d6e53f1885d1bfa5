/** Runs of the component itself: to a verdict, to a refusal, and against fetchers that do not keep the contract. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { crc32 } from 'node:zlib';
import { coreModules, moduleName } from '../verifier/component.js';
import type { End, Fetcher, Job, Kept, Outcome, Request, Response, Task } from '../verifier/index.js';
import { fixture, goSum, HELLO, job, recorded, RECORDED } from './made.js';

const out = process.env['PLAYGROUND_OUT'] as string;
const component = new Uint8Array(readFileSync(join(out, 'verifier/modanchor.wasm')));

/** The package as it is handed out: what a web developer imports. */
const { COMPONENT_DIGEST, ownVerifier, syncBlob, verify, Verifier } = (await import(
  pathToFileURL(join(out, 'verifier/index.js')).href
)) as typeof import('../verifier/index.js');

const verifier = await ownVerifier();

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const utf8 = (of: string): Uint8Array => new TextEncoder().encode(of);

/** The outcome of a run that must come to one. */
async function outcome(of: Job, fetcher: Fetcher = RECORDED): Promise<Outcome> {
  const end = await verifier.verify(of, fetcher);
  assert.equal(
    end.tag,
    'done',
    JSON.stringify(end, (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v)),
  );
  return (end as Extract<End, { tag: 'done' }>).outcome;
}

type Report = { tool: { component: string }; findings: { rule: string; line: number | null }[]; modules: unknown[] };
const report = (of: Outcome): Report => JSON.parse(text(of.report)) as Report;

test('a go.sum that is right passes', async () => {
  const end = await verify(job(goSum(HELLO)), RECORDED);
  assert.equal(end.tag === 'done' && end.outcome.verdict, 'pass');
  assert.deepEqual(end, { tag: 'done', outcome: await outcome(job(goSum(HELLO))) });
  const { tool, findings, modules } = report((end as Extract<End, { tag: 'done' }>).outcome);
  assert.deepEqual([findings.length, modules.length], [0, 11]);
  assert.equal(tool.component, COMPONENT_DIGEST);
});

test('a line that was changed is found', async () => {
  const changed = text(HELLO).replace(
    'h1:oOW0eioCTA6cOiMLiUPZOpcVxMig6NIQQ7OS05n1F4g=',
    'h1:ZOW0eioCTA6cOiMLiUPZOpcVxMig6NIQQ7OS05n1F4g=',
  );
  assert.notEqual(changed, text(HELLO));
  const of = await outcome(job(goSum(utf8(changed))));
  assert.deepEqual([of.verdict, of.status], ['fail', 1]);
  assert.deepEqual(
    report(of).findings.map(({ rule, line }) => [rule, line]),
    [['gosum-mismatch', 3]],
  );
});

test('without a network nothing passes', async () => {
  const of = await outcome(job(goSum(HELLO)), {
    answer: (requests) => requests.map(() => ({ tag: 'err', val: 'offline' })),
  });
  assert.deepEqual([of.verdict, of.status], ['incomplete', 3]);
});

test('a forged answer does not pass', async () => {
  const forged = (request: Request): Response => {
    const answer = recorded(request);
    if (
      answer.tag === 'ok' &&
      answer.val.tag === 'body' &&
      request.tag === 'sumdb' &&
      request.val.path.startsWith('lookup/')
    ) {
      const content = utf8(text(answer.val.val.content).replace('oOW0eioC', 'ZOW0eioC'));
      return { tag: 'ok', val: { tag: 'body', val: { content, origin: 'remote' } } };
    }
    return answer;
  };
  const forging = text(HELLO).replace('oOW0eioC', 'ZOW0eioC');
  const of = await outcome(job(goSum(utf8(forging))), { answer: async (requests) => requests.map(forged) });
  assert.notEqual(of.verdict, 'pass');
});

test('authenticated lines are looked up', async () => {
  const of = await outcome(
    job({ tag: 'lookup', val: ['golang.org/x/text@v0.43.0', 'golang.org/x/text@v0.43.0/go.mod'] }),
  );
  const hello = text(HELLO).split('\n');
  assert.equal(of.lines.length, 2);
  assert.ok(
    of.lines.every((line) => hello.includes(line)),
    of.lines.join(),
  );
});

test('a job that makes no sense is refused', async () => {
  const nothing: Task = { tag: 'verify', val: { files: [], programs: [], bareVendors: [] } };
  assert.deepEqual(await verifier.verify(job(nothing), RECORDED), {
    tag: 'refused',
    refusal: { tag: 'nothing-to-do' },
  });
  const wrong = job(goSum(HELLO));
  wrong.sumdb = { tag: 'database', val: { ...(wrong.sumdb as { val: object }).val, tileHeight: 31 } as never };
  const end = await verifier.verify(wrong, RECORDED);
  assert.equal(end.tag === 'refused' && end.refusal.tag, 'tile-height');
});

test('what is watched comes in order', async () => {
  const heard: string[] = [];
  const kept: Kept[] = [];
  const original = job(goSum(HELLO));
  let started: Job | undefined;
  await verifier.verify(original, RECORDED, {
    started: (job) => void (started = job),
    step: ({ phase }) => void heard.push(phase),
    keep: async (of) => {
      // It is waited for.
      await new Promise((resolve) => setTimeout(resolve, 1));
      heard.push('keep');
      kept.push(...of);
    },
    exchanged: (requests, responses) => {
      assert.equal(requests.length, responses.length);
      heard.push('exchanged');
    },
  });
  assert.deepEqual(started, { ...original, tool: { version: '0.1.0', component: COMPONENT_DIGEST } });
  assert.equal(original.tool.component, '', 'the job that was handed in is not changed');
  assert.deepEqual([heard[0], heard[1], heard.at(-1)], ['recalling', 'exchanged', 'proving'], heard.join());
  assert.ok(heard.indexOf('keep') > 0 && kept.every(({ tag }) => tag === 'item'), heard.join());
});

test('runs beside each other are apart', async () => {
  const slow: Fetcher = {
    answer: async (requests) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return requests.map(recorded);
    },
  };
  const alone = await outcome(job(goSum(HELLO)));
  const [one, other] = await Promise.all([
    outcome(job(goSum(HELLO)), slow),
    outcome(job(goSum(utf8('wrong\n'))), slow),
  ]);
  assert.deepEqual(one, alone);
  assert.equal(other.verdict, 'fail');
});

test('a job or an answer that is not of the contract does not get in', async () => {
  const cases: [(job: Job) => void, RegExp][] = [
    [(job) => void (job.now.nanoseconds = 2 ** 32), /^job\.job\.now\.nanoseconds is not an integer/],
    [(job) => void (job.now.seconds = -1n), /^job\.job\.now\.seconds is not a bigint/],
    [(job) => void ((job.now as { seconds: unknown }).seconds = 1), /^job\.job\.now\.seconds is not a bigint/],
    [(job) => void (job.skip.patterns = '\ud800'), /^job\.job\.skip\.patterns has half of a surrogate pair/],
    [(job) => void ((job.failOn as string) = 'none'), /^job\.job\.failOn is not one of critical, high/],
    [
      (job) => void Object.assign(job.sumdb.val as object, { maxage: 1n }),
      /^job\.job\.sumdb\.database has a field that is not one of/,
    ],
    [(job) => void delete (job as Partial<Job>).allowIncomplete, /^job\.job\.allowIncomplete is not a boolean/],
  ];
  for (const [spoil, message] of cases) {
    const spoilt = job(goSum(HELLO));
    spoil(spoilt);
    await assert.rejects(verifier.verify(spoilt, RECORDED), { name: 'ContractError', message });
  }
  const answers: [(requests: Request[]) => unknown, { name: string; code?: string; message: RegExp }][] = [
    [
      () => [],
      { name: 'VerifierError', code: 'wrong-answers', message: /^the fetcher gave 0 answers to \d+ requests/ },
    ],
    [(r) => [...r, ...r].map(recorded), { name: 'VerifierError', code: 'wrong-answers', message: /each needs one/ }],
    [() => undefined, { name: 'VerifierError', code: 'wrong-answers', message: /no list of answers/ }],
    [(r) => r.map(() => undefined), { name: 'ContractError', message: /^exchange\.response is not an object/ }],
    [
      (r) => r.map(() => ({ tag: 'err', val: 'gone' })),
      { name: 'ContractError', message: /^exchange\.response\.err is not one of absent/ },
    ],
    [
      (r) => r.map(() => ({ tag: 'ok', val: { tag: 'body', val: { content: 'text', origin: 'remote' } } })),
      { name: 'ContractError', message: /^exchange\.response\.ok\.body\.content is not a Uint8Array/ },
    ],
    [(r) => new Array(r.length), { name: 'ContractError', message: /^exchange\.response is not an object/ }],
  ];
  for (const [answer, expected] of answers) {
    await assert.rejects(verifier.verify(job(goSum(HELLO)), { answer } as Fetcher), expected);
  }
});

test('an error of the fetcher, or of a watch, ends the run', async () => {
  const broken = new Error('the cable is cut');
  const failing = () => {
    throw broken;
  };
  const is = (error: unknown) => error === broken;
  await assert.rejects(verifier.verify(job(goSum(HELLO)), { answer: failing }), is);
  await assert.rejects(verifier.verify(job(goSum(HELLO)), { answer: () => Promise.reject(broken) }), is);
  for (const name of ['started', 'step', 'keep', 'exchanged']) {
    await assert.rejects(verifier.verify(job(goSum(HELLO)), RECORDED, { [name]: failing }), is, name);
  }
});

test('rounds are bounded, one past the limit', async () => {
  let rounds = 0;
  await verifier.verify(job(goSum(HELLO)), RECORDED, { exchanged: () => void (rounds += 1) });
  assert.ok(rounds > 1);
  const end = await verifier.verify(job(goSum(HELLO)), RECORDED, {}, rounds);
  assert.equal(end.tag, 'done');
  const less = verifier.verify(job(goSum(HELLO)), RECORDED, {}, rounds - 1);
  await assert.rejects(less, { name: 'VerifierError', code: 'too-many-rounds' });
});

test('text of the component is the same as in other hosts, a U+FEFF at its start included', async () => {
  const path = '\ufeffd/go.sum';
  const unsorted = text(HELLO).trim().split('\n').reverse().join('\n');
  const fix = { ...goSum(utf8(unsorted), path), tag: 'fix' } as Job['task'];
  const { fixes } = await outcome(job(fix));
  assert.deepEqual(
    fixes.map((file) => [file.path, text(file.content)]),
    [[path, text(HELLO)]],
  );
});

test('a report becomes SARIF', async () => {
  const of = await outcome(job(goSum(utf8('wrong\n'))));
  const options = { category: 'c', prefix: 'p', links: [], maxResults: 10 };
  const sarif = JSON.parse(text(await verifier.sarif(of.report, options))) as {
    version: string;
    runs: { results: unknown[] }[];
  };
  assert.deepEqual([sarif.version, sarif.runs.length, sarif.runs[0]?.results.length], ['2.1.0', 1, 1]);
  await assert.rejects(verifier.sarif(utf8('{}'), options), { name: 'VerifierError', code: 'not-a-report' });
  await assert.rejects(verifier.sarif(of.report, { ...options, maxResults: -1 }), { name: 'ContractError' });
});

/** A zip of stored files (APPNOTE.TXT of PKWARE, 4.3). */
function zip(files: Record<string, string>): Uint8Array {
  const [local, central]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const [data, path] = [Buffer.from(content), Buffer.from(name)];
    const head = Buffer.alloc(26);
    head.writeUInt16LE(20, 0);
    head.writeUInt32LE(crc32(data), 10);
    head.writeUInt32LE(data.length, 14);
    head.writeUInt32LE(data.length, 18);
    head.writeUInt16LE(path.length, 22);
    const entry = Buffer.concat([Buffer.from('PK\x03\x04'), head, path, data]);
    const end = Buffer.alloc(14);
    end.writeUInt32LE(offset, 10);
    central.push(Buffer.from('PK\x01\x02\x14\x00'), head, end, path);
    local.push(entry);
    offset += entry.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  const count = Object.keys(files).length;
  end.writeUInt16LE(count, 4);
  end.writeUInt16LE(count, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...local, directory, Buffer.from('PK\x05\x06'), end]);
}

/** golang.org/x/mod/sumdb/dirhash.Hash1. */
function h1(files: Record<string, string>): { h1: string; manifest: string } {
  const sha256 = (of: string) => createHash('sha256').update(of);
  const names = Object.keys(files).sort();
  const manifest = names.map((name) => `${sha256(files[name] as string).digest('hex')}  ${name}\n`).join('');
  return { h1: `h1:${sha256(manifest).digest('base64')}`, manifest };
}

test('zips and go.mod are hashed', async () => {
  const rules = { path: 'example.com/m', version: 'v1.0.0' };
  const files = { 'example.com/m@v1.0.0/go.mod': 'module example.com/m\n', 'example.com/m@v1.0.0/a.go': 'package m\n' };
  const expected = h1(files);
  const measured = await verifier.h1Zip(syncBlob(zip(files)), rules, true);
  assert.deepEqual(measured, { tag: 'ok', val: { h1: expected.h1, files: 2n, manifest: utf8(expected.manifest) } });
  const short = await verifier.h1Zip(syncBlob(zip(files)));
  assert.deepEqual(short, { tag: 'ok', val: { h1: expected.h1, files: 2n, manifest: new Uint8Array() } });
  const other = await verifier.h1Zip(syncBlob(zip(files)), { ...rules, version: 'v1.0.1' });
  assert.equal(other.tag === 'err' && other.val.tag === 'refused' && other.val.val.code, 'unexpected-file');
  const noZip = await verifier.h1Zip(syncBlob(HELLO), rules);
  assert.equal(noZip.tag === 'err' && noZip.val.tag, 'refused');

  const goMod = 'module example.com/m\n';
  const mod = await verifier.h1Mod(syncBlob(utf8(goMod)));
  assert.equal(mod.tag === 'ok' && mod.val.h1, h1({ 'go.mod': goMod }).h1);
});

test('what is no Go program says nothing of itself', async () => {
  const of = await verifier.program(syncBlob(HELLO));
  assert.equal(of.tag === 'err' && of.val.tag, 'refused');
});

test('bytes that cannot be read are said to be so', async () => {
  const failing = () => {
    throw new Error('gone');
  };
  const size = HELLO.length;
  const read = async (readAt: (offset: number, length: number) => Uint8Array) => verifier.h1Zip({ size, readAt });
  assert.deepEqual(await read(failing), { tag: 'err', val: { tag: 'read', val: 'failed' } });
  assert.deepEqual(await read(() => new Uint8Array(1)), { tag: 'err', val: { tag: 'read', val: 'changed' } });
  assert.deepEqual(await read(() => 'x' as never), { tag: 'err', val: { tag: 'read', val: 'changed' } });
});

test('a blob without a size, and a module version that is none, do not get in', async () => {
  for (const size of [NaN, -1, 0.5, 2 ** 53, Infinity, '9' as never]) {
    await assert.rejects(verifier.h1Zip({ size, readAt: () => new Uint8Array() }), { name: 'RangeError' }, `${size}`);
  }
  const rules = { path: '\ud800', version: 'v1.0.0' };
  await assert.rejects(verifier.h1Zip(syncBlob(HELLO), rules), { name: 'ContractError' });
});

test('only the component that the package was built for is run', async () => {
  const sha256 = createHash('sha256').update(component).digest('hex');
  assert.deepEqual([verifier.digest, COMPONENT_DIGEST], [`sha256:${sha256}`, `sha256:${sha256}`]);
  const other = component.slice();
  other[other.length - 1] = (other.at(-1) as number) ^ 1;
  for (const bytes of [other, component.subarray(1), new Uint8Array(), fixture('hello/go.mod')]) {
    await assert.rejects(Verifier.load(bytes), { name: 'VerifierError', code: 'wrong-component' });
  }
});

test('core modules are cut out of a component, and out of those in it', () => {
  const modules = coreModules(component);
  assert.ok(modules.length > 1 && modules.every((module) => WebAssembly.validate(module as BufferSource)));
  assert.deepEqual([moduleName(0), moduleName(1)], ['modanchor.core.wasm', 'modanchor.core2.wasm']);

  const preamble = [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0];
  const section = (id: number, body: number[]) => [id, 0x80 | body.length, 0x80, 0, ...body];
  const nested = (depth: number): number[] =>
    depth === 0 ? [...preamble, ...section(1, [7])] : [...preamble, ...section(4, nested(depth - 1))];
  const made = [
    ...preamble,
    ...section(0, [1, 2]),
    ...section(1, [1, 2, 3]),
    ...section(4, nested(0)),
    ...section(1, []),
  ];
  assert.deepEqual(
    coreModules(Uint8Array.from(made)).map((module) => [...module]),
    [[1, 2, 3], [7], []],
  );
  assert.deepEqual(
    coreModules(Uint8Array.from(nested(4))).map((module) => [...module]),
    [[7]],
  );

  assert.throws(() => coreModules(Uint8Array.from(nested(8))), /not a WebAssembly component/);
  assert.throws(
    () => coreModules(Uint8Array.from([...preamble.slice(0, 4), 1, 0, 0, 0])),
    /not a WebAssembly component/,
  );
  for (const end of [[1], [1, 0x80], [1, 0xff, 0xff, 0xff, 0xff, 0xff, 0], [1, 2, 0]]) {
    assert.throws(() => coreModules(Uint8Array.from([...preamble, ...end])), /section/, `${end}`);
  }
});
