/**
 * The page: what is dropped, what can be done with it, and what came of it.
 *
 * Security: everything that is shown goes in as text (dom.ts), with what does not show made visible. The network is
 * used for the page's own files, and, after a press on a button that says so, for look-ups (lookups.ts). Nothing else
 * leaves.
 */

import type { Job, Request, Response } from '../verifier/index.js';
import { BUILD } from './build-info.js';
import { concat, grouped, hex, sha256, size } from './bytes.js';
import { claimsView, type Own } from './claims.js';
import { Client, Failed, Stopped, type Meanwhile } from './client.js';
import { button, byId, code, h, replace, shown, type Child } from './dom.js';
import type { SourceText } from './editor.js';
import { filesCard } from './filescard.js';
import { blobJob, checkoutJob, GO_SUMDB_NAME, tufJob, type Setting } from './jobs.js';
import { Lookups, Places } from './lookups.js';
import { digestOf, missing, modulesIn, planOf, readDoc, type Doc, type Plan } from './plan.js';
import type { Doing, Local, Ran, Replayed } from './protocol.js';
import { resultView, type Actions } from './result.js';
import { ownRoot, shippedRoot } from './roots.js';
import { fromFragment, isShared, MAX_FILES, toFragment } from './share.js';
import { startTheme } from './theme.js';
import { scriptUrl } from './trusted.js';
import type { Identity, TrustedRoot } from './types.js';
import { hasHidden, isUnsafe, visibleText } from './visible.js';

/** The most files at once. */
const MAX_DOCS = 64;

const TITLE = document.title;

/** What a link may bring. */
const SHARED: ReadonlySet<string> = new Set(['go.sum', 'go.work.sum', 'go.mod', 'go.work']);

const LINE_FEED = Uint8Array.of(10);

const NO_FILES: Local = { zips: [], tuf: new Map() };

const places = new Places([BUILD.sumdb, new URL('.', document.baseURI).href].filter((base) => base !== ''));

let docs: Doc[] = [];
let plan: Plan = { tag: 'nothing' };
/** Compiles in the background; what needs it waits. */
let ready: Promise<{ client: Client; digest: string }>;
/** Something runs: how to stop it. */
let running: (() => void) | undefined;
/** Counts runs, so that what comes late is not shown. */
let turn = 0;
/** What was typed into the fields of a signature. */
const fields = new Map<string, string>();

// The component

