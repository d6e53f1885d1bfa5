/**
 * The result of a run: the verdict, the file with its findings, the modules, the way of a record, facts, what to take
 * away.
 */

import { grouped } from './bytes.js';
import { button, code, h, icon, replace, shown, type Child } from './dom.js';
import { findingList, type SourceText } from './editor.js';
import { filesCard } from './filescard.js';
import { climb, headOf, readHead, readProof, verifyHead } from './merkle.js';
import type { Ran, Replayed } from './protocol.js';
import { escaped, readReport, type Finding, type Module, type Report, type SignatureLine } from './report.js';
import { visibleText } from './visible.js';
import { wayView } from './way.js';

/** So many rows are drawn, and so many more each time that somebody asks. */
const MANY_ROWS = 200;
/** So many findings that are on no line of a shown file are listed. */
const MAX_FINDINGS = 500;

/** What the page adds to a result. */
export interface Actions {
  download(what: 'report' | 'sarif' | 'evidence'): void;
  /** Missing where the input is too large, or not text. */
  share?: () => void;
  /** What evidence proves, of a replay. */
  claims?: HTMLElement;
  /** The user wants to change a file. */
  edit?: (path: string) => void;
}

const WORDS = { pass: 'Pass', fail: 'Fail', incomplete: 'Incomplete' } as const;

/** Everything about a run that ended in a report. */
export function resultView(ran: Ran | Replayed, sources: readonly SourceText[], actions: Actions): HTMLElement[] {
  if (ran.end.tag !== 'done') return [refusedView(ran.end.refusal)];
  const report = readReport(ran.end.outcome.report);
  const onLines = new Set(sources.map(({ path }) => path));
  const elsewhere = report.findings.filter(({ file, line }) => file === null || line === null || !onLines.has(file));
  const way = h('section', { class: 'card', 'aria-labelledby': 'way-title', hidden: true });
  const showWay = (module: Module, focus: boolean): void => void fillWay(way, module, ran, report, focus);
  const main = h(
    'div',
    { class: 'column' },
    elsewhere.length > 0 && findingsCard(elsewhere),
    report.artifacts.length > 0 && artifactsCard(report),
    ...report.repositories.map(repositoryCard),
    sources.length > 0 && filesCard(sources, report, actions.edit),
    ran.end.outcome.lines.length > 0 && linesCard(ran.end.outcome.lines),
    ...ran.forks.map(({ name, content }) => forkCard(name, content)),
    report.modules.length > 0 && modulesCard(report, ran, showWay),
    way,
  );
  const aside = h(
    'div',
    { class: 'column' },
    actions.claims && card('What this proves, and what it only says', 'claims-title', actions.claims),
    downloadsCard(actions, sources.length > 0),
    factsCard(report, ran),
  );
  const first = report.modules.find((module) => ran.proofs.has(escaped(module.path, module.version)));
  if (first) showWay(first, false);
  // A green word must not hide that it stands on something else than what the viewer has.
  const differ = actions.claims?.querySelectorAll('.claim-fail').length ?? 0;
  return [banner(report, ran, differ), counts(report), h('div', { class: 'columns' }, main, aside)];
}

/** The verdict, as far as it can be said in one line. */
export function sentence(report: Report): string {
  const { counts, sumdbs, artifacts, repositories } = report;
  const parts: string[] = [];
  if (artifacts.length > 0) {
    const verified = artifacts.filter(({ signatures }) =>
      signatures.some(({ status }) => status === 'verified'),
    ).length;
    parts.push(verified === artifacts.length ? 'the signature verifies' : 'the signature does not verify');
  } else if (counts.lines > 0) {
    const database = sumdbs[0];
    const tree = database && database.tree_size > 0 ? ` (tree ${grouped(database.tree_size)})` : '';
    const by = database ? ` by ${database.name}${tree}` : '';
    parts.push(`${lines(counts.lines)}, ${grouped(counts.verified)} verified${by}`);
    if (counts.skipped > 0) parts.push(`${grouped(counts.skipped)} skipped`);
    if (counts.unchecked > 0) parts.push(`${grouped(counts.unchecked)} could not be checked`);
  } else if (repositories.length > 0) {
    parts.push(repositories.map(({ name, roles }) => `repository ${name}: ${roles.length} roles verified`).join(', '));
  }
  const found = Object.entries(counts.findings).filter(([, count]) => count > 0);
  if (found.length > 0)
    parts.push(`findings: ${found.map(([severity, count]) => `${grouped(count)} ${severity}`).join(', ')}`);
  const nothing = report.files.length > 0 ? 'no line was compared with anything' : 'nothing was found';
  return parts.join('; ') || nothing;
}

