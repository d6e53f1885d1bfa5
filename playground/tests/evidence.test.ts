/** Reading evidence is strict: what differs in any way from what would be written is refused, and says why. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  EVIDENCE_LIMITS,
  readEvidence,
  writeEvidence,
  type Evidence,
  type EvidenceLimits,
} from '../verifier/evidence.js';
import type { Contract } from '../verifier/codec.js';
import { digest, goSum, job, member, pack, seal, unpack } from './made.js';
import { Random, value } from './random.js';

const text = (of: string): Uint8Array => new TextEncoder().encode(of);

/** A small run with everything in it that a document can have. */
const SMALL: Evidence = {
  job: job(goSum(text('a v1.0.0 h1:=\n'))),
  exchange: [
    [
      {
        request: { tag: 'recall', val: { database: 'd', item: { tag: 'latest' }, maxBytes: 9 } },
        response: { tag: 'err', val: 'absent' },
      },
      {
        request: { tag: 'sumdb', val: { database: 'd', path: 'latest', maxBytes: 9, source: 'any' } },
        response: { tag: 'ok', val: { tag: 'body', val: { content: Uint8Array.of(0xff, 0), origin: 'remote' } } },
      },
    ],
    [],
  ],
  outcome: { verdict: 'incomplete', status: 3, report: text('{"\u2028":"é"}'), lines: ['l'], fixes: [] },
};

/** Expects a refusal with this code. */
async function refused(file: Uint8Array, code: string, message?: RegExp, limits?: EvidenceLimits): Promise<void> {
  await assert.rejects(readEvidence(file, limits), (error: Error & { code?: string }) => {
    assert.equal(error.name, 'EvidenceError', String(error.stack));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message ?? /./);
    return true;
  });
}

test('what is written is read again, and written as the same bytes', async () => {
  const file = await writeEvidence(SMALL);
  assert.deepEqual(await readEvidence(file), SMALL);
  assert.deepEqual(await writeEvidence(await readEvidence(file)), file);
  // Around the same document, another packer's bytes are as good.
  assert.deepEqual(await readEvidence(pack(unpack(file))), SMALL);
});

test('evidence of any values survives', async () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = new Random(seed);
    const of = <K extends keyof Contract>(type: K): Contract[K] => value(type, random) as Contract[K];
    const exchanged = () => ({ request: of('exchange.request'), response: of('exchange.response') });
    const evidence = {
      job: of('job.job'),
      exchange: random.some(3, () => random.some(3, exchanged)),
      outcome: of('verify.outcome'),
    };
    assert.deepEqual(await readEvidence(await writeEvidence(evidence)), evidence, `seed ${seed}`);
  }
});

test('the document is the one that docs/evidence.md describes', async () => {
  const bare = structuredClone(SMALL);
  bare.job.sumdb = { tag: 'off', val: 'tests' };
  const [source, report] = [digest('a v1.0.0 h1:=\n'), digest('{"\u2028":"é"}')];
  const binary = digest(Uint8Array.of(0xff, 0));
  const contents = [
    `${JSON.stringify(source)}:"a v1.0.0 h1:=\\n"`,
    `${JSON.stringify(report)}:"{\\"\u2028\\":\\"é\\"}"`,
    `${JSON.stringify(binary)}:{"base64":"/wA="}`,
  ].sort();
  const expected =
    '{"schema":"modanchor-evidence/1","job":{"now":{"seconds":"1795800000","nanoseconds":0},' +
    '"tool":{"version":"0.1.0","component":""},' +
    `"task":{"verify":{"files":[{"path":"go.sum","kind":"go-sum","content":"${source}"}],` +
    '"programs":[],"bare-vendors":[]}},' +
    '"sumdb":{"off":"tests"},"skip":{"patterns":"","set-by":"tests"},' +
    '"fail-on":"medium","allow-incomplete":false,"ignores":[],' +
    '"bytes":{"module-cache":"off","zips":"cache","vendor":"off"},"tuf":{"all":[],"map":[],"required":false},' +
    '"sigstore":{"roots":[],"places":[],"private":"","rekor":false},"policy":null},' +
    '"exchange":[[{"request":{"recall":{"database":"d","item":"latest","max-bytes":9}},' +
    '"response":{"error":"absent"}},' +
    '{"request":{"sumdb":{"database":"d","path":"latest","max-bytes":9,"source":"any"}},' +
    `"response":{"ok":{"body":{"content":"${binary}","origin":"remote"}}}}],[]],` +
    `"outcome":{"verdict":"incomplete","status":3,"report":"${report}","lines":["l"],"fixes":[]},` +
    `"contents":{${contents.join()}}}`;
  const file = await writeEvidence(bare);
  assert.equal(unpack(file), expected);
  assert.deepEqual([...file.subarray(0, 16)], [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 36, 0, 0x4d, 0x41, 32, 0]);
});

