/**
 * The worker: it has the component, and no network.
 *
 * Security: a worker has a Content-Security-Policy of its own, from the headers of its script, which plain file hosting
 * does not send. So nothing here fetches: what could is taken away before the component is compiled, and bytes come
 * from the page by message. The component itself imports `blob` alone.
 */

import { EvidenceError, readEvidence, writeEvidence } from '../verifier/evidence.js';
import { Recorder, replay } from '../verifier/replay.js';
import { Verifier } from '../verifier/verifier.js';
import type { Evidence, Job, Kept, Progress, Request, Response, Watch } from '../verifier/index.js';
import { FileBlob, digests } from './files.js';
import { answerHere, measured, refused } from './here.js';
import { Memory } from './memory.js';
import type {
  Calls,
  Doing,
  FromWorker,
  Hashed,
  Local,
  LocalZip,
  Method,
  Ran,
  Replayed,
  ToWorker,
  Wrong,
} from './protocol.js';
import { Sayings } from './said.js';

/** Every way of a worker to the network that has a name. What has none, `import()`, this file does not use. */
const NETWORK = [
  'BackgroundFetchManager',
  'EventSource',
  'FontFace',
  'WebSocket',
  'WebSocketStream',
  'WebTransport',
  'Worker',
  'XMLHttpRequest',
  'caches',
  'fetch',
  'importScripts',
];
for (const name of NETWORK) {
  for (let holder: object | null = self; holder; holder = Object.getPrototypeOf(holder) as object | null) {
    Reflect.deleteProperty(holder, name);
  }
  Object.defineProperty(self, name, { value: undefined, configurable: false, writable: false });
}

/** GitHub's limit: SARIF has no more results. */
const MAX_RESULTS = 25_000;

/** A call may come while the component is still being compiled: it waits. */
let verifier: Promise<Verifier> | undefined;
const memory = new Memory();
let runs = 0;
/** The last run: what an evidence file is made of, or the one that was replayed. */
let last: { run: number; evidence: Evidence | Uint8Array } | undefined;
/** Calls that wait for answers of the page. */
const waiting = new Map<number, (responses: Response[]) => void>();

const say = (message: FromWorker): void => self.postMessage(message);

self.onmessage = ({ data }: MessageEvent<ToWorker>): void => {
  const { id } = data;
  if (data.tag === 'answers') {
    const resolve = waiting.get(id);
    waiting.delete(id);
    resolve?.(data.responses);
    return;
  }
  dispatch(data).then(
    (get) => say({ tag: 'result', id, get }),
    (error: unknown) => say({ tag: 'error', id, error: wrong(error) }),
  );
};

async function dispatch(call: Extract<ToWorker, { tag: 'call' }>): Promise<Calls[Method]['get']> {
  const progress = (doing: Doing): void => say({ tag: 'progress', id: call.id, progress: doing });
  switch (call.method) {
    case 'load':
      verifier = Verifier.load(call.ask.component);
      return { digest: (await verifier).digest };
    case 'run':
      return run(call.id, call.ask.job, call.ask.local, progress);
    case 'replay':
      return again(call.ask.file, call.ask.otherComponent, progress);
    case 'evidence':
      if (last?.run !== call.ask.run) throw new Error('another run has taken its place: verify again');
      return { file: last.evidence instanceof Uint8Array ? last.evidence : await writeEvidence(last.evidence) };
    case 'sarif': {
      const options = { category: 'modanchor', prefix: '', links: [], maxResults: MAX_RESULTS };
      return { file: await (await loaded()).sarif(call.ask.report, options) };
    }
    case 'hash':
      return hash(call.ask.zip, false, progress);
    case 'digests':
      return digests(call.ask.file);
  }
}

function loaded(): Promise<Verifier> {
  return verifier ?? Promise.reject(new Error('the component is not loaded'));
}

function wrong(error: unknown): Wrong {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof EvidenceError ? { message, code: error.code } : { message };
}

/** Looks on at a run, for what the page shows of it. */
class Onlooker implements Watch {
  readonly proofs = new Map<string, Uint8Array>();
  readonly heads: Uint8Array[] = [];
  readonly forks: { name: string; content: Uint8Array }[] = [];
  readonly said = new Sayings();
  readonly #progress: (doing: Doing) => void;

