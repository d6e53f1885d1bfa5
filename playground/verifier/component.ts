/**
 * The component as a file: its digest, and the core modules in it.
 *
 * A browser compiles core modules, not components; jco writes the JavaScript that joins them. The modules are sections
 * of the component, byte for byte (https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md): cut
 * out of the committed file they are what its digest is of, and nothing is stored twice. The build compares them with
 * jco's.
 */

/** `\0asm`, the version of components (0x0d), and the layer: 1 is a component. */
const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];

/** Section ids: a core module, and a component in the component. */
const CORE_MODULE = 1;
const COMPONENT = 4;

/** The most components in one another. wit-component makes two. */
const MAX_DEPTH = 8;

/** All core modules of a component, in the order of their bytes. Throws if the bytes are not a component. */
export function coreModules(component: Uint8Array, depth = 0): Uint8Array[] {
  if (depth === MAX_DEPTH || PREAMBLE.some((byte, i) => component[i] !== byte)) {
    throw new Error('these bytes are not a WebAssembly component');
  }
  const modules: Uint8Array[] = [];
  let at = PREAMBLE.length;
  while (at < component.length) {
    const id = component[at];
    const [length, start] = leb128(component, at + 1);
    at = start + length;
    if (at > component.length) {
      throw new Error('the component ends in the middle of a section');
    }
    if (id === CORE_MODULE) {
      modules.push(component.subarray(start, at));
    } else if (id === COMPONENT) {
      modules.push(...coreModules(component.subarray(start, at), depth + 1));
    }
  }
  return modules;
}

/** An unsigned 32-bit LEB128 at a place, and the place after it. */
function leb128(bytes: Uint8Array, at: number): [value: number, after: number] {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) {
      break;
    }
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) {
      return [value, at + i + 1];
    }
  }
  throw new Error('the component has a section without a length');
}

/** What jco calls the module at a place of {@link coreModules}. */
export function moduleName(index: number): string {
  return `modanchor.core${index === 0 ? '' : index + 1}.wasm`;
}