test('every changed byte is seen', async () => {
  const file = await writeEvidence(SMALL);
  for (let at = 0; at < file.length; at++) {
    for (const bits of [0x01, 0x80, 0xff]) {
      const other = file.slice();
      other[at] = (other[at] as number) ^ bits;
      await refused(other, at < 16 ? 'not-evidence' : 'changed');
    }
  }
});

test('every truncation is seen, and whatever follows', async () => {
  const file = await writeEvidence(SMALL);
  for (let length = 0; length < file.length; length++) {
    await refused(file.subarray(0, length), length < 16 ? 'not-evidence' : 'changed');
  }
  await refused(Buffer.concat([file, Uint8Array.of(0)]), 'changed');
  await refused(Buffer.concat([file, file]), 'changed');
});

test('a file whose digest is right is one gzip member and nothing else', async () => {
  const body = member(unpack(await writeEvidence(SMALL)));
  assert.deepEqual(await readEvidence(seal(body)), SMALL);
  const [deflated, trailer] = [body.subarray(0, -8), body.subarray(-8)];
  const zero = Uint8Array.of(0);
  const cases: [string, Uint8Array[]][] = [
    ['a byte after it', [body, zero]],
    ['bytes after it that look like its end', [body, trailer]],
    ['a second, empty member', [body, gzipSync('')]],
    ['a second member', [body, gzipSync(' ')]],
    ['a byte between the stream and the trailer', [deflated, zero, trailer]],
    ['a stream without its last byte', [deflated.subarray(0, -1), trailer]],
    ['no trailer', [deflated]],
    ['half of the trailer', [deflated, trailer.subarray(0, 4)]],
    ['another checksum', [deflated, zero, zero, zero, zero, trailer.subarray(4)]],
    ['another length', [deflated, trailer.subarray(0, 4), zero, zero, zero, zero]],
    ['no deflate stream', [new Uint8Array(64).fill(0xff)]],
    ['nothing', [new Uint8Array(8)]],
  ];
  for (const [name, pieces] of cases) {
    await refused(seal(Buffer.concat(pieces)), 'malformed', /gzip member/).catch((error: Error) => {
      throw new Error(`${name}: ${error.message}`);
    });
  }
});

/** The document of {@link SMALL}, with one thing replaced. */
async function edited(from: string | RegExp, to: string): Promise<string> {
  const document = unpack(await writeEvidence(SMALL));
  const other = document.replace(from, () => to);
  assert.notEqual(other, document, `${from} is in the document`);
  return other;
}