  constructor(progress: (doing: Doing) => void) {
    this.#progress = progress;
  }

  step(progress: Progress): void {
    this.#progress({ of: 'run', progress });
  }

  keep(kept: readonly Kept[]): void {
    for (const one of kept) {
      if (one.tag === 'item' && one.val.item.tag === 'proof') this.proofs.set(one.val.item.val, one.val.content);
      if (one.tag === 'evidence') this.forks.push({ name: one.val.name, content: one.val.content });
    }
  }

  exchanged(requests: readonly Request[], responses: readonly Response[]): void {
    this.said.add(requests, responses);
    requests.forEach((request, at) => {
      const response = responses[at];
      const content = response?.tag === 'ok' && response.val.tag === 'body' ? response.val.val.content : undefined;
      if (request.tag === 'advance') this.heads.push(request.val.next);
      if (request.tag !== 'recall' || !content) return;
      // What an earlier run kept of a record shows as much as what this one may keep.
      if (request.val.item.tag === 'proof') this.proofs.set(request.val.item.val, content);
      if (request.val.item.tag === 'latest') this.heads.push(content);
    });
  }
}

async function run(id: number, job: Job, local: Local, progress: (doing: Doing) => void): Promise<Ran> {
  const onlooker = new Onlooker(progress);
  const measure = async (zip: LocalZip, files: boolean): Promise<Response> => {
    const found = await hash(zip, files, progress);
    return 'refused' in found ? refused(found.refused) : measured(found);
  };
  const answer = async (requests: Request[]): Promise<Response[]> => {
    const responses: (Response | undefined)[] = [];
    // One after the other: hashing blocks, and everything else takes no time.
    for (const request of requests) responses.push(await answerHere(request, local, memory, measure));
    const rest = requests.filter((_, at) => !responses[at]);
    const fetched = rest.length > 0 ? await askPage(id, rest) : [];
    let next = 0;
    return responses.map((response) => response ?? (fetched[next++] as Response));
  };
  const recorder = new Recorder({
    step: (doing) => onlooker.step(doing),
    keep: (kept) => {
      memory.keep(kept);
      onlooker.keep(kept);
    },
    exchanged: (requests, responses) => onlooker.exchanged(requests, responses),
  });
  const end = await (await loaded()).verify(job, { answer }, recorder);
  return ran(job, end, onlooker, end.tag === 'done' ? recorder.evidence(end) : undefined);
}

/** Has the page answer what needs the network. */
function askPage(id: number, requests: Request[]): Promise<Response[]> {
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    say({ tag: 'need', id, requests });
  });
}

function ran(job: Job, end: Ran['end'], onlooker: Onlooker, evidence: Evidence | Uint8Array | undefined): Ran {
  runs += 1;
  last = evidence && { run: runs, evidence };
  const { proofs, heads, forks, said } = onlooker;
  return { run: runs, job, end, proofs, heads, forks, said: said.all() };
}

async function again(file: Uint8Array, otherComponent: boolean, progress: (doing: Doing) => void): Promise<Replayed> {
  const onlooker = new Onlooker(progress);
  const evidence = await readEvidence(file);
  const { outcome, sameComponent } = await replay(await loaded(), evidence, { otherComponent, watch: onlooker });
  const { job } = evidence;
  return { ...ran(job, { tag: 'done', outcome }, onlooker, file), recordedBy: job.tool.component, same: sameComponent };
}

/** h1 of a module zip, by Go's rules for one. */
async function hash(zip: LocalZip, files: boolean, progress: (doing: Doing) => void): Promise<Hashed> {
  const total = zip.file.size;
  const blob = new FileBlob(zip.file, (done) => progress({ of: 'hash', done, total }));
  const found = await (await loaded()).h1Zip(blob, zip.module, files);
  if (found.tag === 'ok') return found.val;
  if (found.val.tag === 'refused') return { refused: found.val.val };
  throw new Error('the zip cannot be read: was it changed, or moved, since it was dropped?');
}
