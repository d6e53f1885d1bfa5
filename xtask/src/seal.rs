//! Sealing: from the guest's core module to a component that imports nothing but the bytes that it hashes.
//!
//! Rust's std for wasm32-wasip2 imports WASI whether a program does I/O or not: for a panic's message, for the keys of
//! `HashMap`, for the environment. Here every such import is answered *inside* the component, by a small core module
//! (wit-component calls it an adapter) made from [`ANSWERS`]. An import that is not in that table fails the build, by
//! name: a dependency that begins to open files or to ask for real random numbers does not get into a release unseen.
//!
//! That the verifier can do no I/O is thereby a property of the file, whatever host runs it. [`imports`] reads it back
//! from the finished bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result, bail, ensure};
use wasmparser::{FuncType, Parser, Payload, TypeRef, ValType};
use wit_component::ComponentEncoder;

/// An export of the guest: `modanchor-now(ptr)` writes the job's `now`, seconds as u64 and then nanoseconds as u32.
/// It is asked for only if the guest imports a wall clock.
const GUEST_CLOCK: &str = "modanchor-now";

/// A module of imports that may be answered inside begins like this; every other must be one of [`ALLOWED_IMPORTS`].
const WASI: &str = "wasi:";

/// What a sealed component may import: the bytes that it hashes.
const ALLOWED_IMPORTS: &[&str] = &["modanchor:verifier/blob@0.1.0"];

/// What the component says to its own std.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// The component stops: the core has no business there.
    Trap,
    /// A list without elements, through the return pointer.
    EmptyList,
    /// Two constants. `HashMap`'s keys are then the same in every run, as a run is a function of its input: nothing in
    /// the core may rely on them to be secret.
    Seed,
    /// Zero nanoseconds: time stands still inside a step.
    Zero,
    /// The job's `now`, by [`GUEST_CLOCK`].
    JobNow,
}

/// Every WASI function that the guest may import, by interface (without its version) and name.
///
/// Standard streams and terminals are reached only when std prints, and that is only for a panic: the trap is then the
/// panic itself.
const ANSWERS: &[(&str, &str, Answer)] = &[
    ("wasi:cli/environment", "get-environment", Answer::EmptyList),
    ("wasi:cli/exit", "exit", Answer::Trap),
    ("wasi:cli/stdin", "get-stdin", Answer::Trap),
    ("wasi:cli/stdout", "get-stdout", Answer::Trap),
    ("wasi:cli/stderr", "get-stderr", Answer::Trap),
    ("wasi:cli/terminal-input", "[resource-drop]terminal-input", Answer::Trap),
    ("wasi:cli/terminal-output", "[resource-drop]terminal-output", Answer::Trap),
    ("wasi:cli/terminal-stdin", "get-terminal-stdin", Answer::Trap),
    ("wasi:cli/terminal-stdout", "get-terminal-stdout", Answer::Trap),
    ("wasi:cli/terminal-stderr", "get-terminal-stderr", Answer::Trap),
    ("wasi:clocks/monotonic-clock", "now", Answer::Zero),
    ("wasi:clocks/wall-clock", "now", Answer::JobNow),
    ("wasi:io/error", "[resource-drop]error", Answer::Trap),
    ("wasi:io/poll", "[resource-drop]pollable", Answer::Trap),
    ("wasi:io/poll", "[method]pollable.block", Answer::Trap),
    ("wasi:io/streams", "[resource-drop]input-stream", Answer::Trap),
    ("wasi:io/streams", "[resource-drop]output-stream", Answer::Trap),
    ("wasi:io/streams", "[method]output-stream.blocking-flush", Answer::Trap),
    ("wasi:io/streams", "[method]output-stream.blocking-write-and-flush", Answer::Trap),
    ("wasi:io/streams", "[method]output-stream.check-write", Answer::Trap),
    ("wasi:io/streams", "[method]output-stream.subscribe", Answer::Trap),
    ("wasi:io/streams", "[method]output-stream.write", Answer::Trap),
    ("wasi:random/insecure-seed", "insecure-seed", Answer::Seed),
];

