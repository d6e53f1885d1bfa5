/**
 * The component as a file: its digest, and the core modules in it.
 *
 * A browser compiles core modules, not components; jco writes the JavaScript that joins them. The modules are sections
 * of the component, byte for byte (https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md): cut
 * out of the committed file they are what its digest is of, and nothing is stored twice. The build compares them with
 * jco's.
 */
/** All core modules of a component, in the order of their bytes. Throws if the bytes are not a component. */
export declare function coreModules(component: Uint8Array, depth?: number): Uint8Array[];
/** What jco calls the module at a place of {@link coreModules}. */
export declare function moduleName(index: number): string;
