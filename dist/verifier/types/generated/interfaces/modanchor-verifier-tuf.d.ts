/** @module Interface modanchor:verifier/tuf@0.1.0 **/
export type Origin = import('./modanchor-verifier-types.js').Origin;
export interface Repository {
  name: string,
  trustedRoot: Uint8Array,
  setBy: string,
  modules: string,
  role?: string,
}
export interface Mapping {
  modules: string,
  repositories: Array<string>,
  threshold: number,
  terminating: boolean,
}
export interface Repositories {
  all: Array<Repository>,
  map: Array<Mapping>,
  required: boolean,
}
export interface ClientTask {
  repository: string,
  targets: Array<string>,
}
export interface MetadataRecall {
  repository: string,
  file: string,
  maxBytes: number,
}
export interface MetadataGet {
  repository: string,
  file: string,
  maxBytes: number,
}
export interface TargetGet {
  repository: string,
  path: string,
  file: string,
  maxBytes: bigint,
  held: boolean,
}
export interface TargetFile {
  length: bigint,
  sha256: Uint8Array,
  sha512: Uint8Array,
  origin: Origin,
}
export interface KeptMetadata {
  repository: string,
  file: string,
  content?: Uint8Array,
}
export interface KeptTarget {
  repository: string,
  path: string,
  sha256: Uint8Array,
}