function lines(count: number): string {
  return count === 1 ? '1 line' : `${grouped(count)} lines`;
}

function banner(report: Report, ran: Ran | Replayed, differ: number): HTMLElement {
  const { verdict } = report;
  const how =
    'same' in ran &&
    (ran.same
      ? 'Replayed from evidence, byte for byte, without a network.'
      : 'Replayed from evidence, by another component than recorded it.');
  return h(
    'div',
    { class: `banner banner-${verdict}` },
    h('span', { class: 'banner-mark' }, icon(verdict)),
    h(
      'div',
      {},
      h('h2', { class: 'banner-word', id: 'verdict', tabindex: '-1' }, WORDS[verdict]),
      h('p', { class: 'banner-text' }, shown(sentence(report))),
      how && h('p', { class: 'sub' }, how),
      differ > 0 &&
        h(
          'p',
          { class: 'banner-text', id: 'differ' },
          icon('fail'),
          ' But something that it stands on is not yours, or not what its name says: see what this proves.',
        ),
    ),
  );
}

/** A job that makes no sense. */
function refusedView(refusal: { tag: string; val?: string }): HTMLElement {
  const text = refusal.tag === 'nothing-to-do' ? 'there is nothing in it to judge' : (refusal.val ?? refusal.tag);
  return h(
    'div',
    { class: 'banner banner-incomplete' },
    h('span', { class: 'banner-mark' }, icon('incomplete')),
    h(
      'div',
      {},
      h('h2', { class: 'banner-word', id: 'verdict', tabindex: '-1' }, 'Refused'),
      h('p', { class: 'banner-text' }, shown(text)),
    ),
  );
}

function counts(report: Report): HTMLElement {
  const { counts } = report;
  const findings = Object.values(counts.findings).reduce((sum, count) => sum + count, 0);
  const count = (name: string, value: number, tone = ''): HTMLElement =>
    h(
      'div',
      { class: `count ${tone && value > 0 ? `count-${tone}` : ''}` },
      h('dt', {}, name),
      h('dd', {}, grouped(value)),
    );
  const all = [
    counts.modules > 0 && count('module versions', counts.modules),
    counts.lines > 0 && count('lines', counts.lines),
    counts.lines > 0 && count('lines verified', counts.verified, 'pass'),
    counts.skipped > 0 && count('skipped', counts.skipped),
    counts.lines > 0 && count('unchecked', counts.unchecked, 'warn'),
    count('findings', findings, counts.findings.critical + counts.findings.high > 0 ? 'fail' : 'warn'),
    counts.grades.trusted > 0 && count('grade trusted', counts.grades.trusted, 'pass'),
    counts.grades.verified > 0 && count('grade verified', counts.grades.verified, 'pass'),
  ];
  return h('dl', { class: 'counts', hidden: counts.lines === 0 && counts.modules === 0 }, ...all);
}

function card(title: string, id: string, ...children: Child[]): HTMLElement {
  return h(
    'section',
    { class: 'card', 'aria-labelledby': id },
    h('div', { class: 'card-head' }, h('h2', { id }, title)),
    h('div', { class: 'card-body' }, ...children),
  );
}

function findingsCard(findings: readonly Finding[]): HTMLElement {
  const rest = findings.length - MAX_FINDINGS;
  return card(
    'Findings',
    'findings-title',
    findingList(findings.slice(0, MAX_FINDINGS), true),
    rest > 0 && h('p', { class: 'sub' }, `and ${grouped(rest)} more: they are in the report`),
  );
}

/** Of a look-up or an explanation: lines that the database proves. */
function linesCard(proven: readonly string[]): HTMLElement {
  return card(
    'Authenticated lines',
    'lines-title',
    h('pre', { class: 'record', dir: 'ltr' }, ...proven.map((line) => h('div', {}, shown(line)))),
  );
}