async function component(): Promise<Uint8Array> {
  const response = await fetch('modanchor.wasm', { credentials: 'same-origin', mode: 'cors' });
  if (!response.ok) throw new Error(`modanchor.wasm cannot be had: HTTP status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function load(): Promise<{ client: Client; digest: string }> {
  if (!isSecureContext) throw new Error('it needs https, or localhost: browsers have no SHA-256 elsewhere');
  return Client.start(component());
}

async function start(): Promise<void> {
  const state = byId('state');
  ready = load();
  try {
    const { digest } = await ready;
    replace(state, 'component ', code(digest.slice(0, 19)), '… ready');
    replace(byId('foot-facts'), `modanchor ${BUILD.version} · component `, code(digest), ' · look-ups: ', placesText());
  } catch (error) {
    state.classList.add('state-bad');
    replace(state, 'the component could not be started: ', shown((error as Error).message));
  }
  // Afterwards: what is kept for later must not slow down the first verdict. Without a service worker, as in a private
  // window, the page works as long as it is open.
  if ('serviceWorker' in navigator) await navigator.serviceWorker.register(scriptUrl('sw.js')).catch(() => undefined);
}

function placesText(): string {
  return places.bases.map((base) => `${base}sumdb/…`).join(', then ');
}

function setting(component: string): Setting {
  return { version: BUILD.version, component, now: Date.now() };
}

// Files in

function notice(tone: 'bad' | 'warn' | 'note', ...children: Child[]): HTMLElement {
  const close = button('×', 'button button-plain button-small', () => element.remove(), {
    'aria-label': 'Close this message',
  });
  const element = h('div', { class: `notice notice-${tone}` }, h('div', {}, ...children), close);
  byId('notices').append(element);
  return element;
}

async function take(files: readonly { file: File; name?: string }[]): Promise<void> {
  byId('notices').replaceChildren();
  for (const { file, name } of files.slice(0, MAX_DOCS)) {
    let doc: Doc;
    try {
      doc = await readDoc(file, name ?? file.name);
    } catch {
      notice('bad', code(name ?? file.name), ' cannot be read: is it a folder? Drop the files in it.');
      continue;
    }
    // A checkout has one go.sum: what is dropped later takes the place of what is there. Evidence stands alone.
    const once = ['go.sum', 'go.mod', 'go.work', 'go.work.sum', 'bundle', 'public-key', 'trusted-root', 'evidence'];
    docs = docs.filter((old) => !(once.includes(doc.is.kind) && old.is.kind === doc.is.kind) && old.name !== doc.name);
    docs.push(doc);
  }
  if (files.length > MAX_DOCS) notice('warn', `Only the first ${MAX_DOCS} of ${files.length} files were taken.`);
  await changed();
}

function takeText(text: string, name = 'pasted'): Promise<void> {
  return take([{ file: new File([text], name), name }]);
}

/** The files are others now: what was judged is no longer what is shown. */
async function changed(): Promise<void> {
  turn += 1;
  running?.();
  document.title = TITLE;
  plan = planOf(docs);
  replace(byId('result'));
  byId('docs').replaceChildren(...docs.map(docItem));
  showSources();
  await showPlan();
}

function docItem(doc: Doc): HTMLElement {
  const isArtifact = plan.tag === 'blob' && plan.artifact === doc;
  const wrong = doc.is.kind === 'other' && !isArtifact && plan.tag !== 'evidence';
  const remove = button(
    'Remove',
    'button button-small',
    () => {
      docs = docs.filter((other) => other !== doc);
      byId('notices').replaceChildren();
      void changed();
      byId('input').focus();
    },
    { 'aria-label': `Remove ${visibleText(doc.name)}` },
  );
  const module = doc.is.module && `: ${doc.is.module.path}@${doc.is.module.version}`;
  return h(
    'li',
    { class: `doc ${wrong ? 'doc-bad' : ''}` },
    h(
      'div',
      { class: 'doc-main' },
      h('span', { class: 'doc-name' }, shown(doc.name)),
      h(
        'p',
        { class: 'sub' },
        isArtifact ? `what the bundle signs (${doc.is.what})` : shown(doc.is.what + (module ?? '')),
        ` · ${size(doc.file.size)}`,
      ),
      wrong && doc.is.advice && h('p', { class: 'sub' }, shown(doc.is.advice), '.'),
    ),
    remove,
  );
}

function sourcesOf(files: readonly { path: string; content: Uint8Array }[]): SourceText[] {
  // What is judged first, then what asks for it.
  const sorted = files.toSorted(
    (one, other) => Number(!one.path.endsWith('.sum')) - Number(!other.path.endsWith('.sum')),
  );
  return sorted.map(({ path, content }) => ({
    path,
    text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(content),
  }));
}

function showSources(): void {
  const holder = byId('source');
  if (plan.tag !== 'checkout') return replace(holder);
  replace(holder, filesCard(sourcesOf(plan.files), undefined, edit));
}

/** Puts a file's text into a field. What does not show in it is listed beside it, since a field cannot show it. */
function edit(path: string): void {
  if (plan.tag !== 'checkout') return;
  const source = sourcesOf(plan.files).find((file) => file.path === path);
  if (!source) return;
  const hidden = h('p', { class: 'sub', role: 'status' });
  const field = h('textarea', {
    rows: 18,
    spellcheck: 'false',
    autocapitalize: 'off',
    dir: 'ltr',
    'aria-label': `Text of ${visibleText(path)}`,
    wrap: 'off',
  });
  field.value = source.text;
  const look = (): void => {
    const found = field.value.split('\n').flatMap((line, at) => {
      if (!hasHidden(line.replaceAll('\t', ''))) return [];
      const odd = [...line].filter((character) => character !== '\t' && isUnsafe(character.codePointAt(0) ?? 0));
      return odd.length > 0 ? [h('span', {}, ` line ${at + 1}: `, shown(odd.join('')), ' ')] : [];
    });
    replace(hidden, ...(found.length > 0 ? ['Characters that do not show:', ...found.slice(0, 20)] : []));
  };
  field.addEventListener('input', look);
  look();
  const apply = button('Use this text', 'button button-main', () => void takeText(field.value, path));
  const cancel = button('Leave it as it was', 'button', showSources);
  const view = h(
    'section',
    { class: 'card', 'aria-labelledby': 'edit-title' },
    h('div', { class: 'card-head' }, h('h2', { id: 'edit-title' }, 'Edit ', code(path))),
    h('div', { class: 'card-body' }, field, hidden, h('div', { class: 'downloads' }, apply, cancel)),
  );
  replace(byId('result'));
  replace(byId('source'), view);
  field.focus();
}

// What can be done

async function showPlan(): Promise<void> {
  const holder = byId('plan');
  replace(holder);
  const lacks = missing(docs);
  if (lacks) holder.append(h('p', { class: 'sub' }, lacks, '.'));
  switch (plan.tag) {
    case 'nothing':
      return;
    case 'checkout':
      return showCheckout(holder, plan);
    case 'zip':
      return showZip(holder, plan);
    case 'blob':
      return showBlob(holder, plan);
    case 'tuf':
      return showTuf(holder, plan);
    case 'evidence':
      return replayDoc(plan.doc, false);
  }
}

function row(...children: Child[]): HTMLElement {
  return h('div', { class: 'plan-row' }, ...children);
}

function showCheckout(holder: HTMLElement, { files, zips }: Extract<Plan, { tag: 'checkout' }>): void {
  const count = modulesIn(files);
  const modules = count === 1 ? '1 module version' : `${grouped(count)} module versions`;
  const run = button(`Look up ${modules} and verify`, 'button button-main', () => void runCheckout(files, zips, true), {
    id: 'run',
  });
  const only = button('Judge the file alone', 'button', () => void runCheckout(files, zips, false), {
    id: 'run-alone',
  });
  holder.append(
    row(
      run,
      only,
      h(
        'p',
        { class: 'sub' },
        'Looking up sends the module paths and versions, and nothing else, to ',
        ...places.bases.flatMap((base, at) => [at > 0 ? ', or if that has no database to ' : '', code(base)]),
        '. The file alone can be wrong too; no look-up is needed to see that.',
      ),
    ),
  );
}

async function runCheckout(
  files: Parameters<typeof checkoutJob>[1],
  zips: Local['zips'],
  look: boolean,
): Promise<void> {
  const stop = new AbortController();
  if (look) {
    byId('notices').replaceChildren();
    working('Asking who has the checksum database…', () => stop.abort());
    const found = await places.find(GO_SUMDB_NAME, stop.signal);
    done();
    if (stop.signal.aborted) return;
    if (!found) return void nobody();
  }
  await run(
    (digest) => checkoutJob(setting(digest), files, zips.length > 0),
    { ...NO_FILES, zips },
    look ? (requests, watch) => new Lookups(places, watch, stop.signal).answer(requests) : undefined,
    sourcesOf(files),
    () => stop.abort(),
  );
}

/** Neither place answers. */
function nobody(): void {
  const where = places.bases.flatMap((base, at) => [at > 0 ? ' and ' : '', code(`${base}sumdb/${GO_SUMDB_NAME}`)]);
  const what = notice(
    'warn',
    h('strong', {}, 'No checksum database answers at '),
    ...where,
    h('strong', {}, '.'),
    ' No module path was sent. What you can do:',
    h(
      'ul',
      {},
      h(
        'li',
        {},
        '– let the program ask, and drop here what it recorded: ',
        code('modanchor verify --record run.evidence'),
      ),
      h('li', {}, '– try one of the samples above: they are evidence, and need no network'),
      h('li', {}, '– judge the file alone'),
    ),
  );
  what.setAttribute('tabindex', '-1');
  what.focus();
}

function showZip(holder: HTMLElement, { zip }: Extract<Plan, { tag: 'zip' }>): void {
  const press = (): void => void hashZip(zip);
  holder.append(
    row(
      button('Compute its h1', 'button button-main', press, { id: 'run' }),
      h(
        'p',
        { class: 'sub' },
        'By Go’s rules for module zips, in a worker of this page. Nothing is sent. ',
        'Drop the go.sum too, and the two are compared.',
      ),
    ),
  );
}

async function hashZip(zip: Local['zips'][number]): Promise<void> {
  const name = `${zip.module.path}@${zip.module.version}`;
  const found = await work(`Hashing ${visibleText(name)}…`, (client, meanwhile) => client.call('hash', { zip }, meanwhile));
  if (!found) return;
  if ('refused' in found) {
    notice(
      'bad',
      h('strong', {}, 'The go command would refuse this zip: '),
      shown(found.refused.text),
      ' (',
      code(found.refused.code),
      ')',
    );
    return;
  }
  const line = `${zip.module.path} ${zip.module.version} ${found.h1}\n`;
  const compare = button('Make it a go.sum, to compare', 'button button-small', () => void takeText(line, 'go.sum'));
  const view = h(
    'section',
    { class: 'card', 'aria-labelledby': 'zip-title' },
    h('div', { class: 'card-head' }, h('h2', { id: 'zip-title' }, 'The h1 of ', code(name))),
    h(
      'div',
      { class: 'card-body' },
      h('pre', { class: 'record', id: 'h1', dir: 'ltr' }, shown(line.trimEnd())),
      h(
        'p',
        { class: 'sub' },
        `over ${grouped(found.files)} files. This is what a go.sum must say; `,
        'whether the world gets the same zip, the checksum database says. ',
      ),
      compare,
    ),
  );
  replace(byId('result'), view);
  reveal();
}

const TEXT_FIELDS: readonly (readonly [string, string, string])[] = [
  ['subject', 'Who must have signed', 'https://github.com/OWNER/REPO/.github/workflows/release.yml@refs/tags/v1.0.0'],
  ['issuer', 'Vouched for by (OIDC issuer)', 'https://token.actions.githubusercontent.com'],
];

function showBlob(holder: HTMLElement, blob: Extract<Plan, { tag: 'blob' }>): void {
  const set = h('fieldset', { class: 'fields' }, h('legend', {}, 'Whose signature must it be?'));
  if (!blob.key) {
    for (const [name, label, placeholder] of TEXT_FIELDS) {
      const field = h('input', {
        type: 'text',
        id: `field-${name}`,
        placeholder,
        spellcheck: 'false',
        autocapitalize: 'off',
        autocomplete: 'off',
      });
      field.value = fields.get(name) ?? '';
      field.addEventListener('input', () => fields.set(name, field.value));
      set.append(h('div', { class: 'field' }, h('label', { for: field.id }, label), field));
    }
    const pattern = h('input', { type: 'checkbox', id: 'field-pattern' });
    pattern.checked = fields.get('pattern') === 'yes';
    pattern.addEventListener('change', () => fields.set('pattern', pattern.checked ? 'yes' : ''));
    set.append(
      h(
        'div',
        { class: 'field field-check' },
        pattern,
        ' ',
        h('label', { for: 'field-pattern' }, 'these are patterns (RE2)'),
      ),
    );
  }
  if (!blob.artifact) {
    const field = h('input', {
      type: 'text',
      id: 'field-sha256',
      placeholder: '64 hexadecimal digits',
      spellcheck: 'false',
      autocomplete: 'off',
    });
    field.value = fields.get('sha256') ?? '';
    field.addEventListener('input', () => fields.set('sha256', field.value));
    set.append(
      h(
        'div',
        { class: 'field' },
        h('label', { for: field.id }, 'SHA-256 of the signed file'),
        field,
        h('p', { class: 'sub' }, 'or drop the file itself'),
      ),
    );
  }
  const by = blob.root
    ? h('span', {}, 'Believed: the trusted root ', code(blob.root.name), '.')
    : `Believed: the trusted roots of Sigstore and GitHub of ${BUILD.roots.length > 0 ? 'this build' : 'nobody'}.`;
  holder.append(
    set,
    row(
      button('Verify the signature', 'button button-main', () => void runBlob(blob), { id: 'run' }),
      h(
        'p',
        { class: 'sub' },
        blob.key ? h('span', {}, 'By the key ', code(blob.key.name), '. ') : '',
        by,
        ' Nothing is sent.',
      ),
    ),
  );
}

async function runBlob(blob: Extract<Plan, { tag: 'blob' }>): Promise<void> {
  const typed = (name: string): string => (fields.get(name) ?? '').trim();
  const bundle = blob.bundle.bytes;
  if (!bundle) return;
  const subject = typed('subject');
  const issuer = typed('issuer');
  if (!blob.key && (subject === '' || issuer === '')) {
    notice('bad', 'Say who must have signed, and who vouches for that: a good signature of anybody proves nothing.');
    return;
  }
  let artifact: Parameters<typeof blobJob>[1]['artifact'];
  let name = blob.artifact?.name ?? '';
  if (blob.artifact) {
    const { file } = blob.artifact;
    const digests = await work('Hashing the file…', (client) => client.call('digests', { file }));
    if (!digests) return;
    artifact = { tag: 'file', val: { length: BigInt(file.size), ...digests } };
  } else {
    const digits = typed('sha256')
      .toLowerCase()
      .replace(/^sha256:/, '');
    if (!/^[0-9a-f]{64}$/.test(digits)) {
      notice('bad', 'Drop the file that was signed, or give its SHA-256: 64 hexadecimal digits.');
      return;
    }
    artifact = { tag: 'sha256', val: Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16)) };
    name = `sha256:${digits}`;
  }
  let roots: TrustedRoot[];
  try {
    roots = blob.root?.bytes ? [ownRoot(blob.root.bytes, blob.root.name)] : await shippedRoots();
  } catch (error) {
    notice('bad', 'The trusted roots of this page could not be loaded: ', shown((error as Error).message));
    return;
  }
  const identity: Identity =
    fields.get('pattern') === 'yes' ? { subjectRegexp: subject, issuerRegexp: issuer } : { subject, issuer };
  const task: Parameters<typeof blobJob>[1] = {
    name,
    artifact,
    signer: blob.key?.bytes ? { tag: 'key', val: blob.key.bytes } : { tag: 'identity', val: identity },
    bundle,
    requireLog: true,
    requireSct: true,
    requireTimestamp: false,
  };
  const local = { ...NO_FILES, ...(blob.artifact && { artifact: blob.artifact.file }) };
  await run((digest) => blobJob(setting(digest), task, roots), local, undefined, []);
}

async function shippedRoots(): Promise<TrustedRoot[]> {
  return Promise.all(
    BUILD.roots.map(async (root) => {
      const response = await fetch(root.file);
      const content = new Uint8Array(await response.arrayBuffer());
      if (!response.ok || hex(await sha256(content)) !== root.sha256)
        throw new Error(`${root.file} is not of this build`);
      return shippedRoot(root, content, BUILD.version);
    }),
  );
}

function showTuf(holder: HTMLElement, tuf: Extract<Plan, { tag: 'tuf' }>): void {
  holder.append(
    row(
      button('Verify the metadata', 'button button-main', () => void runTuf(tuf), { id: 'run' }),
      h(
        'p',
        { class: 'sub' },
        'From the root ',
        code(tuf.root.name),
        `, version ${tuf.root.is.role?.version ?? 0}, which is believed because you dropped it, `,
        'to newer roots, timestamp, snapshot and targets, as they were dropped. Nothing is sent.',
      ),
    ),
  );
}

async function runTuf({ root, metadata }: Extract<Plan, { tag: 'tuf' }>): Promise<void> {
  const { bytes } = root;
  if (!bytes) return;
  await run((digest) => tufJob(setting(digest), bytes, root.name, []), { ...NO_FILES, tuf: metadata }, undefined, []);
}

// Running

function working(text: string, stop: () => void): void {
  byId('progress').hidden = false;
  byId('progress-text').textContent = text;
  byId<HTMLProgressElement>('progress-bar').removeAttribute('value');
  running = stop;
  for (const id of ['run', 'run-alone']) document.getElementById(id)?.setAttribute('disabled', '');
}

function advance(text: string, done: number, of: number): void {
  const bar = byId<HTMLProgressElement>('progress-bar');
  bar.max = Math.max(1, of);
  bar.value = done;
  // A screen reader is told of what is done, not of each step of it.
  const label = byId('progress-text');
  if (label.textContent !== text) label.textContent = text;
}

function done(): void {
  byId('progress').hidden = true;
  running = undefined;
  for (const id of ['run', 'run-alone']) document.getElementById(id)?.removeAttribute('disabled');
}

const PHASES = {
  recalling: 'Reading what earlier runs kept…',
  'looking-up': 'Asking the database for records…',
  proving: 'Asking for tiles, checking proofs…',
  reporting: 'Writing the report…',
} as const;

function doing(of: Doing): void {
  if (of.of === 'hash') {
    advance(`Hashing: ${size(of.total)}`, of.done, of.total);
  } else {
    const { phase, settled, total } = of.progress;
    advance(PHASES[phase], Number(settled), Number(total));
  }
}

/**
 * Does something with the worker, with progress and a way to stop it. Nothing where it came to nothing: then that was
 * said.
 */
async function work<T>(
  text: string,
  what: (client: Client, meanwhile: Meanwhile, digest: string) => Promise<T>,
  alsoStop: () => void = () => undefined,
  failed: (error: Failed) => boolean = () => false,
): Promise<T | undefined> {
  const own = turn;
  byId('notices').replaceChildren();
  let client: Client | undefined;
  working(text, () => {
    alsoStop();
    void client?.stop();
  });
  try {
    const loaded = await ready;
    client = loaded.client;
    const got = await what(client, { progress: doing }, loaded.digest);
    return own === turn ? got : undefined;
  } catch (error) {
    if (error instanceof Stopped || own !== turn) return undefined;
    if (error instanceof Failed && failed(error)) return undefined;
    notice('bad', 'This could not be judged: ', shown((error as Error).message));
    return undefined;
  } finally {
    if (own === turn) done();
  }
}

async function run(
  job: (digest: string) => Job,
  local: Local,
  answer: ((requests: Request[], watch: (done: number, of: number) => void) => Promise<Response[]>) | undefined,
  sources: readonly SourceText[],
  alsoStop?: () => void,
): Promise<void> {
  const ran = await work(
    'Judging…',
    (client, meanwhile, digest) => {
      const watch = (count: number, of: number): void =>
        advance(of > 1 ? `Asking: ${grouped(of)} requests` : 'Asking…', count, of);
      const net = answer && { answer: (requests: Request[]) => answer(requests, watch) };
      return client.call('run', { job: job(digest), local }, { ...meanwhile, ...net });
    },
    alsoStop,
  );
  if (ran) show(ran, sources);
}

async function replayDoc(doc: Doc, otherComponent: boolean): Promise<void> {
  const file = doc.bytes;
  if (!file) return;
  const replayed = await work(
    'Judging again…',
    (client, meanwhile) => client.call('replay', { file, otherComponent }, meanwhile),
    undefined,
    (error) => {
      if (error.code === undefined) return false;
      refusedEvidence(doc, error);
      return true;
    },
  );
  if (!replayed) return;
  const { task } = replayed.job;
  const files = task.tag === 'verify' || task.tag === 'fix' ? task.val.files : [];
  const own: Own[] =
    plan.tag === 'evidence'
      ? await Promise.all(plan.own.map(async (doc) => ({ name: doc.name, sha256: await digestOf(doc) })))
      : [];
  const { digest } = await ready;
  const claims = await claimsView(replayed, await digestOf(doc), own, digest, BUILD.roots);
  show(replayed, sourcesOf(files), claims);
}

function refusedEvidence(doc: Doc, error: Failed): void {
  if (error.code === 'other-component') {
    const on = button('Judge with this page’s component', 'button button-small', () => void replayDoc(doc, true));
    notice('warn', h('strong', {}, 'Recorded with another component. '), shown(error.message), h('div', {}, on));
  } else {
    notice(
      'bad',
      h('strong', {}, 'This evidence is refused: '),
      shown(error.message),
      ' (',
      code(error.code ?? ''),
      ')',
    );
  }
}

function show(ran: Ran | Replayed, sources: readonly SourceText[], claims?: HTMLElement): void {
  const canShare = sources.length > 0 && plan.tag === 'checkout' && plan.zips.length === 0;
  const actions: Actions = {
    download: (what) => void download(ran, what),
    ...(claims && { claims }),
    ...(canShare && { share: () => void share(sources) }),
    ...(plan.tag === 'checkout' && { edit }),
  };
  replace(byId('source'));
  replace(byId('result'), ...resultView(ran, sources, actions));
  reveal();
}

/** Brings the result to who sees, and to who hears. */
function reveal(): void {
  const result = byId('result');
  const verdict = document.getElementById('verdict');
  (verdict ?? result).focus({ preventScroll: true });
  result.scrollIntoView({ block: 'start' });
  document.title = verdict ? `${verdict.textContent} · ${TITLE}` : TITLE;
}

// Taking away

async function download(ran: Ran, what: 'report' | 'sarif' | 'evidence'): Promise<void> {
  if (ran.end.tag !== 'done') return;
  const { report } = ran.end.outcome;
  const names = { report: 'report.json', sarif: 'report.sarif', evidence: 'run.evidence' };
  try {
    const { client } = await ready;
    const bytes = {
      // With a final line feed, as the program writes these two.
      report: () => concat([report, LINE_FEED]),
      sarif: async () => concat([(await client.call('sarif', { report })).file, LINE_FEED]),
      evidence: async () => (await client.call('evidence', { run: ran.run })).file,
    }[what];
    const url = URL.createObjectURL(new Blob([(await bytes()) as BlobPart], { type: 'application/octet-stream' }));
    const link = h('a', { href: url, download: names[what] });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  } catch (error) {
    notice('bad', 'There is nothing to take: ', shown((error as Error).message));
  }
}

async function share(sources: readonly SourceText[]): Promise<void> {
  const state = byId('share-state');
  const fragment = await toFragment(sources.map(({ path, text }) => ({ name: path, text })));
  if (!fragment) {
    replace(
      state,
      `Too large for a link (at most ${MAX_FILES} files, some tens of kilobytes): send the evidence file.`,
    );
    return;
  }
  const url = new URL(fragment, document.baseURI.replace(/#.*$/, '')).href;
  history.replaceState(null, '', fragment);
  try {
    await navigator.clipboard.writeText(url);
    replace(
      state,
      `Copied: ${grouped(url.length)} characters. The files are in the part after #, which browsers send to no server.`,
    );
  } catch {
    replace(state, 'The link is in the address bar now: copy it from there.');
  }
}

