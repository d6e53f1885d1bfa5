/**
 * Answers that need no network: what was dropped on the page, and what it remembers. Everything else is answered as
 * what it is: there is no module cache here but the zips that were dropped, no proxy, no Rekor.
 */

import type { Answer, Failure, ModuleVersion, Request, Response } from '../verifier/index.js';
import { sha256 } from './bytes.js';
import { FileBlob } from './files.js';
import type { Memory } from './memory.js';
import type { Local, LocalZip } from './protocol.js';
import type { Holding } from './types.js';

const ok = (val: Answer): Response => ({ tag: 'ok', val });
const failure = (val: Failure): Response => ({ tag: 'err', val });
const NO_ODDITIES = { writable: 0n, links: [], irregular: [] };

/** What measures a zip: the component. Throws what it throws. */
export type Measure = (zip: LocalZip, files: boolean) => Promise<Response>;

/** Answers a request, if that is done here; the others are for the page. */
export async function answerHere(
  request: Request,
  local: Local,
  memory: Memory,
  measure: Measure,
): Promise<Response | undefined> {
  const zipOf = ({ path, version }: ModuleVersion): LocalZip | undefined =>
    local.zips.find(({ module }) => module.path === path && module.version === version);
  switch (request.tag) {
    case 'sumdb':
      return undefined;
    case 'recall': {
      const found = memory.recall(request.val.database, request.val.item);
      return bytes(found, request.val.maxBytes, 'store');
    }
    case 'advance': {
      const { database, previous, next } = request.val;
      return bytes(memory.advance(database, previous, next), Infinity, 'store');
    }
    case 'held': {
      const holding = (module: ModuleVersion): Holding => ({ zip: zipOf(module) !== undefined });
      return ok({ tag: 'holdings', val: request.val.map(holding) });
    }
    case 'measure': {
      const { subject, place, files } = request.val;
      const zip = subject.tag === 'zip' && place === 'module-cache' ? zipOf(subject.val) : undefined;
      return zip ? measure(zip, files) : failure('absent');
    }
    case 'zip-digest': {
      const zip = zipOf(request.val.module);
      if (!zip) return failure('absent');
      const content = await sha256(new Uint8Array(await zip.file.arrayBuffer()));
      return ok({ tag: 'body', val: { content, origin: 'go-cache' } });
    }
    case 'artifact': {
      const { artifact } = local;
      if (!artifact) return failure('absent');
      if (artifact.size > request.val) return failure('too-large');
      const content = new FileBlob(artifact).readAt(0, artifact.size);
      return ok({ tag: 'body', val: { content, origin: 'remote' } });
    }
    case 'tuf-metadata': {
      const { file, maxBytes } = request.val;
      return bytes(local.tuf.get(file) ?? local.tuf.get(decodeURIComponent(file)), maxBytes, 'remote');
    }
    case 'cached':
    case 'zip-file':
    case 'tuf-recall':
    case 'tuf-target':
    case 'tuf-content':
      return failure('absent');
    case 'attestations':
    case 'rekor':
      return failure('offline');
  }
}

function bytes(content: Uint8Array | undefined, most: number, origin: 'store' | 'remote'): Response {
  if (!content) return failure('absent');
  return content.length > most ? failure('too-large') : ok({ tag: 'body', val: { content, origin } });
}

/** A measurement as an answer. */
export function measured(found: { h1: string; files: bigint; manifest: Uint8Array }): Response {
  return ok({ tag: 'measurement', val: { found: { tag: 'ok', val: found }, oddities: NO_ODDITIES } });
}

/** A zip that no module can have, as an answer. */
export function refused(refusal: { code: string; text: string }): Response {
  return ok({ tag: 'measurement', val: { found: { tag: 'err', val: refusal }, oddities: NO_ODDITIES } });
}
