/**
 * What a file is, by what is in it and not by what it is called. A file of the wrong kind is named, and told what it
 * could be used for; it is never handed to the core as something that it is not.
 */

/** What the page can do something with. */
export type Kind =
  | 'go.sum'
  | 'go.work.sum'
  | 'go.mod'
  | 'go.work'
  | 'zip'
  | 'bundle'
  | 'trusted-root'
  | 'tuf-root'
  | 'tuf-metadata'
  | 'public-key'
  | 'evidence'
  | 'other';

/** What a file turned out to be. */
export interface Recognised {
  readonly kind: Kind;
  /** For people: `a go.sum`, `an image (PNG)`, … */
  readonly what: string;
  /** Of a kind that the page has no use for: what to do instead. */
  readonly advice?: string;
  /** Of a module zip: `PATH@VERSION`, as the names in it say. */
  readonly module?: { readonly path: string; readonly version: string };
  /** Of TUF metadata: its role and version. */
  readonly role?: { readonly name: string; readonly version: number };
}

/** How much of a file is looked at: what tells files apart is at the beginning, but JSON is read whole. */
export const HEAD_BYTES = 64 << 10;

/** The most bytes of a text that is read whole. Larger ones are for the program. */
export const MAX_TEXT = 16 << 20;

const other = (what: string, advice: string): Recognised => ({ kind: 'other', what, advice });

const PROGRAM = 'the page judges files; `modanchor verify FILE` judges what a built Go program records';
const WANTED = 'drop a go.sum, a go.mod, a module zip, a Sigstore bundle, TUF metadata or an evidence file';

/** Beginnings of files that people drop by mistake. */
const MAGIC: readonly (readonly [string, string, string])[] = [
  ['89504e470d0a1a0a', 'an image (PNG)', WANTED],
  ['ffd8ff', 'an image (JPEG)', WANTED],
  ['47494638', 'an image (GIF)', WANTED],
  ['25504446', 'a PDF', WANTED],
  ['7f454c46', 'a program (ELF)', PROGRAM],
  ['cffaedfe', 'a program (Mach-O)', PROGRAM],
  ['cefaedfe', 'a program (Mach-O)', PROGRAM],
  ['cafebabe', 'a program (Mach-O, several architectures) or a Java class', PROGRAM],
  ['4d5a', 'a program (PE)', PROGRAM],
  ['0061736d0d000100', 'a WebAssembly component', WANTED],
  ['0061736d', 'a WebAssembly module', WANTED],
  ['28b52ffd', 'data compressed by zstd', 'unpack it first'],
  ['fd377a585a00', 'data compressed by xz', 'unpack it first'],
  ['425a68', 'data compressed by bzip2', 'unpack it first'],
  ['53514c69746520666f726d6174', 'an SQLite database', WANTED],
];

