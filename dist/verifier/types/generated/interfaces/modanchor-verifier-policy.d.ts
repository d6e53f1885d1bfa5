/** @module Interface modanchor:verifier/policy@0.1.0 **/
/**
 * # Variants
 * 
 * ## `"unverified"`
 * 
 * ## `"verified"`
 * 
 * ## `"trusted"`
 */
export type Grade = 'unverified' | 'verified' | 'trusted';
/**
 * # Variants
 * 
 * ## `"v02"`
 * 
 * ## `"v1"`
 */
export type ProvenanceVersion = 'v02' | 'v1';
export interface Level {
  level: number,
  provenanceVersions: Array<ProvenanceVersion>,
  builderIds: Array<string>,
  oidcIssuers: Array<string>,
  runnerEnvironments: Array<string>,
}
export type IdentityMatch =
  | {
    tag: 'exact',
    val: string,
  }
  | {
    tag: 'pattern',
    val: string,
  };
export interface Identity {
  name: IdentityMatch,
  issuer: string,
}
/**
 * # Variants
 * 
 * ## `"sumdb"`
 * 
 * ## `"rekor"`
 */
export type RequiredLog = 'sumdb' | 'rekor';
export interface Requirement {
  grade: Grade,
  identities: Array<Identity>,
  sourceRepositories: Array<string>,
  minimumSlsaLevel: number,
  publishers: Array<string>,
  tufApproval: boolean,
  logs: Array<RequiredLog>,
}
export interface Rule {
  name: string,
  modules: Array<string>,
  requirement: Requirement,
}
export interface Floor {
  module: string,
  grade: Grade,
}
export interface Policy {
  setBy: string,
  levels: Array<Level>,
  rules: Array<Rule>,
  'default': Requirement,
  baseline?: Array<Floor>,
}
