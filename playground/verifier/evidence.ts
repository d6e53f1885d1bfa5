/**
 * Evidence: the file that a verdict can be had from again. docs/evidence.md is the format's specification.
 *
 * Reading is strict, because evidence comes from others. Every byte is accounted for: the header is fixed, the digest
 * covers what follows, the gzip member must be the whole of the file, and the document is read into types, written
 * again and compared, so that it means one thing to every reader. Sizes are checked before and while something is
 * unpacked. Nothing that the file says is repeated in a message, but in {@link quote}s.
 */

import { fromBase64, fromUtf8, quote, sameBytes, sha256, sha256Bytes, toBase64, toUtf8 } from './bytes.js';
import { ContractError, decode, encode, type Json } from './codec.js';
import type { Job, Outcome, Request, Response } from './contract.js';

/** The format that this package reads and writes. */
export const EVIDENCE_SCHEMA = 'modanchor-evidence/1';

/** The most that evidence may be. */
export interface EvidenceLimits {
  /** Bytes of the file. */
  file: number;
  /** Bytes of the document in it. */
  document: number;
  /**
   * Commas in the document, wherever they stand: no list or object has more values, and each takes many times its two
   * bytes in memory until the document is refused.
   */
  commas: number;
  /** Bytes that values refer to, counted each time that they do: a few kilobytes of references can ask for gigabytes. */
  referred: number;
  /** How many times the component asked. */
  rounds: number;
}

/** The limits of the format. */
export const EVIDENCE_LIMITS: Readonly<EvidenceLimits> = {
  file: 64 * 1024 * 1024,
  document: 256 * 1024 * 1024,
  commas: 4 * 1024 * 1024,
  referred: 256 * 1024 * 1024,
  rounds: 10_000,
};

/** One request, and the response that it got. */
export interface Exchanged {
  request: Request;
  response: Response;
}

/** A run: what went into the component, and what came out. */
export interface Evidence {
  job: Job;
  /** For every time the component asked, in order, what it asked and what it got. */
  exchange: Exchanged[][];
  outcome: Outcome;
}

/** Why evidence is not read, not written or not replayed. `code` is for programs, the message for people. */
export class EvidenceError extends Error {
  override name = 'EvidenceError';

