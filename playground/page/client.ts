/** The page's side of the worker. */

import type { Request, Response } from '../verifier/index.js';
import type { Calls, Doing, FromWorker, Method, ToWorker, Wrong } from './protocol.js';
import { scriptUrl } from './trusted.js';

/** A call that the worker gave up: what is wrong is what an evidence file's reader, or the component, says. */
export class Failed extends Error {
  readonly code: string | undefined;

  constructor(wrong: Wrong) {
    super(wrong.message);
    this.code = wrong.code;
  }
}

/** The user stopped it. */
export class Stopped extends Error {}

/** What a call may want of the page meanwhile. */
export interface Meanwhile {
  /** Answers what needs the network. */
  answer?(requests: Request[]): Promise<Response[]>;
  /** Shows how far it is. */
  progress?(doing: Doing): void;
}

interface Pending {
  readonly meanwhile: Meanwhile;
  resolve(get: Calls[Method]['get']): void;
  reject(error: Error): void;
}

/** A worker that has the component. */
export class Client {
  #component: Uint8Array = new Uint8Array();
  #worker: Worker;
  #next = 0;
  #pending = new Map<number, Pending>();

  private constructor() {
    this.#worker = this.#start();
  }

  /**
   * Starts a worker, and has it compile the component when that has come. Gives the digest that the worker measured.
   */
  static async start(component: Promise<Uint8Array>): Promise<{ client: Client; digest: string }> {
    // The worker's script is loaded meanwhile.
    const client = new Client();
    client.#component = await component;
    const { digest } = await client.call('load', { component: client.#component });
    return { client, digest };
  }

  #start(): Worker {
    const worker = new Worker(scriptUrl('worker.js'), { name: 'modanchor' });
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#hear(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(new Failed({ message: `the worker stopped: ${event.message || 'worker.js could not be loaded'}` }));
    };
    return worker;
  }

  call<M extends Method>(method: M, ask: Calls[M]['ask'], meanwhile: Meanwhile = {}): Promise<Calls[M]['get']> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { meanwhile, resolve: resolve as Pending['resolve'], reject });
      this.#say({ tag: 'call', id, method, ask } as ToWorker);
    });
  }

  /** Ends whatever the worker is doing, a computation included, and starts another. What it remembered is gone. */
  async stop(): Promise<void> {
    this.#worker.terminate();
    this.#fail(new Stopped('stopped'));
    this.#worker = this.#start();
    await this.call('load', { component: this.#component });
  }

  #say(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #fail(error: Error): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(error);
  }

  #hear(message: FromWorker): void {
    const { id } = message;
    const pending = this.#pending.get(id);
    if (!pending) return;
    switch (message.tag) {
      case 'result':
        this.#pending.delete(id);
        pending.resolve(message.get);
        return;
      case 'error':
        this.#pending.delete(id);
        pending.reject(new Failed(message.error));
        return;
      case 'progress':
        pending.meanwhile.progress?.(message.progress);
        return;
      case 'need': {
        const offline = (): Response[] => message.requests.map(() => ({ tag: 'err', val: 'offline' }));
        const answer = pending.meanwhile.answer?.(message.requests) ?? Promise.resolve(offline());
        answer.then(
          (responses) => this.#pending.has(id) && this.#say({ tag: 'answers', id, responses }),
          (error: Error) => {
            this.#pending.delete(id);
            pending.reject(error);
          },
        );
      }
    }
  }
}
