/**
 * The page's parts that need no browser: what files are, what does not show, the way from a record to the root, links.
 */

import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { concat, equal, sha256 } from '../../page/bytes.js';
import { GO_SUMDB_KEY } from '../../page/jobs.js';
import { Lookups, Places } from '../../page/lookups.js';
import { Memory } from '../../page/memory.js';
import { climb, headOf, readHead, readProof, verifyHead, type Proof } from '../../page/merkle.js';
import { planOf, readDoc } from '../../page/plan.js';
import { MAX_TEXT, recognise } from '../../page/recognise.js';
import { escaped } from '../../page/report.js';
import { ROOTS_OF } from '../../page/roots.js';
import { fromFragment, isShared, MAX_FRAGMENT, toFragment } from '../../page/share.js';
import { hasHidden, isUnsafe, pieces, UNSAFE, visibleText } from '../../page/visible.js';
import { FIXTURES, REPOSITORY } from './chromium.js';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const fixture = (path: string): Uint8Array => new Uint8Array(readFileSync(join(FIXTURES, path)));
const source = (path: string): string => readFileSync(join(REPOSITORY, path), 'utf8');

test('files are recognised by what is in them', () => {
  const sum = source('tests/fixtures/hello/go.sum');
  const table: [string, string | Uint8Array, string, string][] = [
    ['go.sum', sum, 'go.sum', 'a go.sum'],
    ['notes.txt', sum, 'go.sum', 'a go.sum'],
    ['go.work.sum', sum, 'go.work.sum', 'a go.work.sum'],
    ['go.sum', sum.replaceAll('\n', '\r\n'), 'go.sum', 'a go.sum'],
    ['go.sum', `\uFEFF${sum}`, 'go.sum', 'a go.sum'],
    ['go.sum', `<<<<<<< HEAD\n${sum}`, 'go.sum', 'a go.sum'],
    ['go.sum', 'module example.com/m\n\ngo 1.26\n', 'go.mod', 'a go.mod'],
    ['x', fixture('hello/go.mod'), 'go.mod', 'a go.mod'],
    ['x', 'go 1.26\n\nuse (\n\t./a\n)\n', 'go.work', 'a go.work'],
    ['x', 'go 1.26\n\nuse ./a\n', 'go.work', 'a go.work'],
    ['x', '# example.com/m v1.0.0\n## explicit\nexample.com/m\n', 'other', 'a vendor/modules.txt'],
    ['a.zip', fixture('tuf/flat/example.com/plain/@v/v1.0.0.zip'), 'zip', 'a module zip'],
    ['a.zip', fixture('sigstore-public/pypi/artifact.whl'), 'other', 'a zip that is no module zip'],
    ['x', fixture('sigstore-public/pypi/bundle.sigstore.json'), 'bundle', 'a Sigstore bundle'],
    ['x', fixture('tuf/flat/tuf/1.root.json'), 'tuf-root', 'TUF root metadata, version 1'],
    ['x', fixture('tuf/flat/tuf/timestamp.json'), 'tuf-metadata', 'TUF timestamp metadata, version 1'],
    ['x', fixture('sigstore-public/staging_root.json'), 'trusted-root', 'a trusted root of Sigstore'],
    ['x', fixture('sigstore/key.pub'), 'public-key', 'a public key (PEM)'],
    // With a pattern for comments this took minutes.
    ['x', `${'//'.repeat(120_000)}\u2028x`, 'other', 'text of a kind that this page does not know'],
    ['go.mod', 'module example.com/m // why\r\n\r\ngo 1.26\r\n', 'go.mod', 'a go.mod'],
    ['x', '', 'other', 'an empty file'],
    ['go.sum', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0xd, 0xa, 0x1a, 0xa), 'other', 'an image (PNG)'],
    ['go.sum', '%PDF-1.7\n', 'other', 'a PDF'],
    ['x', '\x7fELF\x02', 'other', 'a program (ELF)'],
    [
      'x',
      Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3),
      'other',
      'data compressed by gzip that is no evidence file',
    ],
    ['x', Uint8Array.of(0, 1, 2, 0xff), 'other', 'binary data of a kind that this page does not know'],
    ['x', '{"schema":"modanchor-report/1"}', 'other', 'a report'],
    ['x', '{"schema":"modanchor-evidence/1"}', 'other', 'an evidence file that was unpacked'],
    ['x', '{"version":"2.1.0","runs":[]}', 'other', 'a SARIF log'],
    ['x', '{"lockfileVersion":3}', 'other', 'an npm lockfile'],
    ['x', '{"a":', 'other', 'broken JSON'],
    ['x', '-----BEGIN PRIVATE KEY-----\n', 'other', 'a private key'],
    ['x', '<!DOCTYPE html><title>', 'other', 'a web page, or XML'],
    ['x', 'package main\n\nimport "fmt"\n\nfunc main() {}\n', 'other', 'Go source code'],
    ['x', '[[package]]\nname = "a"\n', 'other', 'a lockfile in TOML (Cargo.lock, poetry.lock)'],
    ['x', source('docs/evidence.md'), 'other', 'text of a kind that this page does not know'],
  ];
  for (const [name, content, kind, what] of table) {
    const is = recognise(name, typeof content === 'string' ? utf8(content) : content, true);
    assert.deepEqual([is.kind, is.what], [kind, what], `${name}: ${what}`);
    assert.equal(is.kind === 'other', is.advice !== undefined, `advice for ${what}`);
  }
  const { module } = recognise('v1.0.0.zip', fixture('tuf/flat/example.com/plain/@v/v1.0.0.zip'), true);
  assert.deepEqual(module, { path: 'example.com/plain', version: 'v1.0.0' });
  // The head of a long file may end inside a character.
  assert.equal(recognise('go.sum', utf8(`${sum}é`).slice(0, -1), false).kind, 'go.sum');
});

