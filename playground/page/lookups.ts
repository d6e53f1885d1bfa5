/**
 * Look-ups: the only use of the network for a run. A checksum database is asked, with the paths that the core names, of
 * the places that the page was built for.
 *
 * Security: the core verifies every answer, so nothing here is trusted. What matters here is what leaves the page:
 * module paths and versions, after a click, to the places that the button names; no credentials, no referrer, no
 * redirects.
 */

import type { Failure, Request, Response } from '../verifier/index.js';
import { concat } from './bytes.js';
import type { SumdbGet } from './types.js';

/** How many requests are under way at once. */
const AT_ONCE = 24;
/** How long one may take, in milliseconds. */
const TIMEOUT = 30_000;
/** The most bytes of the answer to `supported`, which has none that matter. */
const MAX_SUPPORTED = 1 << 16;

const failure = (val: Failure): Response => ({ tag: 'err', val });

/**
 * Where databases are asked: the first place that says that it has one is asked for everything, as GOPROXY is walked.
 */
export class Places {
  readonly #found = new Map<string, string>();

  /** `bases`: URLs with a slash at the end; `sumdb/NAME/PATH` is relative to them. */
  constructor(readonly bases: readonly string[]) {}

  /** The URL below which a database is, if one of the places has it. */
  async find(database: string, signal?: AbortSignal): Promise<string | undefined> {
    const known = this.#found.get(database);
    if (known) return known;
    for (const base of this.bases) {
      const url = new URL(`sumdb/${database}/`, base);
      const answer = await get(new URL('supported', url), MAX_SUPPORTED, signal);
      if (answer.tag === 'ok') {
        this.#found.set(database, url.href);
        return url.href;
      }
    }
    // Not remembered: somebody may start a server, and try again.
    return undefined;
  }
}

/** Answers look-ups, each list whole and in order. */
export class Lookups {
  constructor(
    readonly places: Places,
    /** Answers so far, and asked in all: for a progress bar. */
    readonly watch: (done: number, of: number) => void,
    /** Stops what is under way. */
    readonly signal: AbortSignal,
  ) {}

  async answer(requests: readonly Request[]): Promise<Response[]> {
    const responses = new Array<Response>(requests.length);
    let next = 0;
    let done = 0;
    this.watch(done, requests.length);
    const take = async (): Promise<void> => {
      for (let at = next++; at < requests.length; at = next++) {
        const request = requests[at];
        responses[at] = request?.tag === 'sumdb' ? await this.#sumdb(request.val) : failure('offline');
        done += 1;
        this.watch(done, requests.length);
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, requests.length) }, take));
    return responses;
  }

  async #sumdb(request: SumdbGet): Promise<Response> {
    const place = await this.places.find(request.database, this.signal);
    if (!place) return failure('offline');
    const url = new URL(place + request.path);
    // The path is the core's: visible ASCII, no `.` or `..`. It cannot leave the place, and what would is not sent.
    const stays = url.href === place + request.path && url.search === '' && url.hash === '';
    return stays ? get(url, request.maxBytes, this.signal) : failure('absent');
  }
}

/** Fetches, with a cap. A failure is an answer like any other. */
async function get(url: URL, maxBytes: number, signal?: AbortSignal): Promise<Response> {
  const timeout = AbortSignal.timeout(TIMEOUT);
  let response: globalThis.Response;
  try {
    response = await fetch(url, {
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
  } catch {
    return failure(timeout.aborted ? 'timed-out' : 'unreachable');
  }
  const refuse = async (why: Failure): Promise<Response> => {
    await response.body?.cancel().catch(() => undefined);
    return failure(why);
  };
  if (!response.ok) return refuse(ofStatus(response.status));
  // Many hosts answer every path with their start page.
  if (/^text\/html\b/i.test(response.headers.get('content-type') ?? '')) return refuse('not-data');
  try {
    const parts: Uint8Array[] = [];
    let size = 0;
    const reader = response.body?.getReader();
    for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
      size += read.value.length;
      if (size > maxBytes) {
        await reader?.cancel().catch(() => undefined);
        return failure('too-large');
      }
      parts.push(read.value);
    }
    return { tag: 'ok', val: { tag: 'body', val: { content: concat(parts), origin: 'remote' } } };
  } catch {
    return failure(timeout.aborted ? 'timed-out' : 'truncated');
  }
}

function ofStatus(status: number): Failure {
  if (status === 404 || status === 410) return 'absent';
  if (status === 429) return 'rate-limited';
  if (status === 401 || status === 403 || status === 407) return 'denied';
  return status >= 500 ? 'server-error' : 'unexpected-status';
}
