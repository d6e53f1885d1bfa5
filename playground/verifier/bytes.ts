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

/** Base64 with the alphabet of RFC 4648, section 4, and padding. */
export function toBase64(bytes: Uint8Array): string {
  // Not all at once: a call takes so many arguments only.
  const CHUNK = 0x8000;
  let text = '';
  for (let start = 0; start < bytes.length; start += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(start, start + CHUNK));
  }
  return btoa(text);
}

/** What base64 stands for, or undefined. Forgives what `atob` forgives: who needs one form compares with {@link toBase64}. */
export function fromBase64(text: string): Uint8Array | undefined {
  let binary;
  try {
    binary = atob(text);
  } catch {
    return undefined;
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) {
    bytes[i] = binary.charCodeAt(i);
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
