/**
 * Values of the contract as JSON, in the form that docs/evidence.md fixes, and back.
 *
 * One walk over a table that is generated from `wit/` (`generated/contract.json`) serves every type, so there is no
 * second description of the contract that could differ from the first. Each value has one JSON, and each JSON at most
 * one value:
 *
 * - an object must have exactly the table's fields, in its order. Fields are read and made by names from the table
 *   alone, and lookups by foreign text go through a Map, so that `__proto__` and its like are names as any other:
 *   unknown;
 * - integers must be in the range of their type; u64 is a bigint, and its decimal digits in JSON;
 * - text must be well-formed: a lone surrogate is no Unicode, and would be replaced on its way into the component.
 *
 * The same walk checks what a web developer hands in ({@link check}): the component's glue would cut an integer to size
 * and take a misspelt optional field for one that is not there.
 */

import table from './generated/contract.json' with { type: 'json' };
import type { Job, ModuleVersion, Outcome, Refusal, Request, Response, SarifOptions } from './contract.js';

/** A value as JSON. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** The types that this package converts, by their names in the table. The codec itself knows all of the contract's. */
export interface Contract {
  'job.job': Job;
  'exchange.request': Request;
  'exchange.response': Response;
  'verify.outcome': Outcome;
  'verify.refusal': Refusal;
  'render.sarif-options': SarifOptions;
  'types.module-version': ModuleVersion;
}

/** A type as in the table: `xtask/src/playground.rs` says what each form is. */
type Type =
  | string
  | { record: [string, Type][] }
  | { variant: [string, Type | null][] }
  | { enum: string[] }
  | { flags: string[] }
  | { option: Type }
  | { list: Type }
  | { tuple: Type[] }
  | { result: [Type, Type] };

/** A value is not what the contract says, or JSON is not that of a value. */
export class ContractError extends Error {
  override name = 'ContractError';

  constructor(
    /** Where: `job.job.task.verify.files[0].content`. */
    readonly path: string,
    /** What is wrong there. */
    readonly reason: string,
  ) {
    super(`${path} ${reason}`);
  }
}

/** What stands for bytes in JSON. */
export type WriteBytes = (bytes: Uint8Array) => string;

/** The bytes that a text stands for, or undefined if it stands for none. */
export type ReadBytes = (text: string) => Uint8Array | undefined;

/**
 * A value's JSON. Throws a {@link ContractError} if it is not of the type: also for fields that the type does not have,
 * and for null in place of a field that is left out.
 */
export function encode<K extends keyof Contract>(type: K, value: Contract[K], bytes: WriteBytes): Json;
export function encode(type: string, value: unknown, bytes: WriteBytes): Json;
export function encode(type: string, value: unknown, bytes: WriteBytes): Json {
  return new Encoder(type, bytes).any(type, value);
}

/** The value that JSON stands for. Throws a {@link ContractError} if it is that of none. */
export function decode<K extends keyof Contract>(type: K, json: Json, bytes: ReadBytes): Contract[K];
export function decode(type: string, json: Json, bytes: ReadBytes): unknown;
export function decode(type: string, json: Json, bytes: ReadBytes): unknown {
  return new Decoder(type, bytes).any(type, json);
}

/** Throws a {@link ContractError} if a value is not of the type. */
export function check<K extends keyof Contract>(type: K, value: unknown): asserts value is Contract[K] {
  new Encoder(type, () => '').any(type, value);
}

