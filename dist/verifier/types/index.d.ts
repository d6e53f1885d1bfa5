/**
 * modanchor's verifier for JavaScript: the component that judges, and a host around it that fetches nothing itself.
 *
 * ```js
 * const end = await verify(job, { answer: (requests) => Promise.all(requests.map(fetchOne)) });
 * ```
 */
export * from './contract.js';
export { check, ContractError, decode, encode, type Contract, type Json } from './codec.js';
export { sha256 } from './bytes.js';
export { EVIDENCE_LIMITS, EVIDENCE_SCHEMA, EvidenceError, looksLikeEvidence, readEvidence, writeEvidence, type Evidence, type EvidenceLimits, type Exchanged, } from './evidence.js';
export { ownVerifier, verify } from './own.js';
export { Recorder, replay, type Replayed, type ReplayOptions } from './replay.js';
export { COMPONENT_DIGEST, MAX_ROUNDS, syncBlob, Verifier, VerifierError, type End, type Fetcher, type SyncBlob, type Watch, } from './verifier.js';
