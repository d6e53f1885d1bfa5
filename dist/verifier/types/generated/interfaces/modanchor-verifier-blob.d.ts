/** @module Interface modanchor:verifier/blob@0.1.0 **/
/**
 * # Variants
 * 
 * ## `"failed"`
 * 
 * ## `"changed"`
 */
export type ReadError = 'failed' | 'changed';

export class Blob {
  /**
   * This type does not have a public constructor.
   */
  private constructor();
  size(): bigint;
  readAt(offset: bigint, length: number): Uint8Array;
}
