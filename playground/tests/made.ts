/** What tests are made of: a job, the recording of sum.golang.org, files of evidence with one thing wrong in them. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Job, Request, Response, Task } from '../verifier/index.js';

const fixtures = join(process.env['REPOSITORY'] as string, 'tests/fixtures');

/** A file of tests/fixtures. */
export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(fixtures, name)));
}

/** go.sum of tests/fixtures/hello: 19 lines, 11 module versions. */
export const HELLO = fixture('hello/go.sum');

/** The task of verifying a go.sum. */
export function goSum(content: Uint8Array, path = 'go.sum'): Task {
  return { tag: 'verify', val: { files: [{ path, kind: 'go-sum', content }], programs: [], bareVendors: [] } };
}

/** A job that asks the checksum database for everything and nobody else for anything. */
export function job(task: Task): Job {
  return {
    now: { seconds: 1_795_800_000n, nanoseconds: 0 },
    tool: { version: '0.1.0', component: '' },
    task,
    sumdb: {
      tag: 'database',
      val: {
        key: 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8',
        setBy: 'tests',
        tileHeight: 8,
        witnesses: [],
        quorum: 0,
      },
    },
    skip: { patterns: '', setBy: 'tests' },
    failOn: 'medium',
    allowIncomplete: false,
    ignores: [],
    bytes: { moduleCache: 'off', zips: 'cache', vendor: 'off' },
    tuf: { all: [], map: [], required: false },
    sigstore: { roots: [], places: [], private: '', rekor: false },
  };
}

/** Answers from tests/fixtures/proxy, and that nothing else is there. */
export function recorded(request: Request): Response {
  if (request.tag === 'sumdb') {
    try {
      const content = fixture(`proxy/sumdb/${request.val.database}/${request.val.path}`);
      return { tag: 'ok', val: { tag: 'body', val: { content, origin: 'remote' } } };
    } catch {
      return { tag: 'err', val: 'absent' };
    }
  }
  return { tag: 'err', val: 'absent' };
}

/** The answers of {@link recorded} to a whole list. */
export const RECORDED = { answer: (requests: Request[]) => requests.map(recorded) };

const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 36, 0, 0x4d, 0x41, 32, 0);

/** A file of evidence around what follows its header, with the digest that belongs to that. */
export function seal(body: Uint8Array): Uint8Array {
  return Buffer.concat([HEADER, createHash('sha256').update(body).digest(), body]);
}

/** A gzip member without its header: deflated bytes, CRC-32, length. */
export function member(document: string | Uint8Array): Uint8Array {
  return gzipSync(document).subarray(10);
}

/** A file of evidence around a document of any kind. */
export function pack(document: string | Uint8Array): Uint8Array {
  return seal(member(document));
}

/** The document in a file of evidence. */
export function unpack(file: Uint8Array): string {
  return gunzipSync(file).toString();
}

/** `sha256:HEX`. */
export function digest(bytes: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
