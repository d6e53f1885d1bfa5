/** Values at random, from a seed: what fails once fails again. */

import { form, jsName } from '../verifier/codec.js';

/** A sequence of numbers that looks random and is a function of its seed (splitmix32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to 2^32 - 1. */
  u32(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }

  /** From 0 to `n` - 1. */
  below(n: number): number {
    return this.u32() % n;
  }

  one<T>(of: readonly T[]): T {
    return of[this.below(of.length)] as T;
  }

  some<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, make);
  }
}

/** Text of every length in UTF-8, and what JSON, HTML and terminals give a meaning. */
const PIECES = [
  ...[
    'a',
    '/',
    '"',
    '\\',
    '\0',
    '\n',
    '\x1b',
    '\x7f',
    '\u2028',
    '\ufeff',
    'é',
    '€',
    '𐍈',
    '\u202e',
    '__proto__',
    '</script>',
  ],
  ...['\ud7ff', '\ue000', '\uffff', ' ', '{}', 'constructor', '0'],
];

function text(random: Random): string {
  return random.some(4, () => random.one(PIECES)).join('');
}

/** A value of a type of the contract, as it looks in JavaScript. */
export function value(type: Parameters<typeof form>[0], random: Random): unknown {
  const of = form(type);
  switch (of.is) {
    case 'bool':
      return random.below(2) === 1;
    case 'string':
      return text(random);
    case 'bytes':
      return random.below(2) === 1
        ? new TextEncoder().encode(text(random))
        : Uint8Array.from(random.some(6, () => random.below(256)));
    case 'u8':
      return random.one([0, 1, 0xff, random.below(0x100)]);
    case 'u16':
      return random.one([0, 1, 0xffff, random.below(0x1_0000)]);
    case 'u32':
      return random.one([0, 1, 0xffff_ffff, random.u32()]);
    case 'u64':
      return random.one([0n, 1n, 2n ** 53n + 1n, 2n ** 64n - 1n, BigInt(random.u32()) * 0x1_0000_0001n]);
    case 'record': {
      const fields = of.fields.map(({ js, type }) => [js, value(type, random)] as const);
      return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
    }
    case 'variant': {
      const [tag, payload] = random.one([...of.cases]);
      return payload === null ? { tag } : { tag, val: value(payload, random) };
    }
    case 'enum':
      return random.one([...of.names]);
    case 'flags':
      return Object.fromEntries(of.flags.filter(() => random.below(2) === 1).map(({ wit }) => [jsName(wit), true]));
    case 'option':
      return random.below(2) === 1 ? value(of.type, random) : undefined;
    case 'list':
      return random.some(3, () => value(of.type, random));
    case 'tuple':
      return of.types.map((type) => value(type, random));
    case 'result':
      return random.below(2) === 1
        ? { tag: 'ok', val: value(of.ok, random) }
        : { tag: 'err', val: value(of.err, random) };
  }
}
