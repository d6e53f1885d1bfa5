/**
 * The contract's types, as jco writes them from the component that this package is built around. `wit/` is what they
 * mean.
 *
 * How values look: records are objects with `camelCase` fields, and an `option` that is none is left out; variants and
 * results are `{ tag, val }`; enums are strings; flags are objects of booleans; `u64` is a bigint; `list<u8>` is a
 * Uint8Array.
 */
export type { Blob as ContractBlob, ReadError } from './generated/interfaces/modanchor-verifier-blob.js';
export type { BuildInfo, HashingError, Measured } from './generated/interfaces/modanchor-verifier-hashing.js';
export type { Job, Task, Checkout, SourceFile } from './generated/interfaces/modanchor-verifier-job.js';
export type { FileKind, Database, FailOn, Tool } from './generated/interfaces/modanchor-verifier-job.js';
export type { Answer, Holding, Kept, Request, Response } from './generated/interfaces/modanchor-verifier-exchange.js';
export type { Link, SarifOptions } from './generated/interfaces/modanchor-verifier-render.js';
export type { Failure, Instant, ModuleVersion, Origin } from './generated/interfaces/modanchor-verifier-types.js';
export type { Outcome, Phase, Progress, Refusal, Verdict } from './generated/interfaces/modanchor-verifier-verify.js';
export type { FixedFile, Next, Step } from './generated/interfaces/modanchor-verifier-verify.js';
/** All types, by the interface of `wit/` that has them. */
export type * as exchange from './generated/interfaces/modanchor-verifier-exchange.js';
export type * as hashing from './generated/interfaces/modanchor-verifier-hashing.js';
export type * as job from './generated/interfaces/modanchor-verifier-job.js';
export type * as policy from './generated/interfaces/modanchor-verifier-policy.js';
export type * as render from './generated/interfaces/modanchor-verifier-render.js';
export type * as sigstore from './generated/interfaces/modanchor-verifier-sigstore.js';
export type * as tuf from './generated/interfaces/modanchor-verifier-tuf.js';
export type * as types from './generated/interfaces/modanchor-verifier-types.js';
export type * as verifying from './generated/interfaces/modanchor-verifier-verify.js';
/** What a function of the contract gives back: a value, or why there is none. */
export type Result<T, E> = {
    tag: 'ok';
    val: T;
} | {
    tag: 'err';
    val: E;
};
