/**
 * The trusted roots of Sigstore that come with the page: those that the program ships (host/assets/sigstore/README.md),
 * under the names and by the words that it uses offline, so that one job has one report.
 */

import type { TrustedRoot } from './types.js';

/** A root that comes with the page. `build.mjs` makes the list from host/assets. */
export interface ShippedRoot {
  readonly name: string;
  /** Relative to the page. */
  readonly file: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly sha256: string;
  /** When the metadata expires that it was taken by, in seconds since 1970. */
  readonly expires: number;
}

/** Which day's they are, as the program says it (host/src/cli/signatures.rs; a test holds the two equal). */
export const ROOTS_OF = '2026-10-23';

const TARGET = 'trusted_root.json';

/** A shipped root, as the program hands it over with `--offline`. */
export function shippedRoot(root: ShippedRoot, content: Uint8Array, version: string): TrustedRoot {
  return {
    name: root.name,
    target: TARGET,
    content,
    expires: { seconds: BigInt(root.expires), nanoseconds: 0 },
    setBy: `modanchor ${version}, of ${ROOTS_OF}`,
  };
}

/** The user's own, in their place. */
export function ownRoot(content: Uint8Array, name: string): TrustedRoot {
  return { name: 'trusted-root', target: TARGET, content, setBy: `--trusted-root ${name}` };
}