impl Answer {
    /// The answer to an imported function, or an error that names it.
    fn to(module: &str, function: &str) -> Result<Self> {
        let interface = module.split('@').next().unwrap_or(module);
        ANSWERS
            .iter()
            .find(|(i, f, _)| (*i, *f) == (interface, function))
            .map(|(_, _, answer)| *answer)
            .with_context(|| {
                format!("the guest began to import `{function}` of `{module}`: take it out, or answer it in xtask/src/seal.rs")
            })
    }

    /// The function's instructions, as WebAssembly text. Parameter 0 is the return pointer where there is one.
    fn body(self) -> &'static str {
        match self {
            Self::Trap => "unreachable",
            // Pointer, then length. The pointer is never read; it is aligned and not null, as every language likes it.
            Self::EmptyList => {
                "(i32.store offset=0 (local.get 0) (i32.const 8)) (i32.store offset=4 (local.get 0) (i32.const 0))"
            }
            Self::Seed => {
                "(i64.store offset=0 (local.get 0) (i64.const 1)) (i64.store offset=8 (local.get 0) (i64.const 2))"
            }
            Self::Zero => "i64.const 0",
            Self::JobNow => "(call $now (local.get 0))",
        }
    }
}

/// The functions that a core module imports and exports.
struct Surface {
    /// Imported functions by module: their names and signatures.
    imports: BTreeMap<String, Vec<(String, FuncType)>>,
    /// Names of exports.
    exports: Vec<String>,
}

