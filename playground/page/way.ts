/**
 * The way from a record to the root, drawn step by step: this is how a log can be trusted. Every hash that is drawn as
 * made was computed here, by the browser's SHA-256; those that are drawn as given came with the proof.
 */

import { base64, equal, grouped } from './bytes.js';
import { button, code, h, replace, s, shown } from './dom.js';
import type { Head, Proof, Range, Signed, Way } from './merkle.js';

/** What is shown. */
export interface Shown {
  readonly module: string;
  readonly database: string;
  readonly proof: Proof;
  readonly way: Way;
  /** The signed head that the way leads to, if the run had it. */
  readonly head?: Head;
  /** What the browser says of its signature. */
  readonly signed: Signed;
  /** Whether the run proved that the database signed two histories. */
  readonly forked: boolean;
}

const WIDTH = 460;
const ROW = 78;
const BOX = 40;
const HALF = 98;

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Step {
  readonly title: string;
  readonly body: Node[];
  /** In one sentence, for the text below. */
  readonly text: string;
}

/** The drawing, the steps with buttons, and all of it as text. */
export function wayView(what: Shown): HTMLElement {
  const steps = stepsOf(what);
  const drawing = h('div', { class: 'way-drawing', role: 'region', 'aria-label': 'Drawing of the way', tabindex: 0 });
  const step = h('div', { class: 'way-step', 'aria-live': 'polite' });
  const place = h('span', { class: 'sub' });
  let at = 0;
  const go = (to: number): void => {
    at = Math.max(0, Math.min(steps.length - 1, to));
    const now = steps[at];
    if (!now) return;
    // Not `disabled`: that would take the focus, and with it the arrow keys, from who presses it for the last time.
    previous.setAttribute('aria-disabled', String(at === 0));
    next.setAttribute('aria-disabled', String(at === steps.length - 1));
    place.textContent = `step ${at + 1} of ${steps.length}`;
    replace(step, h('h3', {}, now.title), ...now.body);
    replace(drawing, draw(what, at));
    const current = drawing.querySelector('.node-now, .node-root, .node-root-bad');
    const box = current?.getBoundingClientRect();
    const frame = drawing.getBoundingClientRect();
    if (box && frame.height > 0) drawing.scrollTop += box.top - frame.top - frame.height / 2 + box.height / 2;
  };
  const previous = button('Previous', 'button button-small', () => go(at - 1));
  const next = button('Next', 'button button-small', () => go(at + 1));
  const end = button('To the root', 'button button-small button-plain', () => go(steps.length - 1));
  const controls = h(
    'div',
    { class: 'way-controls', role: 'group', 'aria-label': 'Steps' },
    previous,
    next,
    end,
    place,
  );
  const side = h(
    'div',
    { class: 'way-side' },
    controls,
    step,
    h(
      'details',
      { class: 'way-text' },
      h('summary', {}, 'All steps as text'),
      h('ol', {}, ...steps.map(({ text }) => h('li', {}, shown(text)))),
    ),
  );
  const view = h('div', { class: 'way' }, drawing, side);
  view.addEventListener('keydown', (event) => {
    const inDrawing = event.target === drawing;
    const moves: Record<string, number> = { ArrowRight: at + 1, ArrowLeft: at - 1 };
    if (inDrawing) Object.assign(moves, { Home: 0, End: steps.length - 1 });
    const to = moves[event.key];
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    go(to);
  });
  // Once it is in the document, so that it can be scrolled to.
  requestAnimationFrame(() => go(0));
  go(0);
  return view;
}

function range({ first, end }: Range): string {
  return end - first === 1n ? `record ${grouped(first)}` : `records ${grouped(first)} to ${grouped(end - 1n)}`;
}

function fact(name: string, ...value: Node[]): Node[] {
  return [h('dt', {}, name), h('dd', {}, ...value)];
}