function forkCard(name: string, content: Uint8Array): HTMLElement {
  return card(
    'Proof of the fork',
    'fork-title',
    h(
      'p',
      {},
      'Two heads that the database signed and that cannot both be true. Whoever has its key can check this text, ',
      'without the database: ',
      code(name),
    ),
    h(
      'pre',
      { class: 'record', dir: 'ltr', tabindex: 0, 'aria-label': 'Proof of the fork' },
      ...new TextDecoder()
        .decode(content)
        .split('\n')
        .map((line) => h('div', {}, shown(line, true), line ? '' : '\u00a0')),
    ),
  );
}

function signatureFacts(signature: SignatureLine): Child[] {
  const fact = (name: string, value: string | null | undefined): Child[] =>
    value ? [h('div', {}, h('dt', {}, name), h('dd', {}, code(value)))] : [];
  return [
    ...fact('signed by', signature.identity),
    ...fact('vouched for by', signature.issuer),
    ...fact('believed by the root', signature.root),
    ...fact('builder', signature.builder),
    ...fact('source', signature.source_repository),
    ...fact('ref', signature.source_ref),
    ...fact('says', signature.predicate_type),
    ...fact('in the log, by an inclusion proof', signature.logged.join(', ')),
    ...fact('promised by the log', signature.promised.join(', ')),
    ...fact('made at', signature.times.join(', ')),
  ];
}

function artifactsCard(report: Report): HTMLElement {
  return card(
    'The signed file',
    'artifacts-title',
    ...report.artifacts.flatMap(({ name, sha256, signatures }) => [
      h(
        'dl',
        { class: 'facts' },
        h('div', {}, h('dt', {}, 'file'), h('dd', {}, code(name))),
        h('div', {}, h('dt', {}, 'SHA-256'), h('dd', {}, code(sha256))),
      ),
      ...signatures.map((signature) =>
        h(
          'div',
          { class: 'claims-group' },
          h('h3', {}, 'Signature ', statusChip(signature.status)),
          h('dl', { class: 'facts' }, ...signatureFacts(signature)),
        ),
      ),
    ]),
  );
}

function repositoryCard({ name, roles }: Report['repositories'][number], at: number): HTMLElement {
  const head = ['Role', 'Version', 'Good until'];
  const rows = roles.map((role) =>
    h(
      'tr',
      {},
      h('td', {}, code(role.name)),
      h('td', { class: 'number' }, `${role.version}`),
      h('td', {}, code(role.expires)),
    ),
  );
  const id = `repository-${at}`;
  return h(
    'section',
    { class: 'card', 'aria-labelledby': id },
    h(
      'div',
      { class: 'card-head' },
      h('h2', { id }, 'TUF repository ', code(name)),
      h('span', { class: 'sub' }, 'metadata that was verified'),
    ),
    roles.length > 0
      ? h(
          'table',
          {},
          h('thead', {}, h('tr', {}, ...head.map((title) => h('th', { scope: 'col' }, title)))),
          h('tbody', {}, ...rows),
        )
      : h('p', { class: 'card-body sub' }, 'none'),
  );
}

const CHIPS: Readonly<Record<string, string>> = {
  verified: 'pass',
  trusted: 'pass',
  approved: 'pass',
  mismatch: 'fail',
  refused: 'fail',
  revoked: 'fail',
  unknown: 'warn',
  unchecked: 'warn',
};

function statusChip(status: string, label = status): HTMLElement {
  return h('span', { class: `chip chip-${CHIPS[status] ?? 'plain'}` }, shown(label));
}

