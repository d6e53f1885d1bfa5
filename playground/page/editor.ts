/**
 * A file as an editor shows it: numbered lines, a mark on each that was judged, and findings below the line that they
 * are about.
 */

import { code, h, shown } from './dom.js';
import type { Finding, LineStatus, Report } from './report.js';
import { toneOf } from './report.js';
import { visibleText } from './visible.js';

/** Files of more lines are drawn as one scrolls: a hundred thousand lines are half a million elements. */
const EAGER_LINES = 3_000;
/** How many lines are drawn at once then. */
const CHUNK = 400;
/** A line is cut here; a go.sum's has some 130 characters. */
const MAX_COLUMNS = 4_000;

/** A file to show. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}

type Tone = 'pass' | 'fail' | 'warn' | '';

const MARKS: Record<Tone, string> = { pass: '✓', fail: '✕', warn: '!', '': ' ' };
const STATUS: Record<LineStatus, readonly [Tone, string]> = {
  verified: ['pass', 'verified'],
  mismatch: ['fail', 'not what the database has'],
  skipped: ['', 'skipped'],
  unchecked: ['warn', 'could not be checked'],
  unknown: ['warn', 'unknown to the database'],
};

/** The pane. `focusLine`: a line that is scrolled to. */
export function editor(source: SourceText, report: Report | undefined): HTMLElement {
  const lines = source.text.split('\n');
  if (lines.length > 1 && lines.at(-1) === '') lines.pop();
  const findings = new Map<number, Finding[]>();
  const status = new Map<number, LineStatus>();
  for (const finding of report?.findings ?? []) {
    if (finding.file !== source.path || finding.line === null) continue;
    findings.set(finding.line, [...(findings.get(finding.line) ?? []), finding]);
  }
  for (const module of report?.modules ?? []) {
    for (const line of module.lines) if (line.file === source.path) status.set(line.line, line.status);
  }
  const draw = (first: number, end: number): Node[] => {
    const nodes: Node[] = [];
    for (let at = first; at < end; at += 1) {
      const number = at + 1;
      const about = findings.get(number) ?? [];
      nodes.push(line(number, lines[at] ?? '', about, status.get(number)));
      if (about.length > 0) nodes.push(lens(about));
    }
    return nodes;
  };
  const holder = h('div', { class: 'editor-lines' });
  // Read out as text, line by line; the whole pane scrolls, so it can be reached by keyboard.
  const pane = h(
    'div',
    { class: 'editor', role: 'region', 'aria-label': `Lines of ${visibleText(source.path)}`, tabindex: 0 },
    holder,
  );
  pane.style.setProperty('--gutter', `calc(${String(lines.length).length + 2}ch + 20px)`);
  new ResizeObserver(() => pane.style.setProperty('--pane', `${pane.clientWidth}px`)).observe(pane);
  if (lines.length <= EAGER_LINES) {
    holder.append(...draw(0, lines.length));
  } else {
    chunks(holder, pane, lines.length, draw);
  }
  return pane;
}

/** Draws a long file piece by piece, when a piece comes near. */
function chunks(
  holder: HTMLElement,
  pane: HTMLElement,
  count: number,
  draw: (first: number, end: number) => Node[],
): void {
  const starts = new Map<Element, number>();
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        const first = starts.get(target);
        if (!isIntersecting || first === undefined) continue;
        observer.unobserve(target);
        target.replaceChildren(...draw(first, Math.min(first + CHUNK, count)));
        (target as HTMLElement).style.minHeight = '';
      }
    },
    { root: pane, rootMargin: '1200px' },
  );
  for (let first = 0; first < count; first += CHUNK) {
    const chunk = h('div');
    chunk.style.minHeight = `${1.65 * Math.min(CHUNK, count - first)}em`;
    starts.set(chunk, first);
    holder.append(chunk);
    observer.observe(chunk);
  }
}

function line(number: number, text: string, about: readonly Finding[], status: LineStatus | undefined): HTMLElement {
  const [ofStatus, word] = status ? STATUS[status] : (['', ''] as const);
  const worst = about.map(toneOf);
  const tone: Tone = worst.includes('fail') ? 'fail' : worst.length > 0 && ofStatus !== 'pass' ? 'warn' : ofStatus;
  const marked = about.find((finding) => finding.column !== null && finding.end_column !== null);
  const shownText = text.length > MAX_COLUMNS ? `${text.slice(0, MAX_COLUMNS)}…` : text;
  return h(
    'div',
    { class: `line ${tone ? `line-${tone}` : ''}`, 'data-line': number },
    h(
      'span',
      { class: 'line-number' },
      h('span', { class: 'line-mark', 'aria-hidden': 'true' }, MARKS[tone]),
      h('span', {}, `${number}`),
      word && h('span', { class: 'visually-hidden' }, ` ${word}: `),
    ),
    h('span', { class: 'line-text', dir: 'ltr' }, ...underlined(shownText, marked)),
  );
}

/** The text with the part that a finding is about underlined. Columns count characters, from 1. */
function underlined(text: string, finding: Finding | undefined): Node[] {
  if (!finding) return [shown(text, true)];
  const characters = [...text];
  const [from, to] = [(finding.column ?? 1) - 1, (finding.end_column ?? 1) - 1];
  const part = (first: number, end?: number): string => characters.slice(first, end).join('');
  return [
    shown(part(0, from), true),
    h('span', { class: 'squiggle' }, shown(part(from, Math.max(to, from + 1)), true)),
    shown(part(Math.max(to, from + 1)), true),
  ];
}

function lens(findings: readonly Finding[]): HTMLElement {
  return h('div', { class: 'lens' }, findingList(findings));
}

/** Findings, each with what was expected, found, by whose word, and what to do. */
export function findingList(findings: readonly Finding[], places = false): HTMLElement {
  return h(
    'ul',
    { class: 'findings' },
    ...findings.map((finding) => h('li', { class: 'finding' }, ...findingParts(finding, places))),
  );
}

/** A sentence of the core's, in which what is to be typed stands between backticks. */
function prose(text: string): Node[] {
  return text.split('`').map((part, at) => (at % 2 === 1 ? code(part) : shown(part)));
}

function findingParts(finding: Finding, places: boolean): Node[] {
  const fact = (name: string, value: string | null, asCode = true): Node[] =>
    value === null || value === '' ? [] : [h('dt', {}, name), h('dd', {}, ...(asCode ? [code(value)] : prose(value)))];
  const place = finding.file === null ? null : `${finding.file}${finding.line === null ? '' : `:${finding.line}`}`;
  return [
    h(
      'div',
      { class: 'finding-head' },
      h('span', { class: `chip chip-${finding.severity}` }, finding.severity),
      h('span', { class: 'finding-message' }, shown(finding.message)),
      h('code', { class: 'sub' }, finding.rule),
    ),
    h(
      'dl',
      {},
      ...(places ? fact('where', place) : []),
      ...fact('expected', finding.expected),
      ...fact('found', finding.found),
      ...fact('by', finding.by, false),
      ...fact('what to do', finding.help, false),
    ),
  ];
}