function stepsOf({ module, database, proof, way, head, signed, forked }: Shown): Step[] {
  const root = base64(proof.root);
  const leaf = base64(way.leaf);
  const steps: Step[] = [
    {
      title: 'The record',
      body: [
        h(
          'p',
          {},
          'Record ',
          h('strong', {}, grouped(proof.id)),
          ' of ',
          shown(database),
          ' is this text. ',
          'It is all that the log says about ',
          code(module),
          '.',
        ),
        h(
          'pre',
          { class: 'record', dir: 'ltr' },
          ...proof.text
            .trimEnd()
            .split('\n')
            .map((line) => h('div', {}, shown(line))),
        ),
        h(
          'p',
          { class: 'sub' },
          'The lines of a go.sum are compared with it. What follows shows that it is in the log.',
        ),
      ],
      text: `Record ${grouped(proof.id)} is: ${proof.text.trimEnd().split('\n').join('; ')}`,
    },
    {
      title: 'Its hash, a leaf of the tree',
      body: [
        h('p', {}, 'SHA-256 over a zero byte and the text. The zero byte keeps leaves and inner nodes apart.'),
        h('dl', {}, ...fact('SHA-256(0x00 ‖ record)', code(leaf))),
      ],
      text: `Its leaf hash, SHA-256(0x00 ‖ record), is ${leaf}`,
    },
  ];
  way.climbs.forEach((climb, at) => {
    const [own, sibling, parent] = [base64(climb.own), base64(climb.sibling), base64(climb.parent)];
    const [left, right] = climb.side === 'left' ? [sibling, own] : [own, sibling];
    const covers = climb.parentRange.end - climb.parentRange.first;
    steps.push({
      title: `Up ${at + 1}: the sibling is on the ${climb.side}`,
      body: [
        h(
          'p',
          {},
          `The proof brings one hash, which stands for ${range(climb.siblingRange)}. `,
          `Together with what is known it makes the node above, which covers ${grouped(covers)} records.`,
        ),
        h(
          'dl',
          {},
          ...fact(climb.side === 'left' ? 'left: given' : 'left: made before', code(left)),
          ...fact(climb.side === 'right' ? 'right: given' : 'right: made before', code(right)),
          ...fact('SHA-256(0x01 ‖ left ‖ right)', code(parent)),
        ),
      ],
      text:
        `The sibling ${sibling} on the ${climb.side} covers ${range(climb.siblingRange)}; ` +
        `SHA-256(0x01 ‖ ${left} ‖ ${right}) is ${parent}`,
    });
  });
  const arrived = equal(way.top, proof.root);
  const signature = {
    good: 'The signature of the head verifies with the database’s key, in this browser too.',
    bad: 'This browser does not find a good signature of the key under it.',
    cannot: 'This browser has no Ed25519; the component verified the signature.',
  }[signed];
  steps.push({
    title: way.holds ? 'The root: as signed' : 'The root: another one than was signed',
    body: [
      h(
        'p',
        {},
        way.holds ? arrival(proof) : 'The hashes do not lead to the root of the head. The record must not be believed.',
        forked ? h('strong', {}, ' But this database has signed another history, too: see the proof of the fork.') : '',
      ),
      h('dl', {}, ...fact('computed here', code(base64(way.top))), ...fact('in the head', code(root))),
      ...(head
        ? [
            h('p', {}, signature),
            h(
              'pre',
              { class: 'record', dir: 'ltr' },
              ...head.note
                .trimEnd()
                .split('\n')
                .map((line) => h('div', {}, shown(line), line ? '' : '\u00a0')),
            ),
          ]
        : [
            h(
              'p',
              {},
              'The head of this proof is not the newest. The component checked, by a consistency proof, ',
              'that the newest tree continues it.',
            ),
          ]),
    ],
    text:
      `The computed root ${base64(way.top)} ${arrived ? 'is' : 'is not'} ` +
      `that of the head of ${grouped(proof.size)} records, ${root}`,
  });
  return steps;
}