/** What signers, repositories and the policy say of a module version, if they do. */
function who({ path, signatures, targets, rulings }: Module): HTMLElement | false {
  if (signatures.length + targets.length + rulings.length === 0) return false;
  const condition = ({ what, held, expected, found }: Module['rulings'][number]['conditions'][number]): HTMLElement =>
    h(
      'li',
      {},
      statusChip(held ? 'verified' : 'refused', held ? 'holds' : 'fails'),
      ' ',
      code(what),
      ...(held ? [': ', shown(found)] : [': expected ', shown(expected), ', found ', shown(found)]),
    );
  return h(
    'details',
    { class: 'who' },
    h('summary', {}, 'who says what', h('span', { class: 'visually-hidden' }, ` of ${visibleText(path)}`)),
    ...signatures.map((signature) =>
      h(
        'dl',
        { class: 'facts' },
        h('div', {}, h('dt', {}, 'a signed statement'), h('dd', {}, statusChip(signature.status))),
        ...signatureFacts(signature),
      ),
    ),
    targets.length > 0 &&
      h(
        'ul',
        {},
        ...targets.map(({ repository, status, path, role }) =>
          h(
            'li',
            {},
            statusChip(status),
            ' by the repository ',
            code(repository),
            ...(role ? [', role ', code(role)] : []),
            ': ',
            code(path),
          ),
        ),
      ),
    ...rulings.map(({ name, grade, required, satisfied, conditions }) =>
      h(
        'ul',
        {},
        h(
          'li',
          {},
          statusChip(satisfied ? 'verified' : 'refused', satisfied ? 'satisfied' : 'not satisfied'),
          ' rule ',
          code(name),
          `: ${grade}, must be ${required}`,
        ),
        ...conditions.map(condition),
      ),
    ),
  );
}

function modulesCard(report: Report, ran: Ran, showWay: (module: Module, focus: boolean) => void): HTMLElement {
  const hasBytes = report.modules.some(({ bytes }) => bytes.some(({ status }) => status !== 'absent'));
  const row = (module: Module): HTMLElement[] => {
    const key = escaped(module.path, module.version);
    const way = button('Show proof', 'button button-small', () => showWay(module, true), {
      'aria-label': `Show proof of ${visibleText(`${module.path} ${module.version}`)}`,
    });
    const told = who(module);
    const main = h(
      'tr',
      { class: told ? 'told' : undefined },
      h('td', { class: 'module' }, code(module.path), ' ', code(module.version, 'version')),
      h('td', {}, ...module.lines.flatMap(({ of, status }) => [statusChip(status, `${of} ${status}`), ' '])),
      hasBytes &&
        h(
          'td',
          {},
          ...module.bytes.flatMap(({ what, status }) =>
            status === 'absent' ? [] : [statusChip(status, `${what} ${status}`), ' '],
          ),
        ),
      h('td', {}, statusChip(module.grade === 'unverified' ? 'none' : module.grade, module.grade)),
      h('td', { class: 'number' }, module.record === null ? '–' : grouped(module.record)),
      h('td', {}, ran.proofs.has(key) ? way : h('span', { class: 'sub' }, '–')),
    );
    return told ? [main, h('tr', {}, h('td', { colspan: names.length }, told))] : [main];
  };
  const names = ['Module version', 'Lines', ...(hasBytes ? ['Bytes'] : []), 'Grade', 'Record', 'Proof'];
  const body = h('tbody');
  const more = button('', 'button button-small', () => add());
  let drawn = 0;
  const add = (): void => {
    body.append(...report.modules.slice(drawn, drawn + MANY_ROWS).flatMap(row));
    keepTable(table);
    drawn = Math.min(drawn + MANY_ROWS, report.modules.length);
    const left = report.modules.length - drawn;
    more.textContent = `Show ${grouped(Math.min(left, MANY_ROWS))} more of ${grouped(left)}`;
    more.hidden = left === 0;
  };
  const head = h('thead', {}, h('tr', {}, ...names.map((name) => h('th', { scope: 'col' }, name))));
  const table = h('table', { class: 'modules' }, head, body);
  add();
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'modules-title' },
    h(
      'div',
      { class: 'card-head' },
      h('h2', { id: 'modules-title' }, 'Module versions'),
      h('span', { class: 'sub' }, 'Grade says what is known of who built it: checksums alone are “unverified”.'),
      more,
    ),
    h('div', { class: 'table-wrap', role: 'region', 'aria-label': 'Table of module versions', tabindex: 0 }, table),
  );
}

const TABLE_ROLES = { thead: 'rowgroup', tbody: 'rowgroup', tr: 'row', th: 'columnheader', td: 'cell' } as const;