test('what is too large for the page is named, and not read', async () => {
  const head = Uint8Array.of(0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 36, 0, 0x4d, 0x41, 32, 0);
  const large = async (name: string, start: Uint8Array, size: number): Promise<string[]> => {
    const doc = await readDoc(new File([start as BlobPart, new Uint8Array(size - start.length)], name));
    return [doc.is.kind, doc.is.what, doc.bytes === undefined ? 'not read' : 'read'];
  };
  const sum = utf8(source('tests/fixtures/hello/go.sum').repeat(60));
  assert.deepEqual(await large('a', head, (64 << 20) + 1), [
    'other',
    'an evidence file, too large for the page',
    'not read',
  ]);
  assert.deepEqual(await large('a', head, 64 << 20), ['evidence', 'an evidence file', 'read']);
  assert.deepEqual(await large('a', sum, MAX_TEXT + 1), ['other', 'a go.sum, too large for the page', 'not read']);
  const zip = fixture('tuf/flat/example.com/plain/@v/v1.0.0.zip');
  assert.deepEqual(await large('a', zip, 100 << 20), ['zip', 'a module zip', 'not read']);
});

test('of several kinds of files, one decides what is done', async () => {
  const doc = (name: string, content: string | Uint8Array): ReturnType<typeof readDoc> =>
    readDoc(new File([content as BlobPart], name));
  const sum = await doc('go.sum', source('tests/fixtures/hello/go.sum'));
  const mod = await doc('go.mod', fixture('hello/go.mod'));
  const zip = await doc('v1.0.0.zip', fixture('tuf/flat/example.com/plain/@v/v1.0.0.zip'));
  const bundle = await doc('b.json', fixture('sigstore-public/pypi/bundle.sigstore.json'));
  const root = await doc('root.json', fixture('tuf/flat/tuf/1.root.json'));
  const evidence = await doc('e', Uint8Array.of(0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 36, 0, 0x4d, 0x41, 32, 0));
  const picture = await doc('a.pdf', '%PDF-1.7');
  const table: [Parameters<typeof planOf>[0], string][] = [
    [[], 'nothing'],
    [[picture], 'nothing'],
    [[zip], 'zip'],
    [[sum], 'checkout'],
    [[zip, mod, sum], 'checkout'],
    [[sum, root], 'tuf'],
    [[sum, bundle, root], 'blob'],
    [[sum, bundle, evidence], 'evidence'],
  ];
  for (const [docs, tag] of table) assert.equal(planOf(docs).tag, tag, docs.map(({ name }) => name).join());
  const checkout = planOf([zip, mod, sum]);
  assert.ok(checkout.tag === 'checkout');
  assert.deepEqual([checkout.files.map(({ path }) => path), checkout.zips.length], [['go.sum', 'go.mod'], 1]);
  // Whatever else is dropped beside a bundle is what it signs, be it a zip.
  const blob = planOf([zip, bundle]);
  assert.ok(blob.tag === 'blob' && blob.artifact === zip);
  const tuf = planOf([root]);
  assert.ok(tuf.tag === 'tuf');
  assert.deepEqual([...tuf.metadata.keys()], ['root.json', '1.root.json']);
});