  constructor(
    readonly code:
      | 'not-evidence' // It is something else.
      | 'other-schema' // Evidence in a format that this package does not know.
      | 'too-large' // Past one of the limits.
      | 'changed' // Bytes are not those that were written: damaged, cut off, or changed.
      | 'malformed' // The bytes are as they were written, and are not what evidence is.
      | 'not-canonical' // It means something, and is not written in the one way it may be.
      | 'other-component' // Recorded with another component than the one that should judge again.
      | 'not-recorded' // The component asks for what the evidence has no answer to.
      | 'never-asked' // The evidence has answers that the component does not ask for.
      | 'other-outcome', // The component comes to another end than the recorded one.
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What the file begins with: gzip (RFC 1952) with an extra field of 36 bytes, in it the subfield `MA` with 32. */
const HEADER = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 36, 0, 0x4d, 0x41, 32, 0];

/** Where the digest of the rest begins, and where the rest does. */
const DIGEST_AT = HEADER.length;
const BODY_AT = DIGEST_AT + 32;

/** gzip's CRC-32 and length, at the end. */
const TRAILER_BYTES = 8;

/** What gzip itself begins with, where there is no extra field. */
const PLAIN_GZIP_HEADER_BYTES = 10;

/** Whether bytes begin as evidence does: a quick look, for telling files apart. */
export function looksLikeEvidence(file: Uint8Array): boolean {
  return HEADER.every((byte, i) => file[i] === byte);
}

/** Reads a file of evidence. Throws an {@link EvidenceError} for anything that is not exactly that. */
export async function readEvidence(file: Uint8Array, limits: EvidenceLimits = EVIDENCE_LIMITS): Promise<Evidence> {
  if (!looksLikeEvidence(file)) {
    throw new EvidenceError('not-evidence', 'this file is not evidence: it does not begin as one that modanchor wrote');
  }
  if (file.length > limits.file) {
    throw new EvidenceError('too-large', `the file has ${file.length} bytes, and evidence has at most ${limits.file}`);
  }
  if (file.length < BODY_AT + TRAILER_BYTES) {
    throw new EvidenceError('changed', 'the file ends too early: get it again from where it was recorded');
  }
  if (!sameBytes(file.subarray(DIGEST_AT, BODY_AT), await sha256Bytes(file.subarray(BODY_AT)))) {
    throw new EvidenceError('changed', 'the file is not as it was written: its digest is that of other bytes');
  }
  return readDocument(await unpack(file, limits.document), limits);
}

/**
 * Writes a file of evidence. Throws an {@link EvidenceError} past a limit, and a ContractError for what is no value.
 */
export async function writeEvidence(evidence: Evidence, limits: EvidenceLimits = EVIDENCE_LIMITS): Promise<Uint8Array> {
  if (evidence.exchange.length > limits.rounds) {
    throw tooManyRounds(limits);
  }
  const document = toUtf8(await writeDocument(evidence, limits));
  if (document.length > limits.document) {
    throw tooLargeDocument(limits);
  }
  if (commas(document) > limits.commas) {
    throw tooManyCommas(limits);
  }
  const packed = await collect(document, new CompressionStream('gzip'), limits.file);
  const body = packed.subarray(PLAIN_GZIP_HEADER_BYTES);
  const file = new Uint8Array(BODY_AT + body.length);
  file.set(HEADER);
  file.set(await sha256Bytes(body), DIGEST_AT);
  file.set(body, BODY_AT);
  if (file.length > limits.file) {
    throw new EvidenceError('too-large', `the evidence has ${file.length} bytes, and may have ${limits.file}`);
  }
  return file;
}

/** The document in a file whose header and digest are right. */
async function unpack(file: Uint8Array, limit: number): Promise<Uint8Array> {
  // Some engines pass over what follows a gzip member, or read a second one. If there is something, then what lies
  // before the trailer of the file is a whole deflate stream even without its last byte; otherwise that byte has the
  // end of the stream.
  const deflated = file.subarray(BODY_AT, file.length - TRAILER_BYTES - 1);
  const [document, longer] = await Promise.allSettled([
    collect(file, new DecompressionStream('gzip'), limit),
    collect(deflated, new DecompressionStream('deflate-raw'), limit),
  ]);
  if (document.status === 'rejected') {
    const cause: unknown = document.reason;
    throw cause instanceof EvidenceError
      ? cause
      : new EvidenceError('malformed', 'the file is no gzip member', { cause });
  }
  if (longer.status === 'fulfilled') {
    throw new EvidenceError('malformed', 'something follows the gzip member');
  }
  return document.value;
}

/** What a stream makes of bytes, unless it is more than so many. */
async function collect(
  bytes: Uint8Array,
  stream: { readable: ReadableStream<Uint8Array>; writable: WritableStream },
  limit: number,
): Promise<Uint8Array> {
  const writer = stream.writable.getWriter();
  // Whatever goes wrong is seen by the reader.
  writer.write(bytes).catch(() => {});
  writer.close().catch(() => {});
  const reader = stream.readable.getReader();
  const chunks = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      break;
    }
    length += value.length;
    if (length > limit) {
      await reader.cancel().catch(() => {});
      throw new EvidenceError('too-large', `unpacked, the evidence has more than ${limit} bytes`);
    }
    chunks.push(value);
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** The document's text. */
async function writeDocument({ job, exchange, outcome }: Evidence, limits: EvidenceLimits): Promise<string> {
  const all = new Set<Uint8Array>();
  const count = referred(limits);
  toDocument({ job, exchange, outcome }, (bytes) => {
    count(bytes);
    all.add(bytes);
    return '';
  });
  const named = [...all].map(
    async (bytes) => [bytes, { name: await sha256(bytes), written: writeContent(bytes) }] as const,
  );
  const contents = new Map<Uint8Array, Content>(await Promise.all(named));
  return toText({ job, exchange, outcome }, (bytes) => contents.get(bytes) as Content);
}

/** The document but for its contents. */
function toDocument({ job, exchange, outcome }: Evidence, bytes: (bytes: Uint8Array) => string): Record<string, Json> {
  return {
    schema: EVIDENCE_SCHEMA,
    job: encode('job.job', job, bytes),
    exchange: exchange.map((round) =>
      round.map(({ request, response }) => ({
        request: encode('exchange.request', request, bytes),
        response: encode('exchange.response', response, bytes),
      })),
    ),
    outcome: encode('verify.outcome', outcome, bytes),
  };
}

/** Bytes in `contents`: their name, and what they are written as. */
interface Content {
  name: string;
  written: Json;
}

/** The document's text, with the contents that belong to bytes. */
function toText(evidence: Evidence, content: (bytes: Uint8Array) => Content): string {
  const contents = new Map<string, Json>();
  const document = toDocument(evidence, (bytes) => {
    const { name, written } = content(bytes);
    contents.set(name, written);
    return name;
  });
  document['contents'] = Object.fromEntries([...contents].sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify(document);
}

function writeContent(bytes: Uint8Array): Json {
  return fromUtf8(bytes) ?? { base64: toBase64(bytes) };
}

/** The bytes that {@link writeContent} writes so, and that again: undefined if it writes none so, but for more keys. */
function readContent(json: Json | undefined): { bytes: Uint8Array; written: Json } | undefined {
  if (typeof json === 'string') {
    return json.isWellFormed() ? { bytes: toUtf8(json), written: json } : undefined;
  }
  const base64 = typeof json === 'object' && json !== null && !Array.isArray(json) ? json['base64'] : undefined;
  const bytes = typeof base64 === 'string' ? fromBase64(base64) : undefined;
  return bytes !== undefined && fromUtf8(bytes) === undefined
    ? { bytes, written: { base64: base64 as string } }
    : undefined;
}

/** What an evidence's document says. */
async function readDocument(file: Uint8Array, limits: EvidenceLimits): Promise<Evidence> {
  if (commas(file) > limits.commas) {
    throw tooManyCommas(limits);
  }
  const text = fromUtf8(file);
  if (text === undefined) {
    throw new EvidenceError('malformed', 'the document is not UTF-8');
  }
  let json: Json;
  try {
    json = JSON.parse(text) as Json;
  } catch (error) {
    throw new EvidenceError('malformed', 'the document is not JSON', { cause: error });
  }
  const document = members(json, ['schema', 'job', 'exchange', 'outcome', 'contents']);
  const { exchange, contents: listed } = document;
  if (!Array.isArray(exchange) || typeof listed !== 'object' || listed === null || Array.isArray(listed)) {
    throw new EvidenceError('malformed', 'exchange is not a list, or contents not an object');
  }
  if (exchange.length > limits.rounds) {
    throw tooManyRounds(limits);
  }
  const byName = new Map<string, Uint8Array>();
  const contents = new Map<Uint8Array, Content>();
  const read = Object.entries(listed).map(async ([name, value]) => {
    const content = readContent(value);
    if (content === undefined || (await sha256(content.bytes)) !== name) {
      throw new EvidenceError('malformed', `the content ${quote(name)} is not what its name is the digest of`);
    }
    byName.set(name, content.bytes);
    contents.set(content.bytes, { name, written: content.written });
  });
  await Promise.all(read);
  let evidence: Evidence;
  let again: string;
  try {
    const count = referred(limits);
    const bytes = (name: string): Uint8Array | undefined => {
      const content = byName.get(name);
      return content && count(content);
    };
    evidence = {
      job: decode('job.job', document['job'] as Json, bytes),
      exchange: exchange.map((round) => {
        if (!Array.isArray(round)) {
          throw new EvidenceError('malformed', 'a round of the exchange is not a list');
        }
        return round.map((pair) => {
          const { request, response } = members(pair, ['request', 'response']);
          return {
            request: decode('exchange.request', request as Json, bytes),
            response: decode('exchange.response', response as Json, bytes),
          };
        });
      }),
      outcome: decode('verify.outcome', document['outcome'] as Json, bytes),
    };
    again = toText(evidence, (content) => contents.get(content) as Content);
  } catch (error) {
    if (error instanceof ContractError) {
      throw new EvidenceError('malformed', `the document is not evidence: ${error.message}`, { cause: error });
    }
    throw error;
  }
  if (again !== text) {
    throw new EvidenceError('not-canonical', 'the document is not written in the one way that it may be written in');
  }
  return evidence;
}

/** The members of an object that must have exactly these, in this order. */
function members(json: Json | undefined, names: string[]): Record<string, Json> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new EvidenceError('malformed', `the document is not evidence: no object with ${names.join(', ')}`);
  }
  const schema = Object.hasOwn(json, 'schema') ? json['schema'] : undefined;
  if (names[0] === 'schema' && schema !== EVIDENCE_SCHEMA && typeof schema === 'string') {
    const message = `this is ${quote(schema)}, and what is read here is ${EVIDENCE_SCHEMA}`;
    throw new EvidenceError('other-schema', `${message}: use the version that recorded it`);
  }
  const keys = Object.keys(json);
  if (keys.length !== names.length || names.some((name, i) => keys[i] !== name)) {
    throw new EvidenceError(
      'malformed',
      `the document is not evidence: no object with ${names.join(', ')}, in this order`,
    );
  }
  return json;
}

/** Counts what is referred to, and throws past the limit. */
function referred(limits: EvidenceLimits): (bytes: Uint8Array) => Uint8Array {
  let left = limits.referred;
  return (bytes) => {
    left -= bytes.length;
    if (left < 0) {
      throw new EvidenceError('too-large', `the evidence refers to more than ${limits.referred} bytes in all`);
    }
    return bytes;
  };
}

function commas(document: Uint8Array): number {
  let count = 0;
  for (const byte of document) {
    if (byte === 0x2c) count += 1;
  }
  return count;
}

function tooManyCommas(limits: EvidenceLimits): EvidenceError {
  return new EvidenceError('too-large', `the document has more than ${limits.commas} commas`);
}

function tooManyRounds(limits: EvidenceLimits): EvidenceError {
  return new EvidenceError('too-large', `the component asked more than ${limits.rounds} times`);
}

function tooLargeDocument(limits: EvidenceLimits): EvidenceError {
  return new EvidenceError('too-large', `unpacked, the evidence has more than ${limits.document} bytes`);
}
