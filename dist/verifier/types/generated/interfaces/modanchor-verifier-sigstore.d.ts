/** @module Interface modanchor:verifier/sigstore@0.1.0 **/
export type Instant = import('./modanchor-verifier-types.js').Instant;
export type ModuleVersion = import('./modanchor-verifier-types.js').ModuleVersion;
export type Repository = import('./modanchor-verifier-tuf.js').Repository;
export interface TrustedRoot {
  name: string,
  repository?: Repository,
  target: string,
  content: Uint8Array,
  expires?: Instant,
  setBy: string,
}
/**
 * # Variants
 * 
 * ## `"module-cache"`
 * 
 * ## `"proxy"`
 * 
 * ## `"folder"`
 * 
 * ## `"template"`
 * 
 * ## `"github"`
 */
export type Place = 'module-cache' | 'proxy' | 'folder' | 'template' | 'github';
export interface Settings {
  roots: Array<TrustedRoot>,
  places: Array<Place>,
  'private': string,
  rekor: boolean,
}
export interface Identity {
  subject?: string,
  subjectRegexp?: string,
  issuer?: string,
  issuerRegexp?: string,
  githubTrigger?: string,
  githubSha?: string,
  githubName?: string,
  githubRepository?: string,
  githubRef?: string,
}
export type Signer =
  | {
    tag: 'identity',
    val: Identity,
  }
  | {
    tag: 'key',
    val: Uint8Array,
  };
export interface Digests {
  length: bigint,
  sha256: Uint8Array,
  sha384: Uint8Array,
  sha512: Uint8Array,
}
export type Artifact =
  | {
    tag: 'file',
    val: Digests,
  }
  | {
    tag: 'sha256',
    val: Uint8Array,
  };
export interface BlobTask {
  name: string,
  artifact: Artifact,
  signer: Signer,
  bundle?: Uint8Array,
  signature?: Uint8Array,
  certificate?: Uint8Array,
  chain?: Uint8Array,
  timestamp?: Uint8Array,
  requireLog: boolean,
  requireSct: boolean,
  requireTimestamp: boolean,
  rekorUrl?: string,
}
export interface AttestationsGet {
  module: ModuleVersion,
  place: Place,
  sha256: string,
  maxBytes: number,
}
export interface ZipDigest {
  module: ModuleVersion,
}
export interface RekorGet {
  log: string,
  path: string,
  post?: Uint8Array,
  maxBytes: number,
}