test('the page remembers heads as the program does: compare, then swap', () => {
  const memory = new Memory();
  const [one, two, three] = [utf8('1'), utf8('2'), utf8('3')];
  assert.equal(memory.recall('db', { tag: 'latest' }), undefined);
  assert.deepEqual(memory.advance('db', undefined, one), one);
  assert.deepEqual(memory.advance('db', undefined, two), one, 'somebody else was first');
  assert.deepEqual(memory.advance('db', two, three), one, 'it is another one');
  assert.deepEqual(memory.advance('db', utf8('1'), two), two);
  assert.deepEqual(memory.recall('db', { tag: 'latest' }), two);
  assert.equal(memory.recall('other', { tag: 'latest' }), undefined);
  memory.keep([
    { tag: 'item', val: { database: 'db', item: { tag: 'link', val: [1n, 2n] }, content: one } },
    { tag: 'item', val: { database: 'db', item: { tag: 'link', val: [2n, 3n] }, content: two } },
    { tag: 'item', val: { database: 'db', item: { tag: 'proof', val: 'a@v1' }, content: three } },
  ]);
  assert.deepEqual(memory.recall('db', { tag: 'links' }), utf8('12'));
  assert.deepEqual(memory.recall('db', { tag: 'proof', val: 'a@v1' }), three);
  assert.equal(memory.recall('db', { tag: 'proof', val: 'a@v2' }), undefined);
});

test('look-ups stay in their place, and every failure is an answer', async (t) => {
  const sent: string[] = [];
  const answers: Record<string, () => Response> = {
    'lookup/a@v1': () => new Response('x'.repeat(10)),
    'lookup/large@v1': () => new Response('x'.repeat(11)),
    'lookup/none@v1': () => new Response('', { status: 404 }),
    'lookup/gone@v1': () => new Response('', { status: 410 }),
    'lookup/busy@v1': () => new Response('', { status: 429 }),
    'lookup/down@v1': () => new Response('', { status: 503 }),
    'lookup/mine@v1': () => new Response('', { status: 403 }),
    'lookup/odd@v1': () => new Response('', { status: 418 }),
    'lookup/page@v1': () => new Response('<html>', { headers: { 'Content-Type': 'Text/HTML; charset=utf-8' } }),
    'lookup/cut@v1': () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.error(new Error('cut')),
        }),
      ),
  };
  const base = 'https://here.example/folder/';
  const place = `${base}sumdb/db.example/`;
  t.mock.method(globalThis, 'fetch', async (url: URL, options: RequestInit) => {
    sent.push(url.href);
    assert.deepEqual([options.credentials, options.redirect, options.referrerPolicy], ['omit', 'error', 'no-referrer']);
    if (url.href === `${place}supported`) return new Response('');
    const answer = answers[url.href.slice(place.length)];
    if (!answer) throw new TypeError('no connection');
    return answer();
  });
  const table: [string, string][] = [
    ['lookup/a@v1', 'ok'],
    ['lookup/large@v1', 'too-large'],
    ['lookup/none@v1', 'absent'],
    ['lookup/gone@v1', 'absent'],
    ['lookup/busy@v1', 'rate-limited'],
    ['lookup/down@v1', 'server-error'],
    ['lookup/mine@v1', 'denied'],
    ['lookup/odd@v1', 'unexpected-status'],
    ['lookup/page@v1', 'not-data'],
    ['lookup/cut@v1', 'truncated'],
    ['lookup/away@v1', 'unreachable'],
    ['../../other', 'absent'],
    ['lookup/x@v1?y', 'absent'],
    ['lookup/x@v1#y', 'absent'],
  ];
  const lookups = new Lookups(
    new Places(['https://away.example/', base]),
    () => undefined,
    new AbortController().signal,
  );
  const requests = table.map(([path]) => {
    return { tag: 'sumdb', val: { database: 'db.example', path, maxBytes: 10, source: 'any' } } as const;
  });
  const got = await lookups.answer([...requests, { tag: 'artifact', val: 1 }]);
  assert.deepEqual(
    got.map((response) => (response.tag === 'ok' ? 'ok' : response.val)),
    [...table.map(([, want]) => want), 'offline'],
  );
  assert.ok(sent.every((url) => url.startsWith(place) || url === 'https://away.example/sumdb/db.example/supported'));
  assert.ok(!sent.some((url) => /other|[?#]/.test(url)));
});

test('what does not show is what the core says does not show', () => {
  const rust = source('guest/src/report/visible.rs');
  const listed = rust.slice(rust.indexOf('matches!('), rust.indexOf('#[cfg(test)]'));
  const ranges = [...listed.matchAll(/'\\u\{([0-9a-f]+)\}'(?:\.\.='\\u\{([0-9a-f]+)\}')?/g)];
  const core = ranges.map(([, first = '', last = first]) => [parseInt(first, 16), parseInt(last, 16)]);
  // char::is_control.
  assert.deepEqual(UNSAFE, [[0, 0x1f], [0x7f, 0x9f], ...core]);
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint += 1) {
    const hidden = isUnsafe(codePoint) || (codePoint >= 0xd800 && codePoint <= 0xdfff);
    if (hasHidden(String.fromCodePoint(codePoint)) !== hidden) assert.fail(`U+${codePoint.toString(16)}`);
  }
});

