/**
 * What the page and its worker say to each other. The page has the network and the files, the worker has the component;
 * everything between them is data.
 */

import type { End, Job, ModuleVersion, Progress, Request, Response } from '../verifier/index.js';

/** A module zip that the user dropped: it stands for the module cache. */
export interface LocalZip {
  readonly module: ModuleVersion;
  readonly file: File;
}

/** Files that are read in the worker, where reading may block. */
export interface Local {
  readonly zips: readonly LocalZip[];
  /** What a signature is over. */
  readonly artifact?: File;
  /** Metadata of a TUF repository, by the file's name. */
  readonly tuf: ReadonlyMap<string, Uint8Array>;
}

/** What the worker can be asked to do. */
export interface Calls {
  /** Compiles the component. Gives its digest, `sha256:HEX`. */
  load: { ask: { component: Uint8Array }; get: { digest: string } };
  /** Runs a job to its end. */
  run: { ask: { job: Job; local: Local }; get: Ran };
  /** Reads an evidence file and judges again. */
  replay: { ask: { file: Uint8Array; otherComponent: boolean }; get: Replayed };
  /** The last run, or the last replay's own file, as an evidence file. */
  evidence: { ask: { run: number }; get: { file: Uint8Array } };
  /** A report as SARIF. */
  sarif: { ask: { report: Uint8Array }; get: { file: Uint8Array } };
  /** h1 of a module zip, by Go's rules for one. */
  hash: { ask: { zip: LocalZip }; get: Hashed };
  /** SHA-256, SHA-384 and SHA-512 of a file. */
  digests: { ask: { file: File }; get: { sha256: Uint8Array; sha384: Uint8Array; sha512: Uint8Array } };
}

export type Method = keyof Calls;

/** From the page. */
export type ToWorker =
  | { [M in Method]: { tag: 'call'; id: number; method: M; ask: Calls[M]['ask'] } }[Method]
  | { tag: 'answers'; id: number; responses: Response[] };

/** From the worker. */
export type FromWorker =
  | { tag: 'result'; id: number; get: Calls[Method]['get'] }
  | { tag: 'error'; id: number; error: Wrong }
  | { tag: 'need'; id: number; requests: Request[] }
  | { tag: 'progress'; id: number; progress: Doing };

/** What a call is doing. */
export type Doing =
  | { readonly of: 'run'; readonly progress: Progress }
  | { readonly of: 'hash'; readonly done: number; readonly total: number };

/** Why a call came to nothing. */
export interface Wrong {
  /** For people. */
  readonly message: string;
  /** Of an evidence file that is refused: which rule. */
  readonly code?: string;
}

/** What a zip hashes to, or why it is no module. */
export type Hashed =
  | { readonly h1: string; readonly files: bigint; readonly manifest: Uint8Array }
  | { readonly refused: { readonly code: string; readonly text: string } };

/** A run that came to its end. */
export interface Ran {
  /** For [`Calls.evidence`]. */
  readonly run: number;
  readonly job: Job;
  readonly end: End;
  /** What may be kept of each record: by `ESCAPED-PATH@ESCAPED-VERSION`. */
  readonly proofs: ReadonlyMap<string, Uint8Array>;
  /** Signed heads that the core wanted to move to, as received. */
  readonly heads: readonly Uint8Array[];
  /** Forks that were proven: plain text. */
  readonly forks: readonly { readonly name: string; readonly content: Uint8Array }[];
  /** What the answers were worth. */
  readonly said: Said;
}

/** A run out of an evidence file. */
export interface Replayed extends Ran {
  /** The component that recorded it. */
  readonly recordedBy: string;
  /** Whether it is the component of this page. Then the outcome was compared, byte for byte. */
  readonly same: boolean;
}

/** What a run took on somebody's word. */
export interface Said {
  /** Times that the core asked. */
  readonly rounds: number;
  /** Requests in all. */
  readonly requests: number;
  /** Measurements: hashes that whoever recorded computed from files that are not here. */
  readonly measured: readonly string[];
  /** "There is no such thing", which nobody signs. */
  readonly absent: readonly string[];
  /** Other failures. */
  readonly failed: readonly string[];
}
