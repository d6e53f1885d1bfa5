/** What the build puts into the page (build.mjs). */

import type { ShippedRoot } from './roots.js';

/** What a build knows. */
export interface BuildInfo {
  /** modanchor's version. */
  readonly version: string;
  /** The component's digest, `sha256:HEX`. */
  readonly component: string;
  /** A base URL that look-ups go to before the page's own origin; empty: none. */
  readonly sumdb: string;
  /** Trusted roots of Sigstore. */
  readonly roots: readonly ShippedRoot[];
}

declare const __BUILD__: BuildInfo;

/** This build's. */
export const BUILD: BuildInfo = __BUILD__;
