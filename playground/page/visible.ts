/**
 * Text that shows what it holds.
 *
 * Security: names, paths, lines and messages come from files and servers that nobody vouches for. A bidirectional
 * override shows another text than the one that is there (CVE-2021-42574, "Trojan Source"), a zero-width character
 * hides in a module's name, a control character is nothing at all. So every such character is shown as a badge with its
 * number. The table is the core's (guest/src/report/visible.rs); a test holds the two equal.
 */

/**
 * Unicode's Cc, Cf, Zl and Zp, with the variation selectors, fillers and tag characters: first and last of each range.
 */
export const UNSAFE: readonly (readonly [number, number])[] = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x600, 0x605],
  [0x61c, 0x61c],
  [0x6dd, 0x6dd],
  [0x70f, 0x70f],
  [0x890, 0x891],
  [0x8e2, 0x8e2],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff0, 0xfffb],
  [0x110bd, 0x110bd],
  [0x110cd, 0x110cd],
  [0x13430, 0x1343f],
  [0x1bca0, 0x1bca3],
  [0x1d173, 0x1d17a],
  [0xe0000, 0xe0fff],
];

/** Whether a character shows as nothing, or changes how others show. */
export function isUnsafe(codePoint: number): boolean {
  return UNSAFE.some(([first, last]) => first <= codePoint && codePoint <= last);
}

const escape = (codePoint: number): string => `\\u{${codePoint.toString(16)}}`;
const HIDDEN = new RegExp(
  `[\\p{Cs}${UNSAFE.map(([first, last]) => `${escape(first)}-${escape(last)}`).join('')}]`,
  'u',
);

/** Whether a text has any such character: a quick look, since most have none. */
export function hasHidden(text: string): boolean {
  return HIDDEN.test(text);
}

/** A run of ordinary text, or one character that is shown by its number. */
export type Piece = { readonly text: string } | { readonly hidden: number };

/** Cuts a text into what can be shown as it is and what cannot. `tabs`: a tab is left as it is, as in a source file. */
export function pieces(text: string, tabs = false): Piece[] {
  if (!hasHidden(text)) return text === '' ? [] : [{ text }];
  const out: Piece[] = [];
  let run = '';
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0;
    const hidden = isUnsafe(codePoint) && !(tabs && character === '\t');
    // A lone surrogate has no character of its own either.
    if (hidden || (codePoint >= 0xd800 && codePoint <= 0xdfff)) {
      if (run) out.push({ text: run });
      run = '';
      out.push({ hidden: codePoint });
    } else {
      run += character;
    }
  }
  if (run) out.push({ text: run });
  return out;
}

/** `U+202E`. */
export function codePointName(codePoint: number): string {
  return `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** The same in plain text, for places that hold no badge, such as a title or a label. */
export function visibleText(text: string): string {
  return pieces(text)
    .map((piece) => ('text' in piece ? piece.text : `[${codePointName(piece.hidden)}]`))
    .join('');
}
