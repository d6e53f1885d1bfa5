/** Bytes, their digests and their texts. */

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const utf8 = new TextEncoder();

/** Text as UTF-8. */
export function toUtf8(text: string): Uint8Array {
  return utf8.encode(text);
}

/** The text that bytes are in UTF-8, nothing left out and nothing replaced; undefined if they are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The SHA-256 of bytes, as evidence and reports write it: `sha256:` and 64 lower-case hexadecimal digits. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  return `sha256:${toHex(await sha256Bytes(bytes))}`;
}

/** The SHA-256 of bytes, 32 bytes. Throws where there is no crypto.subtle: a page that came by plain http. */
export async function sha256Bytes(bytes: Uint8Array): Promise<Uint8Array> {
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) {
    throw new Error('no SHA-256 here: browsers give it to pages from https or localhost only');
  }
  return new Uint8Array(await subtle.digest('SHA-256', bytes as BufferSource));
}

/** Lower-case hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** RFC 4648, section 4. */
const ALPHABET = toUtf8('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const PADDING = 0x3d;

/** Of each byte, what it stands for in base64; 255: nothing. */
const SEXTETS = new Uint8Array(256).fill(255);
ALPHABET.forEach((code, sextet) => (SEXTETS[code] = sextet));

/**
 * Base64 with the alphabet of RFC 4648, section 4, and padding. By hand: `btoa` takes a text of one character for each
 * byte, and making that takes ten times as long. Evidence of a thousand modules has seven megabytes of it.
 */
export function toBase64(bytes: Uint8Array): string {
  const codes = new Uint8Array(4 * Math.ceil(bytes.length / 3));
  let at = 0;
  for (let i = 0; i < bytes.length; i += 3) {
    const [b, c] = [bytes[i + 1], bytes[i + 2]];
    const group = ((bytes[i] as number) << 16) | ((b ?? 0) << 8) | (c ?? 0);
    codes[at++] = ALPHABET[group >> 18] as number;
    codes[at++] = ALPHABET[(group >> 12) & 63] as number;
    codes[at++] = b === undefined ? PADDING : (ALPHABET[(group >> 6) & 63] as number);
    codes[at++] = c === undefined ? PADDING : (ALPHABET[group & 63] as number);
  }
  return strictUtf8.decode(codes);
}

/**
 * What base64 stands for; undefined if it is not exactly what {@link toBase64} writes: other characters, padding or
 * bits.
 */
export function fromBase64(text: string): Uint8Array | undefined {
  const codes = toUtf8(text);
  if (codes.length % 4 !== 0) {
    return undefined;
  }
  const padding = codes.at(-1) !== PADDING ? 0 : codes.at(-2) !== PADDING ? 1 : 2;
  const bytes = new Uint8Array((codes.length / 4) * 3 - padding);
  const digits = codes.length - padding;
  let [at, group] = [0, 0];
  for (let i = 0; i < codes.length; i++) {
    const sextet = i < digits ? (SEXTETS[codes[i] as number] as number) : 0;
    if (sextet === 255) {
      return undefined;
    }
    group = (group << 6) | sextet;
    if (i % 4 === 3) {
      // What is past the end is not taken, and must be nothing.
      bytes[at++] = group >> 16;
      bytes[at++] = group >> 8;
      bytes[at++] = group;
      if (i >= digits && (group & (padding === 2 ? 0xffff : 0xff)) !== 0) {
        return undefined;
      }
      group = 0;
    }
  }
  return bytes;
}

/** Whether two are the same bytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** The longest piece of foreign text in a message. */
const MAX_QUOTED = 80;

/** Text that others wrote, for a message of ours: in quotes, short, with everything but visible ASCII escaped. */
export function quote(text: string): string {
  const short = text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
  const escaped = JSON.stringify(short.slice(0, MAX_QUOTED)).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return short.length > MAX_QUOTED ? `${escaped}…` : escaped;
}