test('what does not show is shown by its number', () => {
  assert.equal(visibleText('a\u202eb\u200b\0\tc'), 'a[U+202E]b[U+200B][U+0000][U+0009]c');
  assert.equal(visibleText('\u{e0041}\ud800'), '[U+E0041][U+D800]');
  assert.equal(visibleText('é 漢 🙂'), 'é 漢 🙂');
  assert.deepEqual(pieces('a\tb\u2066', true), [{ text: 'a\tb' }, { hidden: 0x2066 }]);
});

/** The root over leaves, as RFC 6962, section 2.1 defines it, and the path of one of them. */
async function tree(leaves: readonly Uint8Array[], at: number): Promise<{ root: Uint8Array; path: Uint8Array[] }> {
  const [only] = leaves;
  if (leaves.length === 1 && only) return { root: only, path: [] };
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const left = await tree(leaves.slice(0, split), at);
  const right = await tree(leaves.slice(split), at - split);
  const root = await sha256(Uint8Array.of(1), left.root, right.root);
  return { root, path: at < split ? [...left.path, right.root] : [...right.path, left.root] };
}

test('a way leads to the root, in trees of every size, and only from the right record', async () => {
  for (let size = 1; size <= 21; size += 1) {
    const texts = Array.from({ length: size }, (_, at) => `record ${at}\n`);
    const leaves = await Promise.all(texts.map((text) => sha256(Uint8Array.of(0), utf8(text))));
    for (let at = 0; at < size; at += 1) {
      const { root, path } = await tree(leaves, at);
      const proof: Proof = { id: BigInt(at), size: BigInt(size), root, path, text: texts[at] ?? '' };
      const way = await climb(proof);
      assert.ok(way.holds, `${at} of ${size}`);
      assert.ok(equal(way.top, root));
      // What each node is said to cover is what it covers.
      for (const { siblingRange, sibling, parentRange, parent } of way.climbs) {
        const over = async ({ first, end }: { first: bigint; end: bigint }): Promise<Uint8Array> =>
          (await tree(leaves.slice(Number(first), Number(end)), 0)).root;
        assert.ok(equal(await over(siblingRange), sibling), `sibling in ${at} of ${size}`);
        assert.ok(equal(await over(parentRange), parent), `parent in ${at} of ${size}`);
      }
      const wrong: Proof[] = [
        { ...proof, text: `${proof.text}x` },
        { ...proof, path: [...path, root] },
        { ...proof, root: leaves[0] === root ? utf8('x'.repeat(32)) : (leaves[0] ?? root) },
        { ...proof, id: proof.size },
        ...(path.length > 0
          ? [
              { ...proof, path: path.slice(1) },
              { ...proof, path: path.toReversed().slice(1) },
            ]
          : []),
      ];
      for (const one of wrong) assert.ok(!(await climb(one)).holds, `${at} of ${size}`);
    }
  }
});

