/** The files that were judged, one at a time, with a way to choose among them. */

import { grouped } from './bytes.js';
import { button, code, h, replace, shown } from './dom.js';
import { editor, type SourceText } from './editor.js';
import type { Report } from './report.js';
import { visibleText } from './visible.js';

/** So many files have a tab each; more are chosen from a list. */
const MAX_TABS = 6;

/** The card. `edit`: what a press on its button does. */
export function filesCard(
  sources: readonly SourceText[],
  report: Report | undefined,
  edit: ((path: string) => void) | undefined,
): HTMLElement {
  const found = new Map<string, number>();
  for (const { file } of report?.findings ?? []) if (file !== null) found.set(file, (found.get(file) ?? 0) + 1);
  const count = ({ path }: SourceText): number => found.get(path) ?? 0;
  // What has findings first; otherwise in the order given.
  const sorted = sources.toSorted((one, other) => count(other) - count(one));
  const pane = h('div', { id: 'file-pane' });
  let current = sorted[0];
  const show = (source: SourceText | undefined): void => {
    current = source;
    if (source) replace(pane, editor(source, report));
  };
  const label = (source: SourceText): string => {
    const findings = count(source);
    return visibleText(source.path) + (findings > 0 ? ` (${grouped(findings)})` : '');
  };
  const several = sources.length > 1;
  const choice = sources.length > MAX_TABS ? list(sorted, label, show) : tabs(sorted, label, show);
  if (several && sources.length <= MAX_TABS) pane.setAttribute('role', 'tabpanel');
  show(current);
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'file-title' },
    h(
      'div',
      { class: 'card-head' },
      h('h2', { id: 'file-title' }, several ? `Files` : code(current?.path ?? '')),
      several && choice,
      edit && button('Edit', 'button button-small', () => current && edit(current.path)),
    ),
    pane,
  );
}

type Label = (source: SourceText) => string;
type Choose = (source: SourceText | undefined) => void;

function tabs(sources: readonly SourceText[], label: Label, choose: Choose): HTMLElement {
  const all = sources.map((source) =>
    h('button', { type: 'button', role: 'tab', 'aria-controls': 'file-pane' }, shown(label(source))),
  );
  const select = (at: number): void => {
    all.forEach((tab, other) => {
      tab.setAttribute('aria-selected', String(other === at));
      tab.tabIndex = other === at ? 0 : -1;
    });
  };
  all.forEach((tab, at) => {
    tab.addEventListener('click', () => {
      select(at);
      choose(sources[at]);
    });
    tab.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const next = all[(at + step + all.length) % all.length];
      next?.click();
      next?.focus();
    });
  });
  select(0);
  return h('div', { class: 'file-tabs', role: 'tablist', 'aria-label': 'Files' }, ...all);
}

function list(sources: readonly SourceText[], label: Label, choose: Choose): HTMLElement {
  const options = sources.map((source, at) => h('option', { value: at }, label(source)));
  const select = h(
    'select',
    { class: 'file-list', 'aria-label': `Which of ${grouped(sources.length)} files` },
    ...options,
  );
  select.addEventListener('change', () => choose(sources[select.selectedIndex]));
  return select;
}
