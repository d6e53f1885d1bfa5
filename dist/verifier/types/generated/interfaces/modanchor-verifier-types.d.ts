/** @module Interface modanchor:verifier/types@0.1.0 **/
export interface Instant {
  seconds: bigint,
  nanoseconds: number,
}
export interface ModuleVersion {
  path: string,
  version: string,
}
/**
 * # Variants
 * 
 * ## `"store"`
 * 
 * ## `"go-cache"`
 * 
 * ## `"remote"`
 */
export type Origin = 'store' | 'go-cache' | 'remote';
/**
 * # Variants
 * 
 * ## `"absent"`
 * 
 * ## `"offline"`
 * 
 * ## `"unreachable"`
 * 
 * ## `"timed-out"`
 * 
 * ## `"rate-limited"`
 * 
 * ## `"server-error"`
 * 
 * ## `"denied"`
 * 
 * ## `"unexpected-status"`
 * 
 * ## `"bad-redirect"`
 * 
 * ## `"too-large"`
 * 
 * ## `"truncated"`
 * 
 * ## `"not-data"`
 * 
 * ## `"storage"`
 * 
 * ## `"changed"`
 */
export type Failure = 'absent' | 'offline' | 'unreachable' | 'timed-out' | 'rate-limited' | 'server-error' | 'denied' | 'unexpected-status' | 'bad-redirect' | 'too-large' | 'truncated' | 'not-data' | 'storage' | 'changed';
