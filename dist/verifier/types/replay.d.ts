/**
 * Judging again from evidence, and recording it.
 *
 * A replay believes nothing of the evidence but what the component makes of it. With the component that recorded, the
 * run is a function of what the evidence holds: the same questions must be asked, the same outcome must come, and
 * anything else is an error. With another, which must be asked for, answers are found by their questions.
 */
import type { Job, Kept, Outcome, Progress, Request, Response } from './contract.js';
import { type Evidence } from './evidence.js';
import type { End, Verifier, Watch } from './verifier.js';
/** What came of a replay. */
export interface Replayed {
    /** What the component says now. */
    outcome: Outcome;
    /**
     * Whether the component is the one that recorded. Then the outcome is the recorded one, byte for byte; otherwise only
     * what the other component makes of the same answers.
     */
    sameComponent: boolean;
}
/** How to replay. */
export interface ReplayOptions {
    /** Go on with a component that is not the one that recorded. Without this, that is an error. */
    otherComponent?: boolean;
    /** Hears how the run goes. */
    watch?: Watch;
}
/** Judges again. Throws an {@link EvidenceError} unless the component comes to its end with what the evidence holds. */
export declare function replay(verifier: Verifier, evidence: Evidence, options?: ReplayOptions): Promise<Replayed>;
/** Makes evidence of a run: hand it to {@link Verifier.verify} as its watch. */
export declare class Recorder implements Watch {
    #private;
    /** Tells another watch too. One recorder is for one run. */
    constructor(watch?: Watch);
    started(job: Job): void | Promise<void>;
    step(progress: Progress): void | Promise<void>;
    keep(kept: Kept[]): void | Promise<void>;
    exchanged(requests: Request[], responses: Response[]): void | Promise<void>;
    /** The evidence of the run that ended so. There is none of a job that was refused: it has no outcome. */
    evidence(end: End): Evidence;
}
