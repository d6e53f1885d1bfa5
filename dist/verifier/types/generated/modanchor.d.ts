// world root:component/root
import type * as ModanchorVerifierBlob from './interfaces/modanchor-verifier-blob.js'; // modanchor:verifier/blob@0.1.0
import type * as ModanchorVerifierTypes from './interfaces/modanchor-verifier-types.js'; // modanchor:verifier/types@0.1.0
import type * as ModanchorVerifierTuf from './interfaces/modanchor-verifier-tuf.js'; // modanchor:verifier/tuf@0.1.0
import type * as ModanchorVerifierPolicy from './interfaces/modanchor-verifier-policy.js'; // modanchor:verifier/policy@0.1.0
import type * as ModanchorVerifierSigstore from './interfaces/modanchor-verifier-sigstore.js'; // modanchor:verifier/sigstore@0.1.0
import type * as ModanchorVerifierJob from './interfaces/modanchor-verifier-job.js'; // modanchor:verifier/job@0.1.0
import type * as ModanchorVerifierHashing from './interfaces/modanchor-verifier-hashing.js'; // modanchor:verifier/hashing@0.1.0
import type * as ModanchorVerifierExchange from './interfaces/modanchor-verifier-exchange.js'; // modanchor:verifier/exchange@0.1.0
import type * as ModanchorVerifierVerify from './interfaces/modanchor-verifier-verify.js'; // modanchor:verifier/verify@0.1.0
import type * as ModanchorVerifierRender from './interfaces/modanchor-verifier-render.js'; // modanchor:verifier/render@0.1.0
export interface ImportObject {
  'modanchor:verifier/blob@0.1.0': typeof ModanchorVerifierBlob,
}
export interface Root {
  'modanchor:verifier/types@0.1.0': typeof ModanchorVerifierTypes,
  types: typeof ModanchorVerifierTypes,
  'modanchor:verifier/tuf@0.1.0': typeof ModanchorVerifierTuf,
  tuf: typeof ModanchorVerifierTuf,
  'modanchor:verifier/policy@0.1.0': typeof ModanchorVerifierPolicy,
  policy: typeof ModanchorVerifierPolicy,
  'modanchor:verifier/sigstore@0.1.0': typeof ModanchorVerifierSigstore,
  sigstore: typeof ModanchorVerifierSigstore,
  'modanchor:verifier/job@0.1.0': typeof ModanchorVerifierJob,
  job: typeof ModanchorVerifierJob,
  'modanchor:verifier/hashing@0.1.0': typeof ModanchorVerifierHashing,
  hashing: typeof ModanchorVerifierHashing,
  'modanchor:verifier/exchange@0.1.0': typeof ModanchorVerifierExchange,
  exchange: typeof ModanchorVerifierExchange,
  'modanchor:verifier/verify@0.1.0': typeof ModanchorVerifierVerify,
  verify: typeof ModanchorVerifierVerify,
  'modanchor:verifier/render@0.1.0': typeof ModanchorVerifierRender,
  render: typeof ModanchorVerifierRender,
}

/**
* Instantiates this component with the provided imports and
* returns a map of all the exports of the component.
*
* This function is intended to be similar to the
* `WebAssembly.Instantiate` constructor. The second `imports`
* argument is the "import object" for wasm, except here it
* uses component-model-layer types instead of core wasm
* integers/numbers/etc.
*
* The first argument to this function, `getCoreModule`, is
* used to compile core wasm modules within the component.
* Components are composed of core wasm modules and this callback
* will be invoked per core wasm module. The caller of this
* function is responsible for reading the core wasm module
* identified by `path` and returning its compiled
* `WebAssembly.Module` object. This would use the
* `WebAssembly.Module` constructor on the web, for example.
*/
export function instantiate(
getCoreModule: (path: string) => WebAssembly.Module,
imports: ImportObject,
instantiateCore?: (module: WebAssembly.Module, imports: Record<string, any>) => WebAssembly.Instance
): Root;
export function instantiate(
getCoreModule: (path: string) => WebAssembly.Module | Promise<WebAssembly.Module>,
imports: ImportObject,
instantiateCore?: (module: WebAssembly.Module, imports: Record<string, any>) => WebAssembly.Instance | Promise<WebAssembly.Instance>
): Root | Promise<Root>;