test('a document that is not canonical is refused', async () => {
  const gosum = digest('a v1.0.0 h1:=\n');
  const zero = digest('');
  const cases: [string, string | RegExp, string, string?][] = [
    ['a space', '"job":', '"job": '],
    ['a line feed at the end', /\}$/, '}\n'],
    [
      'keys in another order',
      '"seconds":"1795800000","nanoseconds":0',
      '"nanoseconds":0,"seconds":"1795800000"',
      'malformed',
    ],
    ['a key twice, the same', '"nanoseconds":0', '"nanoseconds":0,"nanoseconds":0'],
    ['a key twice, another first', '"nanoseconds":0', '"nanoseconds":1,"nanoseconds":0'],
    ['__proto__ twice over', '"nanoseconds":0', '"nanoseconds":0,"__proto__":1', 'malformed'],
    ['an unknown key', '"nanoseconds":0', '"nanoseconds":0,"more":0', 'malformed'],
    ['an unknown key at the top', '"contents":', '"more":0,"contents":', 'malformed'],
    ['a key less at the top', /,"contents":[^]*/, '}', 'malformed'],
    ['a key less in an exchange', ',"response":{"error":"absent"}', '', 'malformed'],
    ['a number written otherwise', '"nanoseconds":0', '"nanoseconds":0.0'],
    ['a number with an exponent', '"max-bytes":9', '"max-bytes":9e0'],
    ['a u64 as a number', '"seconds":"1795800000"', '"seconds":1795800000', 'malformed'],
    ['a u64 with a zero before it', '"seconds":"1795800000"', '"seconds":"01795800000"', 'malformed'],
    ['text escaped for nothing', '"set-by":"tests"', '"set-by":"\\u0074ests"'],
    ['a slash escaped', '"path":"go.sum"', '"path":"go.sum\\/"'],
    ['half of a surrogate pair', '"set-by":"tests"', '"set-by":"\\ud800"', 'malformed'],
    ['half of a surrogate pair in contents', '"a v1.0.0 h1:=\\n"', '"\\ud800"', 'malformed'],
    ['content that is not its digest', '"a v1.0.0 h1:=\\n"', '"a v1.0.1 h1:=\\n"', 'malformed'],
    ['content under no digest', '"contents":{', '"contents":{"a":"",', 'malformed'],
    ['content under __proto__', '"contents":{', '"contents":{"__proto__":"",', 'malformed'],
    ['content under a digest in capitals', `"${gosum}":`, `"${gosum.toUpperCase()}":`, 'malformed'],
    ['content that nothing refers to', /\}\}$/, `,"${zero}":""}}`],
    ['content twice', '"contents":{', `"contents":{"${gosum}":"a v1.0.0 h1:=\\n",`],
    ['content that is no text or base64', '"a v1.0.0 h1:=\\n"', '["a v1.0.0 h1:=\\n"]', 'malformed'],
    ['base64 of what is UTF-8', '"a v1.0.0 h1:=\\n"', '{"base64":"YSB2MS4wLjAgaDE6PQo="}', 'malformed'],
    ['base64 with more in it', '{"base64":"/wA="}', '{"base64":"/wA=","more":0}'],
    ['base64 without padding', '"/wA="', '"/wA"', 'malformed'],
    ['base64 with bits to spare', '"/wA="', '"/wB="', 'malformed'],
    ['base64 with a space', '"/wA="', '"/w A="', 'malformed'],
    ['base64 of another alphabet', '"/wA="', '"_wA="', 'malformed'],
    ['a reference to nothing', `"content":"${gosum}"`, `"content":"${zero}"`, 'malformed'],
    ['a round that is no list', ',[]],"outcome"', ',{}],"outcome"', 'malformed'],
    ['an exchange that is no list', /"exchange":[^]*,"outcome"/, '"exchange":{},"outcome"', 'malformed'],
    ['contents that are a list', /"contents":[^]*/, '"contents":[]}', 'malformed'],
    ['a mark of the byte order', /^/, '\ufeff', 'malformed'],
    ['half of it', /.{9}$/, '', 'malformed'],
    ['nothing', /[^]*/, '', 'malformed'],
    ['null', /[^]*/, 'null', 'malformed'],
    ['a list', /[^]*/, '[]', 'malformed'],
    ['lists without end', /[^]*/, '['.repeat(1_000_000), 'malformed'],
    ['another version', 'modanchor-evidence/1', 'modanchor-evidence/2', 'other-schema'],
  ];
  for (const [name, from, to, code] of cases) {
    const document = await edited(from, to);
    await refused(pack(document), code ?? 'not-canonical').catch((error: Error) => {
      throw new Error(`${name}: ${error.message}`);
    });
  }
});