function arrival(proof: Proof): string {
  return (
    `${grouped(proof.path.length)} hashes lead from the record to the root of a tree of ${grouped(proof.size)} records. ` +
    'It is the one that the database signed. To put another text in the record’s place, ' +
    'one would have to find another text with the same SHA-256.'
  );
}

/** The ladder, leaf at the bottom. `at`: the step; what is not reached yet is pale. */
function draw({ proof, way }: Shown, at: number): SVGSVGElement {
  const rows = way.climbs.length + 2;
  const height = rows * ROW + 20;
  const y = (row: number): number => height - 34 - row * ROW;
  const middle = WIDTH / 2;
  const points: Point[] = [
    { x: middle, y: y(0) },
    { x: middle, y: y(1) },
  ];
  const last = way.climbs.length + 2;
  const svg = s('svg', {
    viewBox: `0 0 ${WIDTH} ${height}`,
    role: 'img',
    'aria-label': `The way from record ${proof.id} to the root; all steps are there as text`,
  });
  // Own nodes alternate around the middle, so that a sibling has room on its side.
  const shift = (side: 'left' | 'right'): number => (side === 'left' ? HALF + 14 : -(HALF + 14));
  way.climbs.forEach((climb, index) => {
    const below = points[index + 1];
    if (!below) return;
    // The node that is known stands on the other side of its sibling.
    const own = { x: middle + shift(climb.side), y: below.y };
    points[index + 1] = own;
    points.push({ x: middle, y: y(index + 2) });
  });
  const state = (step: number): string => (step === at ? 'node-now' : step > at ? 'node-later' : 'node-made');
  const edge = (from: Point, to: Point, step: number): SVGElement =>
    s('path', {
      class: `edge ${step === at ? 'edge-now' : step > at ? 'edge-later' : ''}`,
      d: `M${from.x} ${from.y - BOX / 2}V${(from.y + to.y) / 2}H${to.x}V${to.y + BOX / 2}`,
    });
  const node = (point: Point, className: string, label: string, below: string): SVGElement =>
    s(
      'g',
      { class: `node ${className}` },
      s('rect', { x: point.x - HALF, y: point.y - BOX / 2, width: 2 * HALF, height: BOX, rx: 8 }),
      s('text', { x: point.x, y: point.y - 2 }, label),
      s('text', { x: point.x, y: point.y + 13, class: 'node-range' }, below),
    );
  const short = (hash: Uint8Array): string => `${base64(hash).slice(0, 12)}…`;
  const [record, leaf] = points;
  const edges: SVGElement[] = [];
  const nodes: SVGElement[] = [];
  if (record && leaf) {
    edges.push(edge(record, leaf, 1));
    nodes.push(node(record, state(0), `record ${grouped(proof.id)}`, 'its text'));
    nodes.push(node(leaf, state(1), short(way.leaf), 'leaf: SHA-256(0x00 ‖ text)'));
  }
  way.climbs.forEach((climb, index) => {
    const own = points[index + 1];
    const parent = points[index + 2];
    if (!own || !parent) return;
    const step = index + 2;
    const sibling = { x: middle - shift(climb.side), y: own.y };
    edges.push(edge(own, parent, step), edge(sibling, parent, step));
    nodes.push(
      node(
        sibling,
        step > at ? 'node-given node-later' : 'node-given',
        short(climb.sibling),
        range(climb.siblingRange),
      ),
    );
    const isRoot = index === way.climbs.length - 1;
    const reached = at === last && isRoot ? (way.holds ? 'node-root' : 'node-root-bad') : state(step);
    nodes.push(
      node(
        parent,
        reached,
        short(climb.parent),
        isRoot ? `root of ${grouped(proof.size)} records` : range(climb.parentRange),
      ),
    );
  });
  svg.append(...edges, ...nodes);
  return svg;
}