test('a kept proof is read as the core writes it, and nothing else is', () => {
  const hash = new Uint8Array(32).fill(7);
  const base64 = Buffer.from(hash).toString('base64');
  const proof = (first: string): Uint8Array => concat([utf8(first), hash, utf8('a v1 h1:x\n')]);
  const head = `modanchor-proof/1\n1 2 ${base64}\n1\n`;
  const read = readProof(proof(head));
  assert.deepEqual([read?.id, read?.size, read?.path.length, read?.text], [1n, 2n, 1, 'a v1 h1:x\n']);
  for (const bad of [
    '',
    'modanchor-proof/2\n1 2 x\n1\n',
    head.replace('1 2', '01 2'),
    head.replace('\n1\n', '\n64\n'),
  ]) {
    assert.equal(readProof(proof(bad)), undefined, bad);
  }
  assert.equal(readProof(utf8(head)), undefined, 'no path');
});

test('a head is signed by the key, or not', async () => {
  const answer = source('tests/fixtures/proxy/sumdb/sum.golang.org/lookup/golang.org/x/text@v0.43.0');
  const note = answer.slice(answer.indexOf('go.sum database tree'));
  const head = readHead(utf8(note));
  assert.ok(head);
  assert.equal(head.size, 69959272n);
  assert.equal(await verifyHead(head, GO_SUMDB_KEY), 'good');
  const other = readHead(utf8(note.replace('69959272', '69959273')));
  assert.ok(other);
  assert.equal(await verifyHead(other, GO_SUMDB_KEY), 'bad');
  assert.equal(await verifyHead(head, GO_SUMDB_KEY.replace('033de0ae', '033de0af')), 'bad');
  const root = new Uint8Array(Buffer.from(head.root, 'base64'));
  const proof: Proof = { id: 0n, size: head.size, root, path: [], text: '' };
  assert.equal(headOf(proof, [other, head]), head);
  assert.equal(headOf({ ...proof, size: 1n }, [other, head]), undefined);
});

test('the page says what the program says', () => {
  const setting = source('guest/src/sumdb/setting.rs');
  assert.ok(setting.includes(`"${GO_SUMDB_KEY}"`));
  assert.ok(source('host/src/cli/signatures.rs').includes(`ROOTS_OF: &str = "${ROOTS_OF}"`));
  assert.equal(escaped('github.com/BurntSushi/toml', 'v1.6.0'), 'github.com/!burnt!sushi/toml@v1.6.0');
});

test('links hold small files, and refuse what is large or damaged', async () => {
  const files = [{ name: 'go.sum', text: source('tests/fixtures/hello/go.sum') }];
  const fragment = await toFragment(files);
  assert.ok(fragment !== undefined && isShared(fragment) && fragment.length < 2_000);
  assert.match(fragment, /^#share1=[\w-]+$/);
  assert.deepEqual(await fromFragment(fragment), files);
  const noise = Buffer.from(crypto.getRandomValues(new Uint8Array(20_000))).toString('base64');
  assert.equal(await toFragment([{ name: 'x', text: noise }]), undefined, 'too long');
  assert.equal(await toFragment([{ name: 'x', text: 'a'.repeat(300_000) }]), undefined, 'too large when unpacked');
  const packed = async (json: string): Promise<string> => {
    const stream = new Blob([json]).stream().pipeThrough(new CompressionStream('deflate-raw'));
    return `#share1=${Buffer.from(await new Response(stream).arrayBuffer()).toString('base64url')}`;
  };
  const table: [string, RegExp][] = [
    [`${fragment}!`, /no base64/],
    [fragment.slice(0, -9), /cut off or changed/],
    ['#share1=', /cut off or changed/],
    [`#share1=${'A'.repeat(MAX_FRAGMENT)}`, /longer than this page/],
    [await packed(JSON.stringify([['x', 'a'.repeat(10_000_000)]])), /more than 256 KiB/],
    [await packed('[]'), /other than files/],
    [await packed('[["a","b","c"]]'), /other than files/],
    [await packed('{"a":1}'), /other than files/],
    [await packed(JSON.stringify(Array(9).fill(['a', 'b']))), /other than files/],
  ];
  for (const [bad, message] of table) await assert.rejects(fromFragment(bad), message, bad.slice(0, 40));
});
