/**
 * Making elements. Nothing in the page parses HTML: elements are created one by one, and text goes in as text.
 */

import { codePointName, pieces } from './visible.js';

export type Child = Node | string | false | null | undefined;

type Attributes = Record<string, string | number | boolean | undefined>;

const SVG = 'http://www.w3.org/2000/svg';

/** An element. Attributes that are `true` are set empty, those that are `false` or undefined are left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

/** An element of SVG. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  add(element, children);
  return element;
}

/** Appends; a string becomes a text node. */
export function add(parent: Node, children: readonly Child[]): void {
  for (const child of children) {
    if (child) parent.appendChild(typeof child === 'string' ? document.createTextNode(child) : child);
  }
}

/** Puts these in the place of everything that an element holds. */
export function replace(parent: Element, ...children: Child[]): void {
  parent.replaceChildren();
  add(parent, children);
}

/** Text of whatever origin, with what does not show made visible. `tabs`: as in [`pieces`]. */
export function shown(text: string, tabs = false): DocumentFragment {
  const fragment = document.createDocumentFragment();
  for (const piece of pieces(text, tabs)) {
    if ('text' in piece) {
      fragment.appendChild(document.createTextNode(piece.text));
    } else {
      const name = codePointName(piece.hidden);
      fragment.appendChild(h('span', { class: 'hidden-char', title: 'a character that does not show' }, name));
    }
  }
  return fragment;
}

/** Text of whatever origin, set as code and kept apart from the direction of what is around it. */
export function code(text: string, className = ''): HTMLElement {
  return h('code', { class: className || undefined, dir: 'ltr' }, shown(text));
}

/** A button that does something when it is pressed. */
export function button(
  label: Child,
  className: string,
  press: () => void,
  attributes: Attributes = {},
): HTMLButtonElement {
  const made = h('button', { type: 'button', class: className, ...attributes }, label);
  made.addEventListener('click', press);
  return made;
}

/** The element with this id, which index.html has. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no #${id}`);
  return found as E;
}

/** An icon of this page: a path on a 16 × 16 grid. It says nothing that the text beside it does not. */
export function icon(name: keyof typeof ICONS): SVGSVGElement {
  return s(
    'svg',
    {
      class: `icon icon-${name}`,
      viewBox: '0 0 16 16',
      width: 16,
      height: 16,
      'aria-hidden': 'true',
      focusable: 'false',
    },
    s('path', { d: ICONS[name] }),
  );
}

const ICONS = {
  pass: 'M3 8.5 6.5 12 13 4.5',
  fail: 'M4 4l8 8M12 4l-8 8',
  incomplete: 'M8 3.2v6M8 12v.9',
  note: 'M8 7.2V12M8 4v.9',
  download: 'M8 2.5v8M4.8 7.6 8 10.8l3.2-3.2M3 13.5h10',
  share: 'M6.5 9.5l3-3M7 4.6l1.7-1.7a2.9 2.9 0 0 1 4.1 4.1L11 8.8M9 11.3l-1.7 1.8a2.9 2.9 0 0 1-4.1-4.1L5 7.2',
  edit: 'M3 13l.7-3L11 2.8 13.2 5 6 12.3 3 13z',
  close: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
  path: 'M8 3v3M8 6 4 9.5M8 6l4 3.5M4 9.5V13M12 9.5V13',
  play: 'M5 3.5v9l7.5-4.5z',
} as const;