async function openShared(): Promise<void> {
  if (!isShared(location.hash)) return;
  try {
    const files = (await fromFragment(location.hash)).map(({ name, text }) => ({ file: new File([text], name), name }));
    const shared = await Promise.all(files.map(({ file, name }) => readDoc(file, name)));
    // Only what this page puts into links. A key or a root that comes with what it vouches for proves nothing, and
    // evidence is judged without a press.
    const odd = shared.find(({ is }) => !SHARED.has(is.kind));
    if (odd) throw new Error(`it brings ${odd.is.what}, and links bring files of the go command only`);
    docs = [];
    await take(files);
    notice('note', h('strong', {}, 'These files came with the link. '), 'Nothing was run or sent: look at them first.');
  } catch (error) {
    byId('notices').replaceChildren();
    notice('bad', h('strong', {}, 'The link cannot be opened: '), shown((error as Error).message), '.');
  }
}

// Samples

interface Sample {
  readonly name: string;
  readonly title: string;
  readonly about: string;
}

async function showSamples(): Promise<void> {
  const response = await fetch('samples/index.json');
  if (!response.ok) return;
  const samples = (await response.json()) as Sample[];
  const item = ({ name, title, about }: Sample): HTMLElement => {
    const label = h(
      'span',
      {},
      h('span', { class: 'sample-name' }, title),
      h('span', { class: 'sample-about' }, about),
    );
    return h(
      'li',
      {},
      button(label, 'sample', () => void openSample(name), { 'data-sample': name }),
    );
  };
  byId('sample-list').replaceChildren(...samples.map(item));
  byId('samples').hidden = samples.length === 0;
}

