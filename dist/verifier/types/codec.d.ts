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
import type { Job, ModuleVersion, Outcome, Refusal, Request, Response, SarifOptions } from './contract.js';
/** A value as JSON. */
export type Json = null | boolean | number | string | Json[] | {
    [name: string]: Json;
};
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
type Type = string | {
    record: [string, Type][];
} | {
    variant: [string, Type | null][];
} | {
    enum: string[];
} | {
    flags: string[];
} | {
    option: Type;
} | {
    list: Type;
} | {
    tuple: Type[];
} | {
    result: [Type, Type];
};
/** A value is not what the contract says, or JSON is not that of a value. */
export declare class ContractError extends Error {
    /** Where: `job.job.task.verify.files[0].content`. */
    readonly path: string;
    /** What is wrong there. */
    readonly reason: string;
    name: string;
    constructor(
    /** Where: `job.job.task.verify.files[0].content`. */
    path: string, 
    /** What is wrong there. */
    reason: string);
}
/** What stands for bytes in JSON. */
export type WriteBytes = (bytes: Uint8Array) => string;
/** The bytes that a text stands for, or undefined if it stands for none. */
export type ReadBytes = (text: string) => Uint8Array | undefined;
/**
 * A value's JSON. Throws a {@link ContractError} if it is not of the type: also for fields that the type does not have,
 * and for null in place of a field that is left out.
 */
export declare function encode<K extends keyof Contract>(type: K, value: Contract[K], bytes: WriteBytes): Json;
export declare function encode(type: string, value: unknown, bytes: WriteBytes): Json;
/** The value that JSON stands for. Throws a {@link ContractError} if it is that of none. */
export declare function decode<K extends keyof Contract>(type: K, json: Json, bytes: ReadBytes): Contract[K];
export declare function decode(type: string, json: Json, bytes: ReadBytes): unknown;
/** Throws a {@link ContractError} if a value is not of the type. */
export declare function check<K extends keyof Contract>(type: K, value: unknown): asserts value is Contract[K];
/** A name of the contract as jco writes it in JavaScript: `max-bytes` is `maxBytes`. */
export declare function jsName(name: string): string;
type Field = {
    wit: string;
    js: string;
    type: Type;
};
/** A type, prepared. */
type Form = {
    is: 'record';
    fields: Field[];
    names: ReadonlySet<string>;
} | {
    is: 'variant';
    cases: ReadonlyMap<string, Type | null>;
} | {
    is: 'enum';
    names: ReadonlySet<string>;
} | {
    is: 'flags';
    flags: {
        wit: string;
        js: string;
    }[];
    names: ReadonlySet<string>;
} | {
    is: 'option' | 'list';
    type: Type;
} | {
    is: 'tuple';
    types: Type[];
} | {
    is: 'result';
    ok: Type;
    err: Type;
} | {
    is: Primitive;
};
declare const INTEGERS: {
    readonly u8: 255;
    readonly u16: 65535;
    readonly u32: 4294967295;
};
type Primitive = 'bool' | 'string' | 'bytes' | 'u64' | keyof typeof INTEGERS;
/** The names of all types of the contract. */
export declare const TYPES: readonly string[];
/**
 * What a type consists of. Throws if the table does not have it: a mistake in this package, and never in what it reads.
 */
export declare function form(type: Type): Form;
export {};
