/** @module Interface modanchor:verifier/render@0.1.0 **/
export function sarif(report: Uint8Array, options: SarifOptions): Uint8Array;
export interface Link {
  file: string,
  target: string,
}
export interface SarifOptions {
  category: string,
  prefix: string,
  links: Array<Link>,
  maxResults: number,
}
/**
 * # Variants
 * 
 * ## `"not-a-report"`
 */
export type RenderError = 'not-a-report';
