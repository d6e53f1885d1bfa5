/** The codec: each value has one JSON, each JSON at most one value, and what is neither is refused. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fromBase64, toBase64 } from '../verifier/bytes.js';
import {
  check,
  ContractError,
  decode,
  encode,
  form,
  jsName,
  TYPES,
  type Contract,
  type Json,
} from '../verifier/codec.js';
import { Random, value } from './random.js';

const VALUES_OF_EACH_TYPE = 60;

/** Bytes as base64, in the one form that it has. */
const read = (text: string): Uint8Array | undefined => {
  const bytes = fromBase64(text);
  return bytes !== undefined && toBase64(bytes) === text ? bytes : undefined;
};

test('values of every type survive the way to JSON and back', () => {
  for (const type of TYPES) {
    for (let seed = 0; seed < VALUES_OF_EACH_TYPE; seed++) {
      const before = value(type, new Random(seed));
      const text = JSON.stringify(encode(type, before, toBase64));
      const after = decode(type, JSON.parse(text) as Json, read);
      assert.deepEqual(after, before, `${type}, seed ${seed}`);
      assert.equal(JSON.stringify(encode(type, after, toBase64)), text, `${type}, seed ${seed}`);
    }
  }
});

/** JSON with one thing in it changed. */
function changed(json: Json, random: Random): Json {
  const other: Json[] = [
    null,
    true,
    0,
    -1,
    1.5,
    2 ** 32,
    '',
    '0',
    '00',
    '-0',
    'latest',
    '\ud800',
    [],
    {},
    [null],
    ['zip', 'zip'],
  ];
  if (typeof json !== 'object' || json === null || random.below(4) === 0) {
    return random.one(other);
  }
  if (Array.isArray(json)) {
    const i = random.below(json.length + 1);
    const item = json[i];
    if (item === undefined || random.below(4) === 0) {
      return random.one([[...json, random.one(other)], [...json].reverse(), json.slice(1)]);
    }
    return json.with(i, changed(item, random));
  }
  const entries = Object.entries(json);
  const entry = random.one(entries);
  switch (entry === undefined ? 0 : random.below(5)) {
    case 0:
      return JSON.parse(`{${['"__proto__":{}', JSON.stringify(json).slice(1, -1)].filter(Boolean).join()}}`) as Json;
    case 1:
      return Object.fromEntries(entries.reverse());
    case 2:
      return Object.fromEntries(entries.slice(1));
    default:
      return Object.fromEntries(entries.map(([k, v]) => [k, k === entry[0] ? changed(v, random) : v]));
  }
}

test('JSON that is changed is refused, or is exactly that of another value', () => {
  let refused = 0;
  let taken = 0;
  for (const type of TYPES) {
    for (let seed = 0; seed < VALUES_OF_EACH_TYPE; seed++) {
      const random = new Random(seed);
      const json = changed(encode(type, value(type, random), toBase64), random);
      let after;
      try {
        after = decode(type, json, read);
      } catch (error) {
        assert.ok(error instanceof ContractError, String(error));
        refused += 1;
        continue;
      }
      assert.equal(JSON.stringify(encode(type, after, toBase64)), JSON.stringify(json), `${type}, seed ${seed}`);
      taken += 1;
    }
  }
  assert.ok(refused > 1000 && taken > 100, `${refused} refused, ${taken} taken`);
  assert.equal(({} as Record<string, unknown>)['zip'], undefined);
});

test('each form of the specification', () => {
  const cases: [string, unknown, string][] = [
    [
      'types.instant',
      { seconds: 2n ** 64n - 1n, nanoseconds: 7 },
      '{"seconds":"18446744073709551615","nanoseconds":7}',
    ],
    [
      'exchange.recall',
      { database: 'd', item: { tag: 'latest' }, maxBytes: 9 },
      '{"database":"d","item":"latest","max-bytes":9}',
    ],
    ['exchange.item', { tag: 'link', val: [1n, 2n] }, '{"link":["1","2"]}'],
    ['exchange.holding', { zipHash: true, zip: true, dir: false }, '["zip","zip-hash"]'],
    ['exchange.advance', { database: '', next: new Uint8Array([1]) }, '{"database":"","previous":null,"next":"AQ=="}'],
    ['exchange.response', { tag: 'err', val: 'absent' }, '{"error":"absent"}'],
    [
      'exchange.response',
      { tag: 'ok', val: { tag: 'body', val: { content: new Uint8Array(), origin: 'remote' } } },
      '{"ok":{"body":{"content":"","origin":"remote"}}}',
    ],
    ['verify.refusal', { tag: 'nothing-to-do' }, '"nothing-to-do"'],
  ];
  for (const [type, value, text] of cases) {
    assert.equal(JSON.stringify(encode(type, value, toBase64)), text);
  }
});

