/**
 * What a run took on somebody's word. The core verifies what is signed; what is not, whoever holds an evidence file has
 * from whoever recorded it, and the page says so.
 */

import type { Request, Response } from '../verifier/index.js';
import type { Said } from './protocol.js';

/** The most entries of a list: the rest is counted. */
const MAX_LISTED = 200;

/** Requests whose bytes whoever recorded read on its own machine, or measured. */
const READ_THERE: ReadonlySet<Request['tag']> = new Set(['zip-digest', 'cached', 'zip-file']);

/** Collects, round by round. */
export class Sayings {
  #rounds = 0;
  #requests = 0;
  readonly #measured: string[] = [];
  readonly #absent: string[] = [];
  readonly #failed: string[] = [];

  add(requests: readonly Request[], responses: readonly Response[]): void {
    this.#rounds += 1;
    this.#requests += requests.length;
    requests.forEach((request, at) => {
      const response = responses[at];
      // By it a head is fresh or not, where no witness says when.
      if (request.tag === 'recall' && request.val.item.tag === 'first-seen' && response?.tag === 'ok') {
        this.#measured.push(`when the newest head of ${request.val.database} was first seen`);
      }
      // That nothing was kept from earlier is no statement about the world.
      if (!response || request.tag === 'recall' || request.tag === 'tuf-recall') return;
      if (response.tag === 'err') {
        const list = response.val === 'absent' ? this.#absent : this.#failed;
        list.push(response.val === 'absent' ? name(request) : `${name(request)}: ${response.val}`);
      } else if (response.val.tag === 'measurement') {
        const { found } = response.val.val;
        this.#measured.push(`${name(request)}: ${found.tag === 'ok' ? found.val.h1 : `refused, ${found.val.code}`}`);
      } else if (response.val.tag === 'target-file' || READ_THERE.has(request.tag)) {
        this.#measured.push(name(request));
      } else if (response.val.tag === 'holdings') {
        const has = response.val.val.filter((holding) => Object.values(holding).some(Boolean)).length;
        this.#measured.push(`the module cache had something of ${has} of ${response.val.val.length} module versions`);
      }
    });
  }

  all(): Said {
    return {
      rounds: this.#rounds,
      requests: this.#requests,
      measured: listed(this.#measured),
      absent: listed(this.#absent),
      failed: listed(this.#failed),
    };
  }
}

function listed(all: string[]): string[] {
  const rest = all.length - MAX_LISTED;
  return rest > 0 ? [...all.slice(0, MAX_LISTED), `and ${rest} more`] : all;
}

/** What was asked, in a few words. */
function name(request: Request): string {
  switch (request.tag) {
    case 'sumdb':
      return `${request.val.database}: ${request.val.path}`;
    case 'measure': {
      const { subject } = request.val;
      return subject.tag === 'vendor' ? `folder ${subject.val}` : `${subject.tag} of ${version(subject.val)}`;
    }
    case 'held':
      return 'the module cache';
    case 'cached':
      return `${request.val.file} of ${version(request.val.module)}`;
    case 'zip-file':
      return `${request.val.name} in the zip`;
    case 'tuf-metadata':
      return `${request.val.repository}: ${request.val.file}`;
    case 'tuf-target':
    case 'tuf-content':
      return `${request.val.repository}: target ${request.val.path}`;
    case 'attestations':
      return `attestations of ${version(request.val.module)} (${request.val.place})`;
    case 'zip-digest':
      return `SHA-256 of the zip of ${version(request.val.module)}`;
    case 'rekor':
      return `${request.val.log}: ${request.val.path}`;
    case 'recall':
      return `${request.val.database}: ${request.val.item.tag}`;
    case 'tuf-recall':
      return `${request.val.repository}: ${request.val.file}`;
    case 'advance':
      return `${request.val.database}: newest head`;
    case 'artifact':
      return 'the signed file';
  }
}

function version(module: { path: string; version: string }): string {
  return `${module.path}@${module.version}`;
}
