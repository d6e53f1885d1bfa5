/**
 * A host around the component, for JavaScript: it hands over a job, answers what the component asks by way of a {@link
 * Fetcher}, and gives back how it ended. Like every host of modanchor it decides nothing.
 *
 * - Only the component that this package was built for is run: {@link Verifier.load} compares the digest.
 * - Every run has an instance, and a memory, of its own: none sees what another left behind.
 * - A job and its answers are checked against the contract before they enter; mistakes are errors, never another
 *   meaning.
 */
import type { BuildInfo, HashingError, Job, Kept, Measured, ModuleVersion, Outcome, Progress, Refusal, Request, Response, Result, SarifOptions } from './contract.js';
/** The digest of the component that this package was built for: `sha256:` and 64 lower-case hexadecimal digits. */
export declare const COMPONENT_DIGEST: string;
/** The most times that a component may ask in one run. Evidence holds as many (docs/evidence.md). */
export declare const MAX_ROUNDS = 10000;
/** Answers what the component asks for. */
export interface Fetcher {
    /**
     * Answers all of these, in their order: `{ tag: 'ok', val: answer }`, or `{ tag: 'err', val: failure }` where there
     * is nothing to be had, which is an answer like any other. They do not depend on each other: fetch them in parallel.
     * An error that is thrown ends the run.
     */
    answer(requests: Request[]): Response[] | Promise<Response[]>;
}
/** Hears how a run goes. A promise is waited for, and an error that is thrown ends the run. */
export interface Watch {
    /** The job, checked, as the component gets it: with the component's digest in `tool`. Once, before anything else. */
    started?(job: Job): void | Promise<void>;
    /** What the component says of its progress after each step. */
    step?(progress: Progress): void | Promise<void>;
    /** What may now be kept, and nothing else may. Called before the next list is answered. */
    keep?(kept: Kept[]): void | Promise<void>;
    /** A list of requests, and its answers. */
    exchanged?(requests: Request[], responses: Response[]): void | Promise<void>;
}
/** How a run ended: with a report, or because the job makes no sense. */
export type End = {
    tag: 'done';
    outcome: Outcome;
} | {
    tag: 'refused';
    refusal: Refusal;
};
/**
 * Bytes that can be read here and there without waiting: what hashing reads. In a worker, FileReaderSync reads a file
 * so.
 */
export interface SyncBlob {
    /** How many bytes there are. */
    readonly size: number;
    /** Exactly so many bytes from there on; it throws if they cannot be read. */
    readAt(offset: number, length: number): Uint8Array;
}
/** Why there was no run, or none to its end. `code` is for programs, the message for people. */
export declare class VerifierError extends Error {
    readonly code: 'wrong-component' | 'no-component' | 'wrong-answers' | 'too-many-rounds' | 'trap' | 'not-a-report';
    name: string;
    constructor(code: 'wrong-component' | 'no-component' | 'wrong-answers' | 'too-many-rounds' | 'trap' | 'not-a-report', // What should be rendered is no report.
    message: string, options?: ErrorOptions);
}
/** The component, compiled and ready. */
export declare class Verifier {
    #private;
    /** The component's digest: `sha256:` and 64 lower-case hexadecimal digits. */
    readonly digest: string;
    private constructor();
    /**
     * Compiles the component, `modanchor.wasm`. Throws a {@link VerifierError} if it is not the one that this package was
     * built for: the JavaScript around another would not fit.
     */
    static load(component: Uint8Array): Promise<Verifier>;
    /**
     * Runs a job to its end. `job.tool.component` is set to the component's own digest, so that a report names its judge.
     *
     * Throws a ContractError if the job or an answer is not what the contract says, a {@link VerifierError}, and whatever
     * the fetcher and the watch throw. Then there is no verdict.
     *
     * The component may ask at most `maxRounds` times.
     */
    verify(job: Job, fetcher: Fetcher, watch?: Watch, maxRounds?: number): Promise<End>;
    /** A report, as `outcome.report` has it, as SARIF 2.1.0, UTF-8. */
    sarif(report: Uint8Array, options: SarifOptions): Promise<Uint8Array>;
    /**
     * The h1 of a module's zip, in constant memory. With `rules`, the zip must be one that Go accepts for that module
     * version. With `files`, the list of files comes too.
     */
    h1Zip(zip: SyncBlob, rules?: ModuleVersion, files?: boolean): Promise<Result<Measured, HashingError>>;
    /** The h1 of a go.mod. */
    h1Mod(goMod: SyncBlob): Promise<Result<Measured, HashingError>>;
    /** What a Go program, ELF, Mach-O or PE, says of its build. */
    program(program: SyncBlob): Promise<Result<BuildInfo, HashingError>>;
}
/** Bytes in memory, as hashing reads them. */
export declare function syncBlob(bytes: Uint8Array): SyncBlob;