test('values that are not of the type are refused, and the message says where', () => {
  const cases: [string, unknown, string][] = [
    [
      'types.instant',
      { seconds: 1, nanoseconds: 0 },
      'types.instant.seconds is not a bigint from 0 to 18446744073709551615',
    ],
    [
      'types.instant',
      { seconds: -1n, nanoseconds: 0 },
      'types.instant.seconds is not a bigint from 0 to 18446744073709551615',
    ],
    [
      'types.instant',
      { seconds: 2n ** 64n, nanoseconds: 0 },
      'types.instant.seconds is not a bigint from 0 to 18446744073709551615',
    ],
    [
      'types.instant',
      { seconds: 0n, nanoseconds: 2 ** 32 },
      'types.instant.nanoseconds is not an integer from 0 to 4294967295',
    ],
    [
      'types.instant',
      { seconds: 0n, nanoseconds: 0.5 },
      'types.instant.nanoseconds is not an integer from 0 to 4294967295',
    ],
    [
      'types.instant',
      { seconds: 0n, nanoseconds: -0 },
      'types.instant.nanoseconds is not an integer from 0 to 4294967295',
    ],
    [
      'types.instant',
      { seconds: 0n, nanoseconds: NaN },
      'types.instant.nanoseconds is not an integer from 0 to 4294967295',
    ],
    [
      'types.instant',
      { seconds: 0n, nanoseconds: '0' },
      'types.instant.nanoseconds is not an integer from 0 to 4294967295',
    ],
    ['types.instant', { seconds: 0n }, 'types.instant.nanoseconds is not an integer from 0 to 4294967295'],
    [
      'types.instant',
      { seconds: 0n, nanoseconds: 0, nano: 0 },
      'types.instant has a field that is not one of seconds, nanoseconds',
    ],
    ['types.instant', null, 'types.instant is not an object'],
    ['types.instant', [], 'types.instant is not an object'],
    [
      'types.module-version',
      { path: 'a\ud800', version: '' },
      'types.module-version.path has half of a surrogate pair, which is no Unicode',
    ],
    ['types.module-version', { path: 1, version: '' }, 'types.module-version.path is not a string'],
    ['exchange.body', { content: [1], origin: 'remote' }, 'exchange.body.content is not a Uint8Array'],
    ['exchange.body', { content: new Uint16Array(1), origin: 'remote' }, 'exchange.body.content is not a Uint8Array'],
    [
      'exchange.body',
      { content: new Uint8Array(), origin: 'toString' },
      'exchange.body.origin is not one of store, go-cache, remote',
    ],
    [
      'exchange.advance',
      { database: '', previous: null, next: new Uint8Array() },
      'exchange.advance.previous is null: leave it out',
    ],
    ['exchange.holding', { zip: 1 }, 'exchange.holding.zip is not a boolean'],
    ['exchange.item', { tag: 'latest', val: 1 }, 'exchange.item has a value, and latest has none'],
    ['exchange.item', { tag: 'link', val: [1n] }, 'exchange.item.link does not have 2 items'],
    ['exchange.item', { tag: 'proof' }, 'exchange.item.proof is not a string'],
    [
      'exchange.item',
      { tag: 'constructor' },
      'exchange.item has a tag that is not one of latest, go-latest, proof, links, link, edge, first-seen',
    ],
    ['exchange.response', { tag: 'error', val: 'absent' }, 'exchange.response has a tag that is not one of ok, err'],
    ['job.checkout', { files: [{}, 1], programs: [], bareVendors: [] }, 'job.checkout.files[0].path is not a string'],
    ['job.checkout', { files: {}, programs: [], bareVendors: [] }, 'job.checkout.files is not a list'],
    // Of a prototype, and so not the value's own.
    [
      'types.instant',
      Object.create({ seconds: 0n, nanoseconds: 0 }),
      'types.instant.seconds is not a bigint from 0 to 18446744073709551615',
    ],
    [
      'types.instant',
      JSON.parse('{"__proto__":{}}'),
      'types.instant has a field that is not one of seconds, nanoseconds',
    ],
  ];
  for (const [type, value, message] of cases) {
    assert.throws(() => encode(type, value, toBase64), { name: 'ContractError', message });
    assert.throws(() => check(type as keyof Contract, value), { name: 'ContractError', message });
  }
});

