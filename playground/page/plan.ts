/** What was dropped, and what can be done with it. */

import type { SourceFile } from '../verifier/index.js';
import { sha256, hex } from './bytes.js';
import type { LocalZip } from './protocol.js';
import { HEAD_BYTES, MAX_TEXT, recognise, type Kind, type Recognised } from './recognise.js';

/** The largest evidence file (docs/evidence.md). */
const MAX_EVIDENCE = 64 << 20;

/** One file. */
export interface Doc {
  readonly id: number;
  readonly name: string;
  readonly file: File;
  readonly is: Recognised;
  /** All of it, where it is read whole: everything but zips and what is too large. */
  readonly bytes?: Uint8Array;
}

let ids = 0;

/** Reads as much of a file as is needed to recognise it, and all of it where it will be needed. */
export async function readDoc(file: File, name = file.name): Promise<Doc> {
  const id = ids++;
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const is = recognise(name, head, file.size <= HEAD_BYTES);
  const doc = (is: Recognised, bytes?: Uint8Array): Doc => ({ id, name, file, is, ...(bytes && { bytes }) });
  if (file.size <= HEAD_BYTES) return doc(is, head);
  if (is.kind === 'zip') return doc(is);
  const most = is.kind === 'evidence' ? MAX_EVIDENCE : MAX_TEXT;
  if (file.size > most) {
    const advice = `the page takes at most ${most >> 20} MiB of it; the program has no such limit`;
    return doc(is.kind === 'other' ? is : { kind: 'other', what: `${is.what}, too large for the page`, advice });
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  return doc(is.kind === 'evidence' ? is : recognise(name, bytes, true), bytes);
}

/** The paths that Go's files have in a checkout. */
const PATHS: Partial<Record<Kind, readonly [string, SourceFile['kind']]>> = {
  'go.sum': ['go.sum', 'go-sum'],
  'go.work.sum': ['go.work.sum', 'go-work-sum'],
  'go.mod': ['go.mod', 'go-mod'],
  'go.work': ['go.work', 'go-work'],
};

/** What can be done with the files. */
export type Plan =
  | { readonly tag: 'nothing' }
  | { readonly tag: 'checkout'; readonly files: SourceFile[]; readonly zips: LocalZip[] }
  | { readonly tag: 'zip'; readonly zip: LocalZip; readonly doc: Doc }
  | { readonly tag: 'blob'; readonly bundle: Doc; readonly artifact?: Doc; readonly key?: Doc; readonly root?: Doc }
  | { readonly tag: 'tuf'; readonly root: Doc; readonly metadata: ReadonlyMap<string, Uint8Array> }
  | { readonly tag: 'evidence'; readonly doc: Doc; readonly own: readonly Doc[] };

/** Of several kinds, the one that says most decides: evidence, then a bundle, then TUF, then Go's files. */
export function planOf(docs: readonly Doc[]): Plan {
  const of = (kind: Kind): Doc | undefined => docs.findLast(({ is }) => is.kind === kind);
  const evidence = of('evidence');
  if (evidence) return { tag: 'evidence', doc: evidence, own: docs.filter((doc) => doc !== evidence) };
  const bundle = of('bundle');
  if (bundle) {
    const [key, root] = [of('public-key'), of('trusted-root')];
    const artifact = docs.findLast((doc) => doc !== bundle && doc !== key && doc !== root);
    return { tag: 'blob', bundle, ...(artifact && { artifact }), ...(key && { key }), ...(root && { root }) };
  }
  const roots = docs.filter(({ is }) => is.kind === 'tuf-root');
  const first = roots.toSorted((one, other) => (one.is.role?.version ?? 0) - (other.is.role?.version ?? 0))[0];
  if (first) {
    const metadata = new Map<string, Uint8Array>();
    for (const { is, name, bytes } of docs) {
      if ((is.kind === 'tuf-root' || is.kind === 'tuf-metadata') && bytes) metadata.set(name, bytes);
      // A root may be called `root.json`, and is asked for by its version.
      if (is.kind === 'tuf-root' && bytes) metadata.set(`${is.role?.version ?? 0}.root.json`, bytes);
    }
    return { tag: 'tuf', root: first, metadata };
  }
  const zips = docs.flatMap(({ is, file }) => (is.module ? [{ module: is.module, file }] : []));
  const files: SourceFile[] = [];
  for (const kind of Object.keys(PATHS) as Kind[]) {
    const [path, fileKind] = PATHS[kind] ?? [];
    const content = of(kind)?.bytes;
    if (path && fileKind && content) files.push({ path, kind: fileKind, content });
  }
  if (files.length > 0) return { tag: 'checkout', files, zips };
  const doc = of('zip');
  if (doc?.is.module) return { tag: 'zip', zip: { module: doc.is.module, file: doc.file }, doc };
  return { tag: 'nothing' };
}

/** Why a plan is not all that it could be; nothing where nothing is missing. */
export function missing(docs: readonly Doc[]): string | undefined {
  const has = (kind: Kind): boolean => docs.some(({ is }) => is.kind === kind);
  if (has('tuf-metadata') && !has('tuf-root'))
    return 'TUF metadata is verified from a root on: drop the root metadata that you trust, too';
  if (has('trusted-root') && !has('bundle')) return 'a trusted root judges signatures: drop a bundle, too';
  if (has('public-key') && !has('bundle')) return 'a public key judges signatures: drop a bundle, too';
  return undefined;
}

/** The module versions that a go.sum names. This is counted for the button; the core reads the file itself. */
export function modulesIn(files: readonly SourceFile[]): number {
  const all = new Set<string>();
  for (const { kind, content } of files) {
    if (kind !== 'go-sum' && kind !== 'go-work-sum') continue;
    for (const line of new TextDecoder().decode(content).split('\n')) {
      const [path, version] = line.trim().split(/\s+/);
      if (path && version) all.add(`${path}@${version.replace(/\/go\.mod$/, '')}`);
    }
  }
  return all.size;
}

/** SHA-256 of a file that was read whole. */
export async function digestOf(doc: Doc): Promise<string> {
  return hex(await sha256(doc.bytes ?? new Uint8Array(await doc.file.arrayBuffer())));
}
