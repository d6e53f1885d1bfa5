/** @module Interface modanchor:verifier/job@0.1.0 **/
export type Instant = import('./modanchor-verifier-types.js').Instant;
export type Repositories = import('./modanchor-verifier-tuf.js').Repositories;
export type ClientTask = import('./modanchor-verifier-tuf.js').ClientTask;
export type Policy = import('./modanchor-verifier-policy.js').Policy;
export type SigstoreSettings = import('./modanchor-verifier-sigstore.js').Settings;
export type BlobTask = import('./modanchor-verifier-sigstore.js').BlobTask;
export interface Tool {
  version: string,
  component: string,
}
/**
 * # Variants
 * 
 * ## `"go-sum"`
 * 
 * ## `"go-work-sum"`
 * 
 * ## `"go-mod"`
 * 
 * ## `"go-work"`
 * 
 * ## `"vendor-modules"`
 */
export type FileKind = 'go-sum' | 'go-work-sum' | 'go-mod' | 'go-work' | 'vendor-modules';
export interface SourceFile {
  path: string,
  kind: FileKind,
  content: Uint8Array,
}
export interface Program {
  path: string,
  sha256: string,
  goVersion: string,
  modInfo: string,
}
export interface Checkout {
  files: Array<SourceFile>,
  programs: Array<Program>,
  bareVendors: Array<string>,
}
/**
 * # Variants
 * 
 * ## `"auto"`
 * 
 * ## `"required"`
 * 
 * ## `"off"`
 */
export type Presence = 'auto' | 'required' | 'off';
/**
 * # Variants
 * 
 * ## `"cache"`
 * 
 * ## `"download"`
 */
export type Zips = 'cache' | 'download';
export interface Bytes {
  moduleCache: Presence,
  zips: Zips,
  vendor: Presence,
}
export interface Question {
  module: string,
  checkout: Checkout,
}
export type Task =
  | {
    tag: 'verify',
    val: Checkout,
  }
  | {
    tag: 'lookup',
    val: Array<string>,
  }
  | {
    tag: 'explain',
    val: Question,
  }
  | {
    tag: 'fix',
    val: Checkout,
  }
  | {
    tag: 'tuf',
    val: ClientTask,
  }
  | {
    tag: 'verify-blob',
    val: BlobTask,
  };
export interface Database {
  key: string,
  setBy: string,
  tileHeight: number,
  pinnedHead?: Uint8Array,
  witnesses: Array<string>,
  quorum: number,
  maxAge?: bigint,
}
export type Sumdb =
  | {
    tag: 'database',
    val: Database,
  }
  | {
    tag: 'off',
    val: string,
  };
export interface SkipPatterns {
  patterns: string,
  setBy: string,
}
/**
 * # Variants
 * 
 * ## `"critical"`
 * 
 * ## `"high"`
 * 
 * ## `"medium"`
 * 
 * ## `"low"`
 * 
 * ## `"never"`
 */
export type FailOn = 'critical' | 'high' | 'medium' | 'low' | 'never';
export interface Ignore {
  rule: string,
  module: string,
  reason: string,
  expires?: string,
}
export interface Job {
  now: Instant,
  tool: Tool,
  task: Task,
  sumdb: Sumdb,
  skip: SkipPatterns,
  failOn: FailOn,
  allowIncomplete: boolean,
  ignores: Array<Ignore>,
  bytes: Bytes,
  tuf: Repositories,
  sigstore: SigstoreSettings,
  policy?: Policy,
}
