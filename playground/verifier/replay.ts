/**
 * Judging again from evidence, and recording it.
 *
 * A replay believes nothing of the evidence but what the component makes of it. With the component that recorded, the
 * run is a function of what the evidence holds: the same questions must be asked, the same outcome must come, and
 * anything else is an error. With another, which must be asked for, answers are found by their questions.
 */

import { quote, toBase64 } from './bytes.js';
import { encode, type Contract } from './codec.js';
import type {
  Failure,
  Holding,
  Job,
  Kept,
  ModuleVersion,
  Outcome,
  Progress,
  Request,
  Response,
  Result,
} from './contract.js';
import { EvidenceError, type Evidence, type Exchanged } from './evidence.js';
import type { End, Fetcher, Verifier, Watch } from './verifier.js';

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
export async function replay(verifier: Verifier, evidence: Evidence, options: ReplayOptions = {}): Promise<Replayed> {
  const recordedBy = evidence.job.tool.component;
  const sameComponent = recordedBy === verifier.digest;
  if (!sameComponent && options.otherComponent !== true) {
    const message = `recorded with the component ${quote(recordedBy)}, and this one is ${verifier.digest}`;
    const help = 'use the version that recorded it, or ask for a replay with another';
    throw new EvidenceError('other-component', `${message}: ${help}`);
  }
  const answers = sameComponent ? new InOrder(evidence.exchange) : new ByQuestion(evidence.exchange);
  const end = await verifier.verify(evidence.job, answers, options.watch);
  if (end.tag === 'refused') {
    throw new EvidenceError(
      'other-outcome',
      `the component refuses the job (${end.refusal.tag}), and the evidence has a report`,
    );
  }
  if (sameComponent) {
    answers.finish();
    if (key('verify.outcome', end.outcome) !== key('verify.outcome', evidence.outcome)) {
      throw new EvidenceError('other-outcome', 'the component comes to another outcome than the recorded one');
    }
  }
  return { outcome: end.outcome, sameComponent };
}

/** A value as text: equal for equal values, and for no others. */
function key<K extends keyof Contract>(type: K, value: Contract[K]): string {
  return JSON.stringify(encode(type, value, toBase64));
}

/** Says which request it is, for messages. */
function name(request: Request): string {
  return quote(key('exchange.request', request));
}

/** Gives the recorded answers in their order, to the recorded requests only. */
class InOrder implements Fetcher {
  readonly #exchange: Exchanged[][];
  #round = 0;

  constructor(exchange: Exchanged[][]) {
    this.#exchange = exchange;
  }

  answer(requests: Request[]): Response[] {
    const round = this.#exchange[this.#round] ?? [];
    this.#round += 1;
    const answers = requests.map((request, i) => {
      const recorded = round[i];
      if (recorded === undefined) {
        throw new EvidenceError('not-recorded', `the evidence has no answer to ${name(request)}`);
      }
      if (key('exchange.request', request) !== key('exchange.request', recorded.request)) {
        const message = `the component asks for ${name(request)}, and the evidence answers ${name(recorded.request)}`;
        throw new EvidenceError('not-recorded', message);
      }
      return recorded.response;
    });
    const next = round[requests.length];
    if (next !== undefined) {
      throw new EvidenceError(
        'never-asked',
        `the evidence answers ${name(next.request)}, which the component does not ask`,
      );
    }
    return answers;
  }

  /** Throws if answers are left. */
  finish(): void {
    if (this.#round < this.#exchange.length) {
      const rounds = this.#exchange.length - this.#round;
      throw new EvidenceError(
        'never-asked',
        `the evidence has ${rounds} more rounds of answers than the component asks for`,
      );
    }
  }
}

/**
 * Gives the recorded answers by their requests: to one that comes again what it got then, and after that the last
 * again. What the module cache has is found by module version too, because another component may ask for more or fewer
 * of them at once.
 */
class ByQuestion implements Fetcher {
  readonly #answers = new Map<string, Response[]>();
  readonly #held = new Map<string, Result<Holding, Failure>>();

  constructor(exchange: Exchanged[][]) {
    for (const { request, response } of exchange.flat()) {
      const question = key('exchange.request', request);
      const answers = this.#answers.get(question);
      if (answers === undefined) {
        this.#answers.set(question, [response]);
      } else {
        answers.push(response);
      }
      if (request.tag === 'held') {
        request.val.forEach((module, i) => this.#hold(key('types.module-version', module), holding(response, i)));
      }
    }
  }

  answer(requests: Request[]): Response[] {
    return requests.map((request) => {
      const answer = this.#recorded(request) ?? (request.tag === 'held' ? this.#holdings(request.val) : undefined);
      if (answer === undefined) {
        throw new EvidenceError('not-recorded', `this component asks for what was never recorded: ${name(request)}`);
      }
      return answer;
    });
  }

  /** Another component may need less. */
  finish(): void {}

  #recorded(request: Request): Response | undefined {
    const answers = this.#answers.get(key('exchange.request', request));
    return answers !== undefined && answers.length > 1 ? answers.shift() : answers?.[0];
  }

  #hold(module: string, holding: Result<Holding, Failure> | undefined): void {
    if (holding !== undefined && !this.#held.has(module)) {
      this.#held.set(module, holding);
    }
  }

  #holdings(modules: ModuleVersion[]): Response | undefined {
    const all: Result<Holding, Failure>[] = [];
    for (const module of modules) {
      const held = this.#held.get(key('types.module-version', module));
      if (held === undefined) {
        return undefined;
      }
      all.push(held);
    }
    // As in host/src/evidence/replay.rs: nothing is known where one is not, and otherwise the first failure stands.
    const holdings: Holding[] = [];
    for (const held of all) {
      if (held.tag === 'err') {
        return held;
      }
      holdings.push(held.val);
    }
    return { tag: 'ok', val: { tag: 'holdings', val: holdings } };
  }
}

/** What a response to `held` says of the module version at a place. */
function holding(response: Response, at: number): Result<Holding, Failure> | undefined {
  if (response.tag === 'err') {
    return response;
  }
  const held = response.val.tag === 'holdings' ? response.val.val[at] : undefined;
  return held === undefined ? undefined : { tag: 'ok', val: held };
}

/** Makes evidence of a run: hand it to {@link Verifier.verify} as its watch. */
export class Recorder implements Watch {
  readonly #watch: Watch;
  readonly #exchange: Exchanged[][] = [];
  #job: Job | undefined;

  /** Tells another watch too. One recorder is for one run. */
  constructor(watch: Watch = {}) {
    this.#watch = watch;
  }

  started(job: Job): void | Promise<void> {
    if (this.#job !== undefined) {
      throw new Error('a recorder is for one run');
    }
    this.#job = job;
    return this.#watch.started?.(job);
  }

  step(progress: Progress): void | Promise<void> {
    return this.#watch.step?.(progress);
  }

  keep(kept: Kept[]): void | Promise<void> {
    return this.#watch.keep?.(kept);
  }

  exchanged(requests: Request[], responses: Response[]): void | Promise<void> {
    this.#exchange.push(requests.map((request, i) => ({ request, response: responses[i] as Response })));
    return this.#watch.exchanged?.(requests, responses);
  }

  /** The evidence of the run that ended so. There is none of a job that was refused: it has no outcome. */
  evidence(end: End): Evidence {
    if (this.#job === undefined || end.tag !== 'done') {
      throw new Error('there is evidence of a run that came to a report only');
    }
    return { job: this.#job, exchange: this.#exchange, outcome: end.outcome };
  }
}
