/** The component that lies beside this package's code. */

import type { Job } from './contract.js';
import { Verifier, VerifierError, type End, type Fetcher, type Watch } from './verifier.js';

let own: Promise<Verifier> | undefined;

/** The package's own component, read and compiled once. Throws a {@link VerifierError} if it cannot be read. */
export function ownVerifier(): Promise<Verifier> {
  own ??= load().catch((error: unknown) => {
    own = undefined;
    throw error;
  });
  return own;
}

/** Runs a job to its end with the package's own component: {@link Verifier.verify}. */
export async function verify(job: Job, fetcher: Fetcher, watch?: Watch): Promise<End> {
  return (await ownVerifier()).verify(job, fetcher, watch);
}

async function load(): Promise<Verifier> {
  const url = new URL('./modanchor.wasm', import.meta.url);
  let bytes;
  try {
    bytes = await read(url);
  } catch (error) {
    throw new VerifierError('no-component', 'modanchor.wasm, which belongs beside this code, cannot be read', {
      cause: error,
    });
  }
  return Verifier.load(bytes);
}

async function read(url: URL): Promise<Uint8Array> {
  // Node's fetch reads no files. Asked for so, and not imported, it is in no bundler's way.
  const fs = url.protocol === 'file:' ? globalThis.process?.getBuiltinModule?.('node:fs/promises') : undefined;
  if (fs !== undefined) {
    return fs.readFile(url);
  }
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`HTTP status ${response.status}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}
