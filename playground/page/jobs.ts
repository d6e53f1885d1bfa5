/**
 * From files to a job, as the program makes it (host/src/cli/session.rs): the same defaults, and the same words where
 * the program has them, so that one job has one report.
 */

import type { Job, SourceFile, Task } from '../verifier/index.js';
import type { BlobTask, TrustedRoot } from './types.js';

/** sum.golang.org's verifier key: Go's own default, as in cmd/go and guest/src/sumdb/setting.rs. */
export const GO_SUMDB_NAME = 'sum.golang.org';
export const GO_SUMDB_KEY = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8';

/** Height of every known database's tiles. */
const TILE_HEIGHT = 8;

/** By whose word the page has its settings: as the program says it where nothing is set. */
const SET_BY = 'GOSUMDB (default)';
const SKIP_SET_BY = 'GONOSUMDB (default)';

/** What the page adds to every job. */
export interface Setting {
  /** modanchor's version, from the build. */
  readonly version: string;
  /** The component's digest, as measured. */
  readonly component: string;
  /** The viewer's clock, in milliseconds since 1970. */
  readonly now: number;
}

function base(setting: Setting, task: Task): Job {
  const seconds = Math.floor(setting.now / 1000);
  return {
    now: { seconds: BigInt(seconds), nanoseconds: Math.round((setting.now - seconds * 1000) * 1e6) },
    tool: { version: setting.version, component: setting.component },
    task,
    sumdb: { tag: 'off', val: 'not asked' },
    skip: { patterns: '', setBy: '' },
    failOn: 'medium',
    allowIncomplete: false,
    ignores: [],
    bytes: { moduleCache: 'off', zips: 'cache', vendor: 'off' },
    tuf: { all: [], map: [], required: false },
    sigstore: { roots: [], places: [], private: '', rekor: false },
  };
}

/** Compares a checkout with the checksum database; `zips`: and dropped module zips with both. */
export function checkoutJob(setting: Setting, files: SourceFile[], zips: boolean): Job {
  return {
    ...base(setting, { tag: 'verify', val: { files, programs: [], bareVendors: [] } }),
    sumdb: {
      tag: 'database',
      val: { key: GO_SUMDB_KEY, setBy: SET_BY, tileHeight: TILE_HEIGHT, witnesses: [], quorum: 0 },
    },
    skip: { patterns: '', setBy: SKIP_SET_BY },
    bytes: { moduleCache: zips ? 'auto' : 'off', zips: 'cache', vendor: 'off' },
  };
}

/** Verifies a signature over a file, as `modanchor sigstore verify-blob --offline`. */
export function blobJob(setting: Setting, task: BlobTask, roots: TrustedRoot[]): Job {
  return {
    ...base(setting, { tag: 'verify-blob', val: task }),
    sigstore: { roots, places: [], private: '', rekor: false },
  };
}

/** A TUF client's refresh, as `modanchor tuf refresh`. */
export function tufJob(setting: Setting, root: Uint8Array, setBy: string, targets: string[]): Job {
  const repository = 'default';
  return {
    ...base(setting, { tag: 'tuf', val: { repository, targets } }),
    tuf: { all: [{ name: repository, trustedRoot: root, setBy, modules: '' }], map: [], required: false },
  };
}
