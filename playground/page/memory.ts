/**
 * What runs remember of a checksum database while the page is open: the newest head that was accepted, so that a fork
 * between two runs is seen, and what the core allowed to be kept, so that the second run asks for less. None of it is
 * trusted: the core verifies it again, and what is wrong is as good as absent.
 */

import type { Kept } from '../verifier/index.js';
import type { Item } from './types.js';
import { concat, equal } from './bytes.js';

/** The memory of one page. */
export class Memory {
  readonly #latest = new Map<string, Uint8Array>();
  readonly #items = new Map<string, Uint8Array>();
  readonly #links = new Map<string, Map<string, Uint8Array>>();

  /** Keeps what the core allows to be kept for later runs. */
  keep(kept: readonly Kept[]): void {
    for (const one of kept) {
      if (one.tag !== 'item') continue;
      const { database, item, content } = one.val;
      if (item.tag === 'link') {
        const links = this.#links.get(database) ?? new Map<string, Uint8Array>();
        this.#links.set(database, links.set(item.val.join(' '), content));
      } else {
        this.#items.set(key(database, item), content);
      }
    }
  }

  /** The bytes of an item. The go command's own head is not here. */
  recall(database: string, item: Item): Uint8Array | undefined {
    switch (item.tag) {
      case 'latest':
        return this.#latest.get(database);
      case 'links': {
        const links = this.#links.get(database);
        return links && concat([...links.values()]);
      }
      default:
        return this.#items.get(key(database, item));
    }
  }

  /** Compare and swap of the newest head. Gives what is in place afterwards. */
  advance(database: string, previous: Uint8Array | undefined, next: Uint8Array): Uint8Array {
    const there = this.#latest.get(database);
    const expected = there === undefined || previous === undefined ? there === previous : equal(there, previous);
    if (there && !expected) return there;
    this.#latest.set(database, next);
    return next;
  }
}

function key(database: string, item: Item): string {
  return `${database} ${item.tag} ${'val' in item ? String(item.val) : ''}`;
}
