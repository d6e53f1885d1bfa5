/** Reading files in the worker, where reading may block. */

import type { SyncBlob } from '../verifier/index.js';

/** How much is read at once: each read is a call to another process. */
const WINDOW = 4 << 20;

/** The largest file whose digests the page computes: the browser's digests take it in one piece. */
export const MAX_DIGEST = 512 << 20;

/** What a worker has and a page has not; lib.dom.d.ts is the page's. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

/** A file as the component reads it: at any place, at once. Throws where the browser cannot read it, or no longer. */
export class FileBlob implements SyncBlob {
  readonly size: number;
  readonly #file: File;
  readonly #reader = new FileReaderSync();
  readonly #read: (bytes: number) => void;
  #at = 0;
  #window = new Uint8Array();

  /** `read`: told how far into the file the reading has come. */
  constructor(file: File, read: (bytes: number) => void = () => undefined) {
    this.#file = file;
    this.size = file.size;
    this.#read = read;
  }

  readAt(offset: number, length: number): Uint8Array {
    if (offset < this.#at || offset + length > this.#at + this.#window.length) {
      const end = Math.min(this.size, offset + Math.max(length, WINDOW));
      // The browser throws for a file that was written to since it was chosen.
      this.#window = new Uint8Array(this.#reader.readAsArrayBuffer(this.#file.slice(offset, end)));
      this.#at = offset;
      this.#read(end);
    }
    return this.#window.subarray(offset - this.#at, offset - this.#at + length);
  }
}

/** SHA-256, SHA-384 and SHA-512 of a file. */
export async function digests(file: File): Promise<{ sha256: Uint8Array; sha384: Uint8Array; sha512: Uint8Array }> {
  if (file.size > MAX_DIGEST)
    throw new Error('the file has more than 512 MiB: `modanchor sigstore verify-blob` takes it');
  const bytes = await file.arrayBuffer();
  const of = async (name: string): Promise<Uint8Array> => new Uint8Array(await crypto.subtle.digest(name, bytes));
  return { sha256: await of('SHA-256'), sha384: await of('SHA-384'), sha512: await of('SHA-512') };
}