test('contents that are not sorted are refused', async () => {
  const document = unpack(await writeEvidence(SMALL));
  const [, listed] = /"contents":\{([^]*)\}\}$/.exec(document) as unknown as [string, string];
  const entries = listed.split(/,(?="sha256)/);
  assert.equal(entries.length, 3);
  await refused(pack(document.replace(listed, () => entries.reverse().join())), 'not-canonical');
});

test('a document that is not UTF-8 is refused', async () => {
  const document = Buffer.from(await edited('"set-by":"tests"', '"set-by":"\u00ff"'), 'latin1');
  await refused(pack(document), 'malformed', /UTF-8/);
});

test('what a file says is not repeated raw', async () => {
  const schema = '\\u001b[2J\\u202e<b>'.padEnd(200, 'x');
  const document = await edited('modanchor-evidence/1', schema);
  await refused(pack(document), 'other-schema', /^this is "\\u001b\[2J\\u202e<b>x{10,80}"…, and/);
  await refused(pack(await edited('"contents":{', '"contents":{"\\u0007":"",')), 'malformed', /"\\u0007"/);
});

/** How many bytes the values of `SMALL` refer to, counted each time that they do. */
const REFERRED = [...JSON.stringify(SMALL, sizes).matchAll(/"bytes:([0-9]+)"/g)].reduce((sum, [, n]) => sum + Number(n), 0);

function sizes(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes:${value.length}`;
  return typeof value === 'bigint' ? String(value) : value;
}

test('limits hold, one past each', async () => {
  const file = pack(unpack(await writeEvidence(SMALL)));
  const document = Buffer.byteLength(unpack(file));
  const commas = unpack(file).toString().split(',').length - 1;
  const exact = { file: file.length, document, commas, referred: REFERRED, rounds: 2 };
  assert.deepEqual(await readEvidence(file, exact), SMALL);
  await refused(file, 'too-large', /at most/, { ...exact, file: file.length - 1 });
  await refused(file, 'too-large', /unpacked/, { ...exact, document: document - 1 });
  await refused(file, 'too-large', /commas/, { ...exact, commas: commas - 1 });
  await refused(file, 'too-large', /refers to more than/, { ...exact, referred: REFERRED - 1 });
  await refused(file, 'too-large', /more than 1 times/, { ...exact, rounds: 1 });

  const written = await writeEvidence(SMALL);
  const fits = { file: written.length, document, commas, referred: REFERRED, rounds: 2 };
  assert.deepEqual(await writeEvidence(SMALL, fits), written);
  for (const limit of ['file', 'document', 'commas', 'referred', 'rounds'] as const) {
    const less = { ...fits, [limit]: fits[limit] - 1 };
    await assert.rejects(writeEvidence(SMALL, less), { name: 'EvidenceError', code: 'too-large' });
  }
});

test('the limits are those of docs/evidence.md', async () => {
  assert.deepEqual(EVIDENCE_LIMITS, {
    file: 64 * 2 ** 20,
    document: 256 * 2 ** 20,
    commas: 4 * 2 ** 20,
    referred: 256 * 2 ** 20,
    rounds: 10_000,
  });
});

test('a bomb is not unpacked to its end', async () => {
  const bomb = pack(Buffer.alloc(64 * 2 ** 20, ' '));
  assert.ok(bomb.length < 100_000);
  await refused(bomb, 'too-large', /unpacked/, { ...EVIDENCE_LIMITS, document: 2 ** 20 });
});

test('what is no value of the contract is not written', async () => {
  const wrong = structuredClone(SMALL);
  wrong.outcome.lines = ['\ud800'];
  await assert.rejects(writeEvidence(wrong), { name: 'ContractError', path: 'verify.outcome.lines[0]' });
});