/** Recognises a file: its name, its size, and its bytes, or of a large one the first [`HEAD_BYTES`]. */
export function recognise(name: string, bytes: Uint8Array, whole: boolean): Recognised {
  if (bytes.length === 0) return other('an empty file', WANTED);
  const hex = [...bytes.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  if (hex.startsWith('1f8b')) return gzip(bytes);
  if (hex.startsWith('504b0304')) return zip(bytes);
  if (hex.startsWith('504b0506')) return other('an empty zip', 'a module zip has at least one file');
  for (const [magic, what, advice] of MAGIC) {
    if (hex.startsWith(magic)) return other(what, advice);
  }
  if (isTar(bytes)) return other('a tar archive', 'Go modules travel as zips: drop VERSION.zip of the module cache');
  const text = utf8(bytes, whole);
  if (text === undefined) return other('binary data of a kind that this page does not know', WANTED);
  const start = text.replace(/^\uFEFF/, '').trimStart();
  if (/^[{[](?!\[[a-z])/.test(start)) {
    return whole ? json(start) : other('JSON of more than 16 MiB', 'the program takes larger files');
  }
  return lines(name, start);
}

/** The subfield `MA` of gzip's extra field, as docs/evidence.md has it. */
const EVIDENCE_HEAD = [0x1f, 0x8b, 0x08, 0x04, 0, 0, 0, 0, 0, 0xff, 0x24, 0, 0x4d, 0x41, 0x20, 0];

function gzip(bytes: Uint8Array): Recognised {
  if (EVIDENCE_HEAD.every((byte, at) => bytes[at] === byte)) return { kind: 'evidence', what: 'an evidence file' };
  // Such as one that was unpacked and packed again: the digest in its head is gone, so nothing can be checked.
  return other(
    'data compressed by gzip that is no evidence file',
    'evidence is what `modanchor verify --record FILE` writes, byte for byte; a .tar.gz is no module zip',
  );
}

function zip(bytes: Uint8Array): Recognised {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length >= 30 ? view.getUint16(26, true) : 0;
  const name = new TextDecoder().decode(bytes.subarray(30, 30 + length));
  // PATH@VERSION/FILE: a path has no @, a version no slash.
  const match = /^([^@]+)@(v[^/@]+)\//.exec(name);
  if (!match?.[1] || !match[2]) {
    return other(
      'a zip that is no module zip',
      'every file of a module zip is named PATH@VERSION/…; the go command keeps them in $GOMODCACHE/cache/download',
    );
  }
  return { kind: 'zip', what: 'a module zip', module: { path: match[1], version: match[2] } };
}

function isTar(bytes: Uint8Array): boolean {
  return new TextDecoder('latin1').decode(bytes.subarray(257, 262)) === 'ustar';
}

/** The text, if it is one. The last character of a head may be cut in two. */
function utf8(bytes: Uint8Array, whole: boolean): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: !whole });
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

function json(text: string): Recognised {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Attestations of a module may be several bundles in lines.
    const first = text.split('\n', 1)[0] ?? '';
    try {
      const parsed: unknown = JSON.parse(first);
      if (field(parsed, 'mediaType')) {
        return other('several JSON documents in lines', 'drop one bundle at a time');
      }
    } catch {
      // Not that either.
    }
    return other('broken JSON', 'it looks like JSON and cannot be parsed');
  }
  const media = field(value, 'mediaType');
  if (media?.startsWith('application/vnd.dev.sigstore.bundle')) return { kind: 'bundle', what: 'a Sigstore bundle' };
  if (media?.startsWith('application/vnd.dev.sigstore.trustedroot')) {
    return { kind: 'trusted-root', what: 'a trusted root of Sigstore' };
  }
  if (field(value, 'base64Signature') !== undefined) {
    return { kind: 'bundle', what: 'a bundle of cosign, from before Sigstore’s' };
  }
  const signed = object(value)?.['signed'];
  const role = field(signed, '_type');
  const version = object(signed)?.['version'];
  if (role !== undefined && typeof version === 'number') {
    const known = { name: role, version };
    if (role === 'root') return { kind: 'tuf-root', what: `TUF root metadata, version ${version}`, role: known };
    if (role === 'timestamp' || role === 'snapshot' || role === 'targets') {
      return { kind: 'tuf-metadata', what: `TUF ${role} metadata, version ${version}`, role: known };
    }
  }
  const schema = field(value, 'schema') ?? '';
  if (schema === 'modanchor-report/1') {
    return other('a report', 'a report is a claim: drop the evidence it came from, and it is judged again');
  }
  if (schema === 'modanchor-evidence/1') {
    return other(
      'an evidence file that was unpacked',
      'drop the file as it was recorded: its digest is in its gzip head',
    );
  }
  if (object(value)?.['runs'] && field(value, 'version') === '2.1.0') {
    return other('a SARIF log', 'it is shown by GitHub and by editors; drop the evidence that it came from');
  }
  if (field(value, '_type')?.startsWith('https://in-toto.io/Statement')) {
    return other('an in-toto statement without a signature', 'drop the bundle that it is signed in');
  }
  if (field(value, 'payloadType') !== undefined) {
    return other('a DSSE envelope without a bundle', 'the bundle has the certificate that verifies it');
  }
  if (object(value)?.['lockfileVersion'] !== undefined) return other('an npm lockfile', WANTED);
  if (object(value)?.['Path'] !== undefined && object(value)?.['Version'] !== undefined) {
    return other('output of `go list -m -json`', 'drop the go.sum beside the go.mod');
  }
  return other('JSON of a kind that this page does not know', WANTED);
}

function object(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

function field(value: unknown, key: string): string | undefined {
  const found = object(value)?.[key];
  return typeof found === 'string' ? found : undefined;
}

/** How many lines are looked at. */
const LOOKED_AT = 400;

/** Not by a pattern: with one, a long line of slashes takes the square of its length, and the page stands still. */
function withoutComment(line: string): string {
  const at = line.indexOf('//');
  return (at < 0 ? line : line.slice(0, at)).trim();
}

function lines(name: string, text: string): Recognised {
  const all = text.split('\n', LOOKED_AT).map(withoutComment);
  const some = all.filter((line) => line !== '');
  const count = (pattern: RegExp): number => some.filter((line) => pattern.test(line)).length;
  const first = some[0] ?? '';
  if (/^-----BEGIN (RSA |EC )?PUBLIC KEY-----/.test(text)) return { kind: 'public-key', what: 'a public key (PEM)' };
  if (text.startsWith('-----BEGIN CERTIFICATE-----')) {
    return other('a certificate (PEM)', 'a bundle brings its certificate; a key may be given as PEM');
  }
  if (/^-----BEGIN .*PRIVATE KEY-----/.test(text)) {
    return other('a private key', 'it is of no use here, and should not be dropped anywhere: nothing was sent or kept');
  }
  if (/^-----BEGIN PGP /.test(text)) return other('a PGP block', WANTED);
  if (/^(<!doctype html|<html|<\?xml)/i.test(text)) return other('a web page, or XML', WANTED);
  // A go.sum with mistakes in it is still one: it is the core that says what is wrong with it.
  if (count(/^\S+\s+v\S+\s+[a-z0-9]+:\S+$/i) * 2 > some.length) {
    const work = name.endsWith('go.work.sum');
    return work ? { kind: 'go.work.sum', what: 'a go.work.sum' } : { kind: 'go.sum', what: 'a go.sum' };
  }
  if (count(/^module\s+\S+$/) === 1) return { kind: 'go.mod', what: 'a go.mod' };
  if (count(/^use\s+\S/) > 0 && count(/^go\s+\d/) === 1) return { kind: 'go.work', what: 'a go.work' };
  if (/^# \S+ (v\S+|=>)/.test(first)) {
    return other('a vendor/modules.txt', '`modanchor verify` judges vendor folders, with the files in them');
  }
  if (count(/^\[\[package\]\]$/) > 0) return other('a lockfile in TOML (Cargo.lock, poetry.lock)', WANTED);
  if (/^# yarn lockfile/m.test(text)) return other('a yarn lockfile', WANTED);
  if (count(/^package\s+\w+;?$/) === 1 && count(/^(func|import|type|var|const)\b/) > 0) {
    return other('Go source code', 'drop the go.sum and the go.mod of its module');
  }
  if (/^go\.sum database tree\n/.test(text) || /\n\ngo\.sum database tree\n/.test(text)) {
    return other('an answer or a signed tree of a checksum database', 'drop the go.sum that it is about');
  }
  if (text.startsWith('modanchor evidence 1: fork of')) {
    return other(
      'evidence of a fork, as the cache keeps it',
      'it can be read as it is: both signed heads, and the proof',
    );
  }
  return other('text of a kind that this page does not know', WANTED);
}
