/** Bytes, their digests and their texts. */
/** Text as UTF-8. */
export declare function toUtf8(text: string): Uint8Array;
/** The text that bytes are in UTF-8, nothing left out and nothing replaced; undefined if they are not UTF-8. */
export declare function fromUtf8(bytes: Uint8Array): string | undefined;
/** The SHA-256 of bytes, as evidence and reports write it: `sha256:` and 64 lower-case hexadecimal digits. */
export declare function sha256(bytes: Uint8Array): Promise<string>;
/** The SHA-256 of bytes, 32 bytes. Throws where there is no crypto.subtle: a page that came by plain http. */
export declare function sha256Bytes(bytes: Uint8Array): Promise<Uint8Array>;
/** Lower-case hexadecimal digits. */
export declare function toHex(bytes: Uint8Array): string;
/**
 * Base64 with the alphabet of RFC 4648, section 4, and padding. By hand: `btoa` takes a text of one character for each
 * byte, and making that takes ten times as long. Evidence of a thousand modules has seven megabytes of it.
 */
export declare function toBase64(bytes: Uint8Array): string;
/**
 * What base64 stands for; undefined if it is not exactly what {@link toBase64} writes: other characters, padding or
 * bits.
 */
export declare function fromBase64(text: string): Uint8Array | undefined;
/** Whether two are the same bytes. */
export declare function sameBytes(a: Uint8Array, b: Uint8Array): boolean;
/** Text that others wrote, for a message of ours: in quotes, short, with everything but visible ASCII escaped. */
export declare function quote(text: string): string;