test('JSON that is of no value is refused', () => {
  const cases: [string, string, string][] = [
    ['types.instant', '{"seconds":"01","nanoseconds":0}', '.seconds is not the digits'],
    ['types.instant', '{"seconds":"+1","nanoseconds":0}', '.seconds is not the digits'],
    ['types.instant', '{"seconds":"18446744073709551616","nanoseconds":0}', '.seconds is not the digits'],
    ['types.instant', '{"seconds":"100000000000000000000","nanoseconds":0}', '.seconds is not the digits'],
    ['types.instant', '{"seconds":"1\\n","nanoseconds":0}', '.seconds is not the digits'],
    ['types.instant', '{"seconds":1,"nanoseconds":0}', '.seconds is not a string'],
    ['types.instant', '{"seconds":"1","nanoseconds":-0}', '.nanoseconds is not an integer'],
    ['types.instant', '{"seconds":"1","nanoseconds":4294967296}', '.nanoseconds is not an integer'],
    ['types.instant', '{"seconds":"1","nanoseconds":null}', '.nanoseconds is not an integer'],
    [
      'types.instant',
      '{"nanoseconds":0,"seconds":"1"}',
      ' does not have the fields seconds, nanoseconds, in this order',
    ],
    ['types.instant', '{"seconds":"1"}', ' does not have the fields'],
    ['types.instant', '{"seconds":"1","nanoseconds":0,"__proto__":{}}', ' does not have the fields'],
    ['types.instant', '{"seconds":"1","__proto__":{"nanoseconds":0}}', ' does not have the fields'],
    ['types.instant', '["1",0]', ' is not an object'],
    ['types.module-version', '{"path":"\\ud800","version":""}', '.path has half of a surrogate pair'],
    ['exchange.holding', '["dir","zip"]', ' is not a list of some of zip, dir'],
    ['exchange.holding', '["zip","zip"]', ' is not a list of some of zip, dir'],
    ['exchange.holding', '["gone"]', ' is not a list of some of zip, dir'],
    ['exchange.item', '{"latest":null}', ' is not one of latest'],
    ['exchange.item', '"proof"', ' is not one of latest'],
    ['exchange.item', '"toString"', ' is not one of latest'],
    ['exchange.item', '{"__proto__":null}', ' is not one of latest'],
    ['exchange.item', '{"proof":"a","link":["1","2"]}', ' is not an object with one field'],
    ['exchange.item', '{}', ' is not an object with one field'],
    ['exchange.response', '{"err":"absent"}', ' is neither ok nor error'],
    ['exchange.body', '{"content":"*","origin":"remote"}', '.content refers to bytes that are not there'],
    ['exchange.body', '{"content":"","origin":"elsewhere"}', '.origin is not one of'],
  ];
  for (const [type, text, message] of cases) {
    assert.throws(
      () => decode(type, JSON.parse(text) as Json, read),
      (error) => error instanceof ContractError && error.message.startsWith(`${type}${message}`),
      text,
    );
  }
});

test('the names in JavaScript are those that jco writes', () => {
  const folder = join(process.env['REPOSITORY'] as string, 'playground/verifier/generated/interfaces');
  let fields = 0;
  for (const type of TYPES) {
    const of = form(type);
    const names = of.is === 'record' ? of.fields : of.is === 'flags' ? of.flags : [];
    const [owner, name] = type.split('.') as [string, string];
    const declared = readFileSync(join(folder, `modanchor-verifier-${owner}.d.ts`), 'utf8');
    const upper = jsName(`-${name}`);
    for (const { js } of names) {
      const [, body] = declared.split(`export interface ${upper} {\n`);
      assert.match(body?.split('\n}')[0] ?? '', new RegExp(`^  '?${js}'?\\??: `, 'm'), `${type}, ${js}`);
      fields += 1;
    }
  }
  assert.ok(fields > 100, `${fields}`);
});
