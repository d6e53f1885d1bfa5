/** @module Interface modanchor:verifier/hashing@0.1.0 **/
export function h1Zip(zip: Blob, rules: ModuleVersion | undefined, files: boolean): Measured;
export function h1Mod(goMod: Blob): Measured;
export function program(program: Blob): BuildInfo;
export type ModuleVersion = import('./modanchor-verifier-types.js').ModuleVersion;
export type Blob = import('./modanchor-verifier-blob.js').Blob;
export type ReadError = import('./modanchor-verifier-blob.js').ReadError;
export interface Measured {
  h1: string,
  files: bigint,
  manifest: Uint8Array,
}
export interface Refusal {
  code: string,
  text: string,
}
export type HashingError =
  | {
    tag: 'read',
    val: ReadError,
  }
  | {
    tag: 'refused',
    val: Refusal,
  };
export interface BuildInfo {
  goVersion: string,
  modInfo: string,
}

export class Folder {
  constructor(module: ModuleVersion)
  add(name: string, content: Blob): void;
  measured(files: boolean): Measured;
}
