/** Types of the contract that the package does not name, taken out of those that it does. */

import type { Answer, Job, Kept, Request, Task } from '../verifier/index.js';

type Val<U, T extends string> = Extract<U, { tag: T; val: unknown }>['val'];

export type SumdbGet = Val<Request, 'sumdb'>;
export type Item = Val<Request, 'recall'>['item'];
export type Holding = Val<Answer, 'holdings'>[number];
export type BlobTask = Val<Task, 'verify-blob'>;
export type TrustedRoot = Job['sigstore']['roots'][number];
export type Identity = Val<BlobTask['signer'], 'identity'>;
export type KeptItem = Val<Kept, 'item'>;
