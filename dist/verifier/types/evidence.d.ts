/**
 * Evidence: the file that a verdict can be had from again. docs/evidence.md is the format's specification.
 *
 * Reading is strict, because evidence comes from others. Every byte is accounted for: the header is fixed, the digest
 * covers what follows, the gzip member must be the whole of the file, and the document is read into types, written
 * again and compared, so that it means one thing to every reader. Sizes are checked before and while something is
 * unpacked. Nothing that the file says is repeated in a message, but in {@link quote}s.
 */
import type { Job, Outcome, Request, Response } from './contract.js';
/** The format that this package reads and writes. */
export declare const EVIDENCE_SCHEMA = "modanchor-evidence/1";
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
export declare const EVIDENCE_LIMITS: Readonly<EvidenceLimits>;
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
export declare class EvidenceError extends Error {
    readonly code: 'not-evidence' | 'other-schema' | 'too-large' | 'changed' | 'malformed' | 'not-canonical' | 'other-component' | 'not-recorded' | 'never-asked' | 'other-outcome';
    name: string;
    constructor(code: 'not-evidence' | 'other-schema' | 'too-large' | 'changed' | 'malformed' | 'not-canonical' | 'other-component' | 'not-recorded' | 'never-asked' | 'other-outcome', // The component comes to another end than the recorded one.
    message: string, options?: ErrorOptions);
}
/** Whether bytes begin as evidence does: a quick look, for telling files apart. */
export declare function looksLikeEvidence(file: Uint8Array): boolean;
/** Reads a file of evidence. Throws an {@link EvidenceError} for anything that is not exactly that. */
export declare function readEvidence(file: Uint8Array, limits?: EvidenceLimits): Promise<Evidence>;
/**
 * Writes a file of evidence. Throws an {@link EvidenceError} past a limit, and a ContractError for what is no value.
 */
export declare function writeEvidence(evidence: Evidence, limits?: EvidenceLimits): Promise<Uint8Array>;
