/** Bytes and texts, beside Node's own. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { fromBase64, fromUtf8, quote, sameBytes, sha256, toBase64, toUtf8 } from '../verifier/bytes.js';
import { Random } from './random.js';

test('base64 is that of others, and comes back', () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = new Random(seed);
    const bytes = Uint8Array.from({ length: seed }, () => random.below(256));
    const text = toBase64(bytes);
    assert.equal(text, Buffer.from(bytes).toString('base64'));
    assert.deepEqual(fromBase64(text), bytes);
  }
});

test('what is no base64 is none', () => {
  for (const text of [
    'A',
    'AA',
    'AAA',
    'AAA\n',
    'AA==AA',
    'A===',
    '====',
    '=AAA',
    'AA=A',
    'AA-_',
    'AAé',
    ' AAAA',
    'AAAA\0\0\0\0',
    'AA==AAAA',
    'AB==',
    'AAB=',
    'AP==',
    'AAAA/w==AAAA',
  ]) {
    assert.equal(fromBase64(text), undefined, text);
  }
});

test('text that is not UTF-8 is none, and a U+FEFF is text', () => {
  for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]) {
    assert.equal(fromUtf8(Uint8Array.from(bytes)), undefined, `${bytes}`);
  }
  assert.equal(fromUtf8(toUtf8('\ufeffa\0€𐍈')), '\ufeffa\0€𐍈');
});

test('digests and comparison', async () => {
  assert.equal(await sha256(toUtf8('abc')), `sha256:${createHash('sha256').update('abc').digest('hex')}`);
  assert.ok(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)));
  assert.ok(!sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3)) && !sameBytes(Uint8Array.of(1), Uint8Array.of(1, 2)));
});

test('quoted text is short, visible and in quotes', () => {
  assert.equal(quote('a"\\\n\x7f\u202eé\ud800'), '"a\\"\\\\\\n\\u007f\\u202e\\u00e9\\ud800"');
  assert.equal(quote('x'.repeat(80)), `"${'x'.repeat(80)}"`);
  assert.equal(quote('x'.repeat(81)), `"${'x'.repeat(80)}"…`);
});