async function openSample(name: string): Promise<void> {
  try {
    const response = await fetch(`samples/${encodeURIComponent(name)}.evidence`);
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    docs = [];
    await take([{ file: new File([await response.arrayBuffer()], `${name}.evidence`) }]);
  } catch (error) {
    notice('bad', 'The sample could not be loaded: ', shown((error as Error).message));
  }
}

// Events

function listen(): void {
  const choose = byId<HTMLInputElement>('choose');
  choose.addEventListener('change', () => {
    const files = [...(choose.files ?? [])].map((file) => ({ file }));
    choose.value = '';
    void take(files);
  });
  let depth = 0;
  const dropping = (on: boolean): void => void document.body.classList.toggle('dropping', on);
  const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
  document.addEventListener('dragenter', (event) => {
    if (!hasFiles(event)) return;
    depth += 1;
    dropping(true);
  });
  document.addEventListener('dragleave', (event) => {
    if (!hasFiles(event)) return;
    depth = Math.max(0, depth - 1);
    dropping(depth > 0);
  });
  document.addEventListener('dragover', (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  document.addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    dropping(false);
    void take([...(event.dataTransfer?.files ?? [])].map((file) => ({ file })));
  });
  const paste = byId<HTMLTextAreaElement>('paste');
  const addPasted = byId('paste-add');
  document.addEventListener('paste', (event) => {
    const target = event.target;
    const inField = target instanceof HTMLInputElement || (target instanceof HTMLTextAreaElement && target !== paste);
    const files = [...(event.clipboardData?.files ?? [])].map((file) => ({ file }));
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (inField || (files.length === 0 && text === '')) return;
    event.preventDefault();
    void (files.length > 0 ? take(files) : takeText(text));
  });
  paste.addEventListener('input', () => {
    addPasted.hidden = paste.value === '';
  });
  addPasted.addEventListener('click', () => {
    const text = paste.value;
    paste.value = '';
    addPasted.hidden = true;
    void takeText(text.endsWith('\n') ? text : `${text}\n`);
  });
  byId('cancel').addEventListener('click', () => {
    running?.();
    done();
  });
  addEventListener('hashchange', () => void openShared());
}

startTheme();
void start();
listen();
void openShared();
void showSamples().catch(() => undefined);