/** On narrow screens rows are boxes; browsers then forget that this is a table, unless they are told. */
function keepTable(table: HTMLTableElement): void {
  table.setAttribute('role', 'table');
  for (const [tag, role] of Object.entries(TABLE_ROLES)) {
    for (const element of table.getElementsByTagName(tag)) element.setAttribute('role', role);
  }
}

/** Counts the ways that were asked for, so that the last one is shown. */
let ways = 0;

async function fillWay(section: HTMLElement, module: Module, ran: Ran, report: Report, focus: boolean): Promise<void> {
  const proof = readProof(ran.proofs.get(escaped(module.path, module.version)) ?? new Uint8Array());
  if (!proof) return;
  const own = ++ways;
  const way = await climb(proof);
  const head = headOf(
    proof,
    ran.heads.flatMap((note) => readHead(note) ?? []),
  );
  const { sumdb } = ran.job;
  const signed = head && sumdb.tag === 'database' ? await verifyHead(head, sumdb.val.key) : 'cannot';
  if (own !== ways) return;
  const name = `${module.path} ${module.version}`;
  const title = h('h2', { id: 'way-title', tabindex: '-1' }, 'From the record to the signed root: ', code(name));
  const database = report.sumdbs[0]?.name ?? 'the database';
  const forked = report.findings.some(({ rule }) => rule === 'sumdb-fork');
  const view = wayView({ module: name, database, proof, way, signed, forked, ...(head && { head }) });
  replace(section, h('div', { class: 'card-head' }, title), view);
  section.hidden = false;
  if (focus) {
    section.scrollIntoView({ block: 'start' });
    title.focus({ preventScroll: true });
  }
}

function downloadsCard(actions: Actions, hasFiles: boolean): HTMLElement {
  const get = (what: 'report' | 'sarif' | 'evidence', label: string): HTMLElement =>
    button(h('span', {}, label), 'button button-small', () => actions.download(what));
  return card(
    'Take it with you',
    'downloads-title',
    h(
      'div',
      { class: 'downloads' },
      get('report', 'Report (JSON)'),
      get('sarif', 'SARIF'),
      get('evidence', 'Evidence'),
      actions.share && button('Copy a link', 'button button-small', actions.share),
    ),
    h('p', { class: 'sub', id: 'share-state', role: 'status' }),
    hasFiles &&
      h(
        'p',
        { class: 'sub' },
        'Evidence holds the file and all answers: with it anybody has the same component judge again, offline.',
      ),
  );
}

const FLOORS = {
  none: 'none: a first run believes any history that agrees with itself',
  cached: 'the newest head of an earlier run',
  pinned: 'a head that was configured',
} as const;

function asked({ rounds, requests }: Ran['said']): string {
  if (requests === 0) return 'nothing: all that it needed was in the job';
  const things = requests === 1 ? 'thing' : 'things';
  return `${grouped(requests)} ${things}, in ${rounds} ${rounds === 1 ? 'round' : 'rounds'}`;
}

function factsCard(report: Report, ran: Ran | Replayed): HTMLElement {
  const fact = (name: string, ...value: Child[]): HTMLElement => h('div', {}, h('dt', {}, name), h('dd', {}, ...value));
  return card(
    'Facts',
    'facts-title',
    h(
      'dl',
      { class: 'facts' },
      ...report.sumdbs.flatMap(({ name, tree_size, root_hash, requests, floor, skipped_by }) => [
        fact('checksum database', code(name)),
        ...(tree_size > 0 ? [fact('tree size', grouped(tree_size)), fact('root hash', code(root_hash))] : []),
        fact('requests for records and tiles', grouped(requests)),
        fact('protected against forks by', FLOORS[floor]),
        ...(skipped_by ? [fact('skipped by', code(skipped_by))] : []),
      ]),
      ...report.trusted_roots.map(({ name, set_by, expires }) =>
        fact('trusted root', code(name), ', by ', shown(set_by), expires ? `, until ${expires}` : ''),
      ),
      ...report.files.map(({ path, sha256, lines: count }) => fact(`${path}, ${lines(count)}, SHA-256`, code(sha256))),
      fact('judged at', code(report.checked_at)),
      fact('judged by the component', code(report.tool.component)),
      fact('modanchor', code(report.tool.version)),
      fact('asked by the component', asked(ran.said)),
    ),
  );
}
