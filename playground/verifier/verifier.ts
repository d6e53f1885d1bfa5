/**
 * A host around the component, for JavaScript: it hands over a job, answers what the component asks by way of a {@link
 * Fetcher}, and gives back how it ended. Like every host of modanchor it decides nothing.
 *
 * - Only the component that this package was built for is run: {@link Verifier.load} compares the digest.
 * - Every run has an instance, and a memory, of its own: none sees what another left behind.
 * - A job and its answers are checked against the contract before they enter; mistakes are errors, never another
 *   meaning.
 */

import built from './generated/component.json' with { type: 'json' };
import { instantiate, type ImportObject, type Root } from './generated/modanchor.js';
import { sha256 } from './bytes.js';
import { check } from './codec.js';
import { coreModules, moduleName } from './component.js';
import type {
  BuildInfo,
  HashingError,
  Job,
  Kept,
  Measured,
  ModuleVersion,
  Outcome,
  Progress,
  ReadError,
  Refusal,
  Request,
  Response,
  Result,
  SarifOptions,
} from './contract.js';

/** The digest of the component that this package was built for: `sha256:` and 64 lower-case hexadecimal digits. */
export const COMPONENT_DIGEST: string = built.digest;

/** The most times that a component may ask in one run. Evidence holds as many (docs/evidence.md). */
export const MAX_ROUNDS = 10_000;

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
export type End = { tag: 'done'; outcome: Outcome } | { tag: 'refused'; refusal: Refusal };

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
export class VerifierError extends Error {
  override name = 'VerifierError';