impl Surface {
    fn of(core: &[u8]) -> Result<Self> {
        let mut types = Vec::new();
        let mut imports = BTreeMap::<_, Vec<_>>::new();
        let mut exports = Vec::new();
        for payload in Parser::new(0).parse_all(core) {
            match payload? {
                Payload::TypeSection(section) => {
                    for ty in section.into_iter_err_on_gc_types() {
                        types.push(ty?);
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        let TypeRef::Func(index) = import.ty else {
                            bail!(
                                "the guest imports `{}` of `{}`, which is not a function",
                                import.name,
                                import.module
                            );
                        };
                        let ty = types.get(index as usize).context("an import without a type")?.clone();
                        imports.entry(import.module.to_owned()).or_default().push((import.name.to_owned(), ty));
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        exports.push(export?.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(Self { imports, exports })
    }
}

/// The adapter for one module of imports: a core module, as text.
fn adapter(module: &str, functions: &[(String, FuncType)], exports: &[String]) -> Result<String> {
    let answers: Vec<_> = functions.iter().map(|(name, _)| Answer::to(module, name)).collect::<Result<_>>()?;
    let mut text = String::from("(module\n");
    if answers.contains(&Answer::JobNow) {
        ensure!(
            exports.iter().any(|e| e == GUEST_CLOCK),
            "the guest asks for the time (`now` of `{module}`) and does not export `{GUEST_CLOCK}`: \
             use the job's `now`, or export it"
        );
        writeln!(text, "(import \"__main_module__\" \"{GUEST_CLOCK}\" (func $now (param i32)))")?;
    }
    if answers.iter().any(|a| matches!(a, Answer::EmptyList | Answer::Seed)) {
        writeln!(text, "(import \"env\" \"memory\" (memory 0))")?;
    }
    for ((name, ty), answer) in functions.iter().zip(answers) {
        let params = values("param", ty.params());
        let results = values("result", ty.results());
        writeln!(text, "(func (export \"{name}\") {params} {results} {})", answer.body())?;
    }
    text.push(')');
    Ok(text)
}

fn values(kind: &str, types: &[ValType]) -> String {
    let mut text = format!("({kind}");
    for ty in types {
        write!(text, " {ty}").expect("a String takes every write");
    }
    text + ")"
}

/// Makes a component of the guest's core module, with every WASI import answered inside.
///
/// # Errors
/// An import that [`ANSWERS`] does not know, a wall clock without [`GUEST_CLOCK`], a module that is not valid, or a
/// component that still imports something.
pub(crate) fn seal(core: &[u8]) -> Result<Vec<u8>> {
    let Surface { imports, exports } = Surface::of(core)?;
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true).module(core)?;
    for (module, functions) in imports.iter().filter(|(module, _)| module.starts_with(WASI)) {
        let text = adapter(module, functions, &exports)?;
        encoder.adapter(module, &wat::parse_str(&text)?).with_context(|| format!("the adapter for `{module}`"))?;
    }
    let component = encoder.encode().context("encoding the component")?;
    check_imports(&component)?;
    Ok(component)
}

/// The names that a component imports.
///
/// # Errors
/// Bytes that are not a valid component.
pub(crate) fn imports(component: &[u8]) -> Result<Vec<String>> {
    wasmparser::Validator::new().validate_all(component).context("not a valid component")?;
    ensure!(Parser::is_component(component), "a core module, not a component");
    let mut names = Vec::new();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            // What nested components import is given to them inside this file.
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    names.push(import?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(names)
}

/// Asserts that a component imports nothing that it must not.
///
/// # Errors
/// Names every such import.
pub(crate) fn check_imports(component: &[u8]) -> Result<Vec<String>> {
    let names = imports(component)?;
    let foreign: Vec<_> = names.iter().filter(|n| !ALLOWED_IMPORTS.contains(&n.as_str())).cloned().collect();
    ensure!(foreign.is_empty(), "the component is not sealed, it imports: {}", foreign.join(", "));
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A core module that imports one function and may export the guest's clock.
    fn core(module: &str, function: &str, signature: &str, clock: bool) -> Vec<u8> {
        let clock = if clock { format!("(func (export \"{GUEST_CLOCK}\") (param i32))") } else { String::new() };
        let text = format!(
            "(module (import \"{module}\" \"{function}\" (func {signature})) (memory (export \"memory\") 1) {clock})"
        );
        wat::parse_str(text).unwrap()
    }

    #[test]
    fn known_imports_are_answered_inside() {
        for (module, function, signature) in [
            ("wasi:cli/environment@0.2.0", "get-environment", "(param i32)"),
            ("wasi:cli/exit@0.2.9", "exit", "(param i32)"),
            ("wasi:random/insecure-seed@0.2.4", "insecure-seed", "(param i32)"),
            ("wasi:clocks/monotonic-clock@0.2.4", "now", "(result i64)"),
            ("wasi:clocks/wall-clock@0.2.4", "now", "(param i32)"),
        ] {
            let component = seal(&core(module, function, signature, true)).unwrap();
            assert_eq!(imports(&component).unwrap(), Vec::<String>::new(), "{module} {function}");
        }
    }

    #[test]
    fn a_new_import_fails_by_name() {
        for (module, function) in [
            ("wasi:random/random@0.2.4", "get-random-bytes"),
            ("wasi:filesystem/preopens@0.2.4", "get-directories"),
            ("wasi:cli/environment@0.2.0", "get-arguments"),
        ] {
            let error = seal(&core(module, function, "(param i32)", true)).unwrap_err().to_string();
            assert!(error.contains(module) && error.contains(function), "{error}");
        }
        let error = format!("{:#}", seal(&core("env", "puts", "(param i32)", true)).unwrap_err());
        assert!(error.contains("env"), "{error}");
    }

    #[test]
    fn a_clock_needs_the_jobs_now() {
        let error = seal(&core("wasi:clocks/wall-clock@0.2.4", "now", "(param i32)", false)).unwrap_err().to_string();
        assert!(error.contains(GUEST_CLOCK), "{error}");
    }

    #[test]
    fn an_open_component_is_named() {
        let open =
            wat::parse_str("(component (import \"a:b/c\" (instance)) (component (import \"d\" (func))))").unwrap();
        assert_eq!(imports(&open).unwrap(), ["a:b/c"]);
        assert!(check_imports(&open).unwrap_err().to_string().contains("a:b/c"));
        assert!(imports(&wat::parse_str("(module)").unwrap()).is_err());
        assert!(imports(b"not wasm").is_err());
    }
}
