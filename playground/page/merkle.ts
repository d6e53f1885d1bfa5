/**
 * The inclusion of a record in a signed tree, recomputed in the page.
 *
 * This is for learning and for looking twice: the verdict is the component's. The page takes what the component allows
 * to be kept of a record (`keep` with `proof(KEY)`, guest/src/sumdb/kept.rs), and goes from the record's text to the
 * root with the browser's own SHA-256, by the two rules of RFC 6962, section 2.1: a leaf is SHA-256(0x00 ‖ record), a
 * node SHA-256(0x01 ‖ left ‖ right).
 */

import { base64, concat, equal, fromBase64, sha256 } from './bytes.js';

const MAGIC = 'modanchor-proof/1';
const HASH_BYTES = 32;
/** A tree has at most 2^63 - 1 records, so no path is longer. */
export const MAX_PATH = 63;

/** A record, and the path from it to a head. */
export interface Proof {
  /** The record's number in the log. */
  readonly id: bigint;
  /** How many records the tree has. */
  readonly size: bigint;
  /** Its root. */
  readonly root: Uint8Array;
  /** The sibling on each level, from the leaf up. */
  readonly path: readonly Uint8Array[];
  /** The record. */
  readonly text: string;
}

/** Reads a kept proof; nothing for anything that the core does not write. */
export function readProof(content: Uint8Array): Proof | undefined {
  const lines: string[] = [];
  let at = 0;
  for (let line = 0; line < 3; line += 1) {
    const end = content.indexOf(10, at);
    if (end < 0 || end - at > 200) return undefined;
    lines.push(new TextDecoder().decode(content.subarray(at, end)));
    at = end + 1;
  }
  const numbers = /^(0|[1-9]\d{0,18}) (0|[1-9]\d{0,18}) (\S{44})$/.exec(lines[1] ?? '');
  const count = /^(0|[1-9]\d?)$/.test(lines[2] ?? '') ? Number(lines[2]) : -1;
  const root = fromBase64(numbers?.[3] ?? '');
  const end = at + count * HASH_BYTES;
  if (lines[0] !== MAGIC || !numbers || count < 0 || count > MAX_PATH || root?.length !== HASH_BYTES) return undefined;
  if (end > content.length) return undefined;
  const path: Uint8Array[] = [];
  for (; at < end; at += HASH_BYTES) path.push(content.slice(at, at + HASH_BYTES));
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content.subarray(end));
  } catch {
    return undefined;
  }
  return { id: BigInt(numbers[1] ?? 0), size: BigInt(numbers[2] ?? 0), root, path, text };
}

/** The records that a node covers: from the first up to, not including, the end. */
export interface Range {
  readonly first: bigint;
  readonly end: bigint;
}

/** One step up: what is known, and its sibling, make their parent. */
export interface Climb {
  /** On which side the sibling is. */
  readonly side: 'left' | 'right';
  /** What was known before. */
  readonly own: Uint8Array;
  readonly ownRange: Range;
  /** What the proof brings. */
  readonly sibling: Uint8Array;
  readonly siblingRange: Range;
  /** SHA-256(0x01 ‖ left ‖ right). */
  readonly parent: Uint8Array;
  readonly parentRange: Range;
}

/** The whole way. */
export interface Way {
  readonly leaf: Uint8Array;
  readonly climbs: readonly Climb[];
  /** Where it leads. */
  readonly top: Uint8Array;
  /** Whether that is the root, and the path has exactly the length that the tree's size asks for. */
  readonly holds: boolean;
}

/** Goes from the record to the top (RFC 9162, section 2.1.3.2). */
export async function climb(proof: Proof): Promise<Way> {
  const leaf = await sha256(Uint8Array.of(0), new TextEncoder().encode(proof.text));
  const climbs: Climb[] = [];
  let own = leaf;
  let range: Range = { first: proof.id, end: proof.id + 1n };
  let node = proof.id;
  let last = proof.size - 1n;
  let level = 0n;
  let fits = proof.id >= 0n && proof.id < proof.size;
  for (const sibling of proof.path) {
    if (last === 0n) {
      fits = false;
      break;
    }
    const isLeft = node % 2n === 1n || node === last;
    if (isLeft) {
      // At the right edge of a tree a node has no sibling on some levels, and goes up as it is.
      while (node % 2n === 0n && node !== 0n) {
        node >>= 1n;
        last >>= 1n;
        level += 1n;
      }
    }
    const siblingRange = isLeft
      ? { first: (node - 1n) << level, end: node << level }
      : { first: (node + 1n) << level, end: smaller((node + 2n) << level, proof.size) };
    const [left, right] = isLeft ? [sibling, own] : [own, sibling];
    const parent = await sha256(Uint8Array.of(1), left, right);
    const parentRange = isLeft
      ? { first: siblingRange.first, end: range.end }
      : { first: range.first, end: siblingRange.end };
    climbs.push({ side: isLeft ? 'left' : 'right', own, ownRange: range, sibling, siblingRange, parent, parentRange });
    own = parent;
    range = parentRange;
    node >>= 1n;
    last >>= 1n;
    level += 1n;
  }
  return { leaf, climbs, top: own, holds: fits && last === 0n && equal(own, proof.root) };
}

function smaller(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

/** A signed tree head, as a checksum database sends it. */
export interface Head {
  readonly note: string;
  readonly size: bigint;
  readonly root: string;
}

/** Reads a signed head's text. Nothing is verified by that. */
export function readHead(note: Uint8Array): Head | undefined {
  const text = new TextDecoder().decode(note);
  const match = /^go\.sum database tree\n(0|[1-9]\d{0,18})\n(\S{44})\n/.exec(text);
  return match?.[1] && match[2] ? { note: text, size: BigInt(match[1]), root: match[2] } : undefined;
}

/** The head among these that a proof leads to. */
export function headOf(proof: Proof, heads: readonly Head[]): Head | undefined {
  const root = base64(proof.root);
  return heads.find((head) => head.size === proof.size && head.root === root);
}

/** What the browser itself says of a head's signature. `cannot`: it has no Ed25519. */
export type Signed = 'good' | 'bad' | 'cannot';

/** Verifies a note's signature with a verifier key, `NAME+HASH+KEY` (golang.org/x/mod/sumdb/note). */
export async function verifyHead(head: Head, key: string): Promise<Signed> {
  const match = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(key);
  const [, name, hash, encoded] = match ?? [];
  const raw = fromBase64(encoded ?? '');
  const split = head.note.lastIndexOf('\n\n');
  if (!name || !hash || raw?.length !== 33 || raw[0] !== 1 || split < 0) return 'bad';
  let publicKey: CryptoKey;
  try {
    publicKey = await crypto.subtle.importKey('raw', raw.slice(1), 'Ed25519', false, ['verify']);
  } catch {
    return 'cannot';
  }
  const text = new TextEncoder().encode(head.note.slice(0, split + 1));
  // The key's hash says which signature is this key's, and is itself a hash of name and key.
  const own = (await sha256(new TextEncoder().encode(`${name}\n`), raw)).slice(0, 4);
  if (own.reduce((digits, byte) => digits + byte.toString(16).padStart(2, '0'), '') !== hash) return 'bad';
  for (const line of head.note.slice(split + 2).split('\n')) {
    if (!line.startsWith(`— ${name} `)) continue;
    const signature = fromBase64(line.slice(name.length + 3));
    if (signature?.length !== 68 || !equal(signature.subarray(0, 4), own)) continue;
    const good = await crypto.subtle.verify('Ed25519', publicKey, concat([signature.subarray(4)]), text);
    return good ? 'good' : 'bad';
  }
  return 'bad';
}