  constructor(
    readonly code:
      | 'wrong-component' // The bytes are not the component that this package was built for.
      | 'no-component' // The package's own modanchor.wasm could not be read.
      | 'wrong-answers' // A fetcher did not answer the whole of a list.
      | 'too-many-rounds' // More than MAX_ROUNDS.
      | 'trap' // The component gave up. This is a bug in it; the run has no verdict.
      | 'not-a-report', // What should be rendered is no report.
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The component, compiled and ready. */
export class Verifier {
  readonly #modules: ReadonlyMap<string, WebAssembly.Module>;

  private constructor(
    /** The component's digest: `sha256:` and 64 lower-case hexadecimal digits. */
    readonly digest: string,
    modules: ReadonlyMap<string, WebAssembly.Module>,
  ) {
    this.#modules = modules;
  }

  /**
   * Compiles the component, `modanchor.wasm`. Throws a {@link VerifierError} if it is not the one that this package was
   * built for: the JavaScript around another would not fit.
   */
  static async load(component: Uint8Array): Promise<Verifier> {
    const digest = await sha256(component);
    if (digest !== COMPONENT_DIGEST) {
      const message = `the component is ${digest}, and this package was built for ${COMPONENT_DIGEST}`;
      throw new VerifierError('wrong-component', message);
    }
    const cut = coreModules(component).map(async (bytes, i) => {
      return [moduleName(i), await WebAssembly.compile(bytes as BufferSource)] as const;
    });
    return new Verifier(digest, new Map(await Promise.all(cut)));
  }

  /**
   * Runs a job to its end. `job.tool.component` is set to the component's own digest, so that a report names its judge.
   *
   * Throws a ContractError if the job or an answer is not what the contract says, a {@link VerifierError}, and whatever
   * the fetcher and the watch throw. Then there is no verdict.
   *
   * The component may ask at most `maxRounds` times.
   */
  async verify(job: Job, fetcher: Fetcher, watch: Watch = {}, maxRounds = MAX_ROUNDS): Promise<End> {
    check('job.job', job);
    const judged: Job = { ...job, tool: { ...job.tool, component: this.digest } };
    await watch.started?.(judged);
    const { Verification } = (await this.#instance()).verify;
    const verification = guarded(() => new Verification(judged));
    let answers: Response[] = [];
    for (let round = 0; ; round++) {
      const step = guarded(() => verification.step(answers));
      await watch.step?.(step.progress);
      if (step.keep.length > 0) {
        await watch.keep?.(step.keep);
      }
      switch (step.next.tag) {
        case 'done':
          return { tag: 'done', outcome: step.next.val };
        case 'refused':
          return { tag: 'refused', refusal: step.next.val };
        case 'need': {
          if (round === maxRounds) {
            throw new VerifierError('too-many-rounds', `the component asked ${maxRounds} times and has no verdict yet`);
          }
          const requests = step.next.val;
          answers = await fetcher.answer(requests);
          checkAnswers(answers, requests.length);
          await watch.exchanged?.(requests, answers);
        }
      }
    }
  }

  /** A report, as `outcome.report` has it, as SARIF 2.1.0, UTF-8. */
  async sarif(report: Uint8Array, options: SarifOptions): Promise<Uint8Array> {
    check('render.sarif-options', options);
    const { render } = await this.#instance();
    const rendered = result<Uint8Array, 'not-a-report'>(() => render.sarif(report, options));
    if (rendered.tag === 'err') {
      throw new VerifierError('not-a-report', 'these bytes are not a report, modanchor-report/1');
    }
    return rendered.val;
  }

  /**
   * The h1 of a module's zip, in constant memory. With `rules`, the zip must be one that Go accepts for that module
   * version. With `files`, the list of files comes too.
   */
  async h1Zip(zip: SyncBlob, rules?: ModuleVersion, files = false): Promise<Result<Measured, HashingError>> {
    if (rules !== undefined) {
      check('types.module-version', rules);
    }
    const bytes = new HostBlob(zip);
    const { hashing } = await this.#instance();
    return result(() => hashing.h1Zip(bytes, rules, files));
  }

  /** The h1 of a go.mod. */
  async h1Mod(goMod: SyncBlob): Promise<Result<Measured, HashingError>> {
    const bytes = new HostBlob(goMod);
    const { hashing } = await this.#instance();
    return result(() => hashing.h1Mod(bytes));
  }

  /** What a Go program, ELF, Mach-O or PE, says of its build. */
  async program(program: SyncBlob): Promise<Result<BuildInfo, HashingError>> {
    const bytes = new HostBlob(program);
    const { hashing } = await this.#instance();
    return result(() => hashing.program(bytes));
  }

  /** A new instance. */
  async #instance(): Promise<Root> {
    // jco's code asks for the name without the version that its types have.
    const imports = { 'modanchor:verifier/blob': { Blob: HostBlob } } as unknown as ImportObject;
    return instantiate((name) => {
      const module = this.#modules.get(name);
      if (module === undefined) {
        throw new VerifierError('wrong-component', `the component has no core module ${name}`);
      }
      return module;
    }, imports);
  }
}

/** `blob` of the contract over a {@link SyncBlob}. What it throws that is no Error is the contract's `read-error`. */
class HostBlob {
  readonly #bytes: SyncBlob;
  readonly #size: bigint;

  /** Throws a RangeError for a size that is none. It is asked for once: it must be the same at every call. */
  constructor(bytes: SyncBlob) {
    const { size } = bytes;
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new RangeError('the size of a blob is not a number of bytes');
    }
    this.#bytes = bytes;
    this.#size = BigInt(size);
  }

  size(): bigint {
    return this.#size;
  }

  readAt(offset: bigint, length: number): Uint8Array {
    let bytes;
    try {
      bytes = this.#bytes.readAt(Number(offset), length);
    } catch {
      throw 'failed' satisfies ReadError;
    }
    if (!(bytes instanceof Uint8Array) || bytes.length !== length) {
      throw 'changed' satisfies ReadError;
    }
    return bytes;
  }
}

/** Bytes in memory, as hashing reads them. */
export function syncBlob(bytes: Uint8Array): SyncBlob {
  return { size: bytes.length, readAt: (offset, length) => bytes.subarray(offset, offset + length) };
}

/** Refuses answers that are not one response for each request. */
function checkAnswers(answers: unknown, requests: number): asserts answers is Response[] {
  if (!Array.isArray(answers) || answers.length !== requests) {
    const given = Array.isArray(answers) ? `${answers.length} answers` : 'no list of answers';
    throw new VerifierError(
      'wrong-answers',
      `the fetcher gave ${given} to ${requests} requests: each needs one, in order`,
    );
  }
  for (const answer of answers) {
    check('exchange.response', answer);
  }
}

/** Runs what is in the component. A trap is said to be one; a stack that is too deep is a RangeError in some engines. */
function guarded<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) {
      throw new VerifierError('trap', 'the component stopped without a verdict: please report this', { cause: error });
    }
    throw error;
  }
}

/**
 * What a function of the component gives back: jco throws an error with a `payload` where the contract has a result.
 */
function result<T, E>(call: () => T): Result<T, E> {
  try {
    return { tag: 'ok', val: guarded(call) };
  } catch (error) {
    if (error instanceof Error && Object.hasOwn(error, 'payload')) {
      return { tag: 'err', val: (error as Error & { payload: E }).payload };
    }
    throw error;
  }
}
