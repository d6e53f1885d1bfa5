/**
 * Sharing by the URL's fragment, which a browser sends to no server. What comes in a fragment is somebody else's: it is
 * shown, and not run before somebody says so.
 */

import { concat, fromBase64 } from './bytes.js';

/** A text file in a link. */
export interface SharedFile {
  readonly name: string;
  readonly text: string;
}

/** The most characters of a fragment: longer links break in mails and chats. */
export const MAX_FRAGMENT = 16_000;
/** The most bytes that a fragment unpacks to: a few kilobytes of deflate can stand for gigabytes. */
export const MAX_UNPACKED = 256 << 10;
/** The most files. */
export const MAX_FILES = 8;
/** The most characters of a name. */
const MAX_NAME = 100;

const PREFIX = '#share1=';

/** The fragment for these files; nothing where it would be too long. */
export async function toFragment(files: readonly SharedFile[]): Promise<string | undefined> {
  const json = new TextEncoder().encode(JSON.stringify(files.map(({ name, text }) => [name, text])));
  if (files.length > MAX_FILES || json.length > MAX_UNPACKED) return undefined;
  const packed = await through(json, new CompressionStream('deflate-raw'), MAX_UNPACKED);
  let binary = '';
  for (const byte of packed) binary += String.fromCharCode(byte);
  const fragment = PREFIX + btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  return fragment.length <= MAX_FRAGMENT ? fragment : undefined;
}

/** Whether a fragment claims to hold files. */
export function isShared(fragment: string): boolean {
  return fragment.startsWith(PREFIX);
}

/** The files of a fragment. Throws an `Error` that says what is wrong with it. */
export async function fromFragment(fragment: string): Promise<SharedFile[]> {
  if (fragment.length > MAX_FRAGMENT) throw new Error('the link is longer than this page makes them');
  const packed = fromBase64(fragment.slice(PREFIX.length).replaceAll('-', '+').replaceAll('_', '/'));
  if (!packed) throw new Error('the link is damaged: it is no base64');
  let value: unknown;
  try {
    const json = await through(packed, new DecompressionStream('deflate-raw'), MAX_UNPACKED);
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (error) {
    if (error instanceof TooMuch) throw new Error('the link unpacks to more than 256 KiB');
    throw new Error('the link is damaged: it was cut off or changed');
  }
  const isFile = (entry: unknown): entry is [string, string] =>
    Array.isArray(entry) && entry.length === 2 && typeof entry[0] === 'string' && typeof entry[1] === 'string';
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_FILES || !value.every(isFile)) {
    throw new Error('the link holds something other than files');
  }
  return value.map(([name, text]) => ({ name: name.slice(0, MAX_NAME), text }));
}

class TooMuch extends Error {}

async function through(bytes: Uint8Array, stream: GenericTransformStream, most: number): Promise<Uint8Array> {
  const writer = (stream.writable as WritableStream<Uint8Array>).getWriter();
  const written = writer.write(bytes).then(() => writer.close());
  // What is wrong with the input is seen by whoever reads.
  written.catch(() => undefined);
  const reader = (stream.readable as ReadableStream<Uint8Array>).getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(parts);
    size += value.length;
    if (size > most) {
      await reader.cancel().catch(() => undefined);
      throw new TooMuch();
    }
    parts.push(value);
  }
}