/** A name of the contract as jco writes it in JavaScript: `max-bytes` is `maxBytes`. */
export function jsName(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

type Field = { wit: string; js: string; type: Type };

/** A type, prepared. */
type Form =
  | { is: 'record'; fields: Field[]; names: ReadonlySet<string> }
  | { is: 'variant'; cases: ReadonlyMap<string, Type | null> }
  | { is: 'enum'; names: ReadonlySet<string> }
  | { is: 'flags'; flags: { wit: string; js: string }[]; names: ReadonlySet<string> }
  | { is: 'option' | 'list'; type: Type }
  | { is: 'tuple'; types: Type[] }
  | { is: 'result'; ok: Type; err: Type }
  | { is: Primitive };

const INTEGERS = { u8: 0xff, u16: 0xffff, u32: 0xffff_ffff } as const;
const MAX_U64 = 0xffff_ffff_ffff_ffffn;
type Primitive = 'bool' | 'string' | 'bytes' | 'u64' | keyof typeof INTEGERS;
const PRIMITIVES: ReadonlySet<string> = new Set(['bool', 'string', 'bytes', 'u64', ...Object.keys(INTEGERS)]);

const named: ReadonlyMap<string, Type> = new Map(Object.entries(table as unknown as Record<string, Type>));
const prepared = new Map<Type, Form>();

/** The names of all types of the contract. */
export const TYPES: readonly string[] = [...named.keys()];

/**
 * What a type consists of. Throws if the table does not have it: a mistake in this package, and never in what it reads.
 */
export function form(type: Type): Form {
  let known = prepared.get(type);
  if (known === undefined) {
    known = prepare(type);
    prepared.set(type, known);
  }
  return known;
}

function prepare(type: Type): Form {
  if (typeof type === 'string') {
    if (PRIMITIVES.has(type)) {
      return { is: type as Primitive };
    }
    const meaning = named.get(type);
    if (meaning === undefined) {
      throw new Error(`the contract has no type ${type}`);
    }
    return form(meaning);
  }
  if ('record' in type) {
    const fields = type.record.map(([wit, of]) => ({ wit, js: jsName(wit), type: of }));
    return { is: 'record', fields, names: new Set(fields.map((field) => field.js)) };
  }
  if ('variant' in type) {
    return { is: 'variant', cases: new Map(type.variant) };
  }
  if ('enum' in type) {
    return { is: 'enum', names: new Set(type.enum) };
  }
  if ('flags' in type) {
    const flags = type.flags.map((wit) => ({ wit, js: jsName(wit) }));
    return { is: 'flags', flags, names: new Set(flags.map((flag) => flag.js)) };
  }
  if ('option' in type) {
    return { is: 'option', type: type.option };
  }
  if ('list' in type) {
    return { is: 'list', type: type.list };
  }
  if ('tuple' in type) {
    return { is: 'tuple', types: type.tuple };
  }
  return { is: 'result', ok: type.result[0], err: type.result[1] };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function own(value: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Knows where it is, for messages. */
class Walker {
  readonly #trail: (string | number)[] = [];

  constructor(readonly root: string) {}

  /** Goes a step down for as long as `then` takes. After an error the trail is left as it is: it says where. */
  at<T>(step: string | number, then: () => T): T {
    this.#trail.push(step);
    const result = then();
    this.#trail.pop();
    return result;
  }

  refuse(reason: string): never {
    const path = this.#trail.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
    throw new ContractError(this.root + path, reason);
  }

  array(value: unknown): unknown[] {
    return Array.isArray(value) ? value : this.refuse('is not a list');
  }

  text(value: unknown): string {
    if (typeof value !== 'string') {
      return this.refuse('is not a string');
    }
    return value.isWellFormed() ? value : this.refuse('has half of a surrogate pair, which is no Unicode');
  }

  integer(type: keyof typeof INTEGERS, value: unknown): number {
    // `Object.is`: JSON can write -0, and it is no u8.
    const fits = Number.isInteger(value) && (value as number) >= 0 && (value as number) <= INTEGERS[type];
    return fits && !Object.is(value, -0)
      ? (value as number)
      : this.refuse(`is not an integer from 0 to ${INTEGERS[type]}`);
  }

  bool(value: unknown): boolean {
    return typeof value === 'boolean' ? value : this.refuse('is not a boolean');
  }

  choice(names: ReadonlySet<string>, value: unknown): string {
    return typeof value === 'string' && names.has(value)
      ? value
      : this.refuse(`is not one of ${[...names].join(', ')}`);
  }
}

class Encoder extends Walker {
  constructor(
    root: string,
    readonly bytes: WriteBytes,
  ) {
    super(root);
  }

  any(type: Type, value: unknown): Json {
    const of = form(type);
    switch (of.is) {
      case 'bool':
        return this.bool(value);
      case 'string':
        return this.text(value);
      case 'bytes':
        return value instanceof Uint8Array ? this.bytes(value) : this.refuse('is not a Uint8Array');
      case 'u8':
      case 'u16':
      case 'u32':
        return this.integer(of.is, value);
      case 'u64':
        return typeof value === 'bigint' && value >= 0n && value <= MAX_U64
          ? value.toString()
          : this.refuse(`is not a bigint from 0 to ${MAX_U64}`);
      case 'record': {
        const from = this.#object(value, of.names);
        const to: Record<string, Json> = {};
        for (const { wit, js, type } of of.fields) {
          to[wit] = this.at(js, () => this.any(type, own(from, js)));
        }
        return to;
      }
      case 'variant': {
        const { tag, val } = this.#tagged(value);
        const payload = typeof tag === 'string' ? of.cases.get(tag) : undefined;
        if (typeof tag !== 'string' || payload === undefined) {
          return this.refuse(`has a tag that is not one of ${[...of.cases.keys()].join(', ')}`);
        }
        if (payload === null) {
          return val === undefined ? tag : this.refuse(`has a value, and ${tag} has none`);
        }
        return { [tag]: this.at(tag, () => this.any(payload, val)) };
      }
      case 'enum':
        return this.choice(of.names, value);
      case 'flags': {
        const from = this.#object(value, of.names);
        return of.flags
          .filter(({ js }) => this.at(js, () => Object.hasOwn(from, js) && this.bool(from[js])))
          .map(({ wit }) => wit);
      }
      case 'option':
        if (value === null) {
          return this.refuse('is null: leave it out');
        }
        return value === undefined ? null : this.any(of.type, value);
      case 'list':
        return this.array(value).map((item, i) => this.at(i, () => this.any(of.type, item)));
      case 'tuple': {
        const items = this.array(value);
        if (items.length !== of.types.length) {
          return this.refuse(`does not have ${of.types.length} items`);
        }
        return of.types.map((type, i) => this.at(i, () => this.any(type, items[i])));
      }
      case 'result': {
        const { tag, val } = this.#tagged(value);
        if (tag === 'ok') {
          return { ok: this.at('ok', () => this.any(of.ok, val)) };
        }
        return tag === 'err'
          ? { error: this.at('err', () => this.any(of.err, val)) }
          : this.refuse('has a tag that is not one of ok, err');
      }
    }
  }

  #object(value: unknown, names: ReadonlySet<string>): Record<string, unknown> {
    if (!isObject(value)) {
      return this.refuse('is not an object');
    }
    if (Object.keys(value).some((key) => !names.has(key))) {
      return this.refuse(`has a field that is not one of ${[...names].join(', ')}`);
    }
    return value;
  }

  #tagged(value: unknown): { tag: unknown; val: unknown } {
    const object = this.#object(value, TAGGED);
    return { tag: own(object, 'tag'), val: own(object, 'val') };
  }
}

const TAGGED: ReadonlySet<string> = new Set(['tag', 'val']);

class Decoder extends Walker {
  constructor(
    root: string,
    readonly bytes: ReadBytes,
  ) {
    super(root);
  }

  any(type: Type, json: Json): unknown {
    const of = form(type);
    switch (of.is) {
      case 'bool':
        return this.bool(json);
      case 'string':
        return this.text(json);
      case 'bytes':
        return this.bytes(this.text(json)) ?? this.refuse('refers to bytes that are not there');
      case 'u8':
      case 'u16':
      case 'u32':
        return this.integer(of.is, json);
      case 'u64': {
        // At most 20 digits, before it is made a number: a long one takes long.
        const value = /^(?:0|[1-9][0-9]{0,19})$/.test(this.text(json)) ? BigInt(json as string) : -1n;
        return value >= 0n && value <= MAX_U64
          ? value
          : this.refuse(`is not the digits of an integer from 0 to ${MAX_U64}`);
      }
      case 'record': {
        if (!isObject(json)) {
          return this.refuse('is not an object');
        }
        const keys = Object.keys(json);
        if (keys.length !== of.fields.length || of.fields.some(({ wit }, i) => keys[i] !== wit)) {
          return this.refuse(`does not have the fields ${of.fields.map(({ wit }) => wit).join(', ')}, in this order`);
        }
        const to: Record<string, unknown> = {};
        for (const { wit, js, type } of of.fields) {
          const value = this.at(wit, () => this.any(type, json[wit] as Json));
          // What is none is left out, as in a value that a developer writes.
          if (value !== undefined) {
            to[js] = value;
          }
        }
        return to;
      }
      case 'variant': {
        const [tag, val] = typeof json === 'string' ? [json, undefined] : this.#single(json);
        const payload = of.cases.get(tag);
        if (payload === undefined || (payload === null) !== (val === undefined)) {
          return this.refuse(`is not one of ${[...of.cases.keys()].join(', ')}, with its value or without`);
        }
        return payload === null ? { tag } : { tag, val: this.at(tag, () => this.any(payload, val as Json)) };
      }
      case 'enum':
        return this.choice(of.names, json);
      case 'flags': {
        const names = this.array(json);
        const set = of.flags.filter(({ wit }) => names.includes(wit));
        if (set.length !== names.length || set.some(({ wit }, i) => wit !== names[i])) {
          return this.refuse(`is not a list of some of ${of.flags.map(({ wit }) => wit).join(', ')}, in this order`);
        }
        return Object.fromEntries(set.map(({ js }) => [js, true]));
      }
      case 'option':
        return json === null ? undefined : this.any(of.type, json);
      case 'list':
        return this.array(json).map((item, i) => this.at(i, () => this.any(of.type, item as Json)));
      case 'tuple': {
        const items = this.array(json);
        if (items.length !== of.types.length) {
          return this.refuse(`does not have ${of.types.length} items`);
        }
        return of.types.map((type, i) => this.at(i, () => this.any(type, items[i] as Json)));
      }
      case 'result': {
        const [tag, val] = this.#single(json);
        if (tag === 'ok') {
          return { tag, val: this.at(tag, () => this.any(of.ok, val)) };
        }
        return tag === 'error'
          ? { tag: 'err', val: this.at(tag, () => this.any(of.err, val)) }
          : this.refuse('is neither ok nor error');
      }
    }
  }

  /** An object of one field. */
  #single(json: Json): [string, Json] {
    const entries = isObject(json) ? Object.entries(json) : [];
    const [first] = entries;
    return entries.length === 1 && first !== undefined
      ? (first as [string, Json])
      : this.refuse('is not an object with one field');
  }
}
