/** @module Interface modanchor:verifier/verify@0.1.0 **/
export type Job = import('./modanchor-verifier-job.js').Job;
export type Request = import('./modanchor-verifier-exchange.js').Request;
export type Response = import('./modanchor-verifier-exchange.js').Response;
export type Kept = import('./modanchor-verifier-exchange.js').Kept;
/**
 * # Variants
 * 
 * ## `"recalling"`
 * 
 * ## `"looking-up"`
 * 
 * ## `"proving"`
 * 
 * ## `"reporting"`
 */
export type Phase = 'recalling' | 'looking-up' | 'proving' | 'reporting';
export interface Progress {
  phase: Phase,
  settled: bigint,
  total: bigint,
}
/**
 * # Variants
 * 
 * ## `"pass"`
 * 
 * ## `"fail"`
 * 
 * ## `"incomplete"`
 */
export type Verdict = 'pass' | 'fail' | 'incomplete';
export interface FixedFile {
  path: string,
  content: Uint8Array,
  added: Array<string>,
}
export interface Outcome {
  verdict: Verdict,
  status: number,
  report: Uint8Array,
  lines: Array<string>,
  fixes: Array<FixedFile>,
}
export type Refusal =
  | {
    tag: 'database-key',
    val: string,
  }
  | {
    tag: 'tile-height',
    val: string,
  }
  | {
    tag: 'witness-key',
    val: string,
  }
  | {
    tag: 'quorum',
    val: string,
  }
  | {
    tag: 'pinned-head',
    val: string,
  }
  | {
    tag: 'query',
    val: string,
  }
  | {
    tag: 'ignore',
    val: string,
  }
  | {
    tag: 'tuf',
    val: string,
  }
  | {
    tag: 'sigstore',
    val: string,
  }
  | {
    tag: 'policy',
    val: string,
  }
  | {
    tag: 'program',
    val: string,
  }
  | {
    tag: 'nothing-to-do',
  }
  | {
    tag: 'protocol',
    val: string,
  };
export type Next =
  | {
    tag: 'need',
    val: Array<Request>,
  }
  | {
    tag: 'done',
    val: Outcome,
  }
  | {
    tag: 'refused',
    val: Refusal,
  };
export interface Step {
  keep: Array<Kept>,
  progress: Progress,
  next: Next,
}

export class Verification {
  constructor(job: Job)
  step(answers: Array<Response>): Step;
}
