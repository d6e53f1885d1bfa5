//! `playground/`: the package that web developers import, and the page, both around the component as it is.
//!
//! What JavaScript must know of the contract is not written twice: [`table`] reads it out of `wit/`. The rest is
//! `playground/build.mjs`, which needs Node.js and what `playground/package-lock.json` pins.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};
use wit_parser::{Resolve, Type, TypeDefKind, TypeId, TypeOwner};

use crate::component::{root, run};
use crate::dist::hex;

/// The oldest Node.js that the tools of the build, and the tests, run with.
const PROBE: &str = "const [a, b] = process.versions.node.split('.').map(Number); \
                     process.exit(a > 20 || (a === 20 && b >= 16) ? 0 : 1)";

/// Build the playground's two products from a component: the package that web developers import, and the page.
#[derive(clap::Args)]
pub(crate) struct Playground {
    /// The folder that gets `verifier/` and `page/`, in place of those that are there.
    #[arg(long, value_name = "DIR", default_value_os_t = root().join("target/playground"))]
    out: PathBuf,
    /// Run the tests of the package on what was built.
    #[arg(long)]
    test: bool,
}

impl Playground {
    /// Builds from dist/modanchor.wasm, or from what `MODANCHOR_COMPONENT` names.
    ///
    /// # Errors
    /// Those of [`build`] and [`test()`].
    pub(crate) fn run(self) -> Result<String> {
        let component = match std::env::var_os("MODANCHOR_COMPONENT") {
            Some(path) => PathBuf::from(path),
            None => root().join("dist/modanchor.wasm"),
        };
        build(&component, &self.out)?;
        if self.test {
            test(&self.out)?;
        }
        Ok(format!("{}: verifier and page, around {}", self.out.display(), component.display()))
    }
}

/// Builds `verifier/` and `page/` in `out` from a component, in place of those that are there: the same bytes from any
/// checkout.
///
/// # Errors
/// No Node.js, packages that cannot be installed, and sources with an error.
pub(crate) fn build(component: &Path, out: &Path) -> Result<()> {
    probe()?;
    let source = root().join("playground");
    install(&source)?;
    ensure!(component.is_file(), "{} is not there", component.display());
    let generated = source.join("verifier/generated");
    std::fs::create_dir_all(&generated).with_context(|| format!("cannot make {}", generated.display()))?;
    let file = generated.join("contract.json");
    std::fs::write(&file, table(&root().join("wit"))?).with_context(|| format!("cannot write {}", file.display()))?;
    node(&source, "build.mjs", &[component, out])
}

/// Runs the tests of the playground on what [`build`] has made of `out`. They also judge again what is in the folder that
/// `MODANCHOR_KEEP_EVIDENCE` names.
///
/// # Errors
/// Tests that fail.
pub(crate) fn test(out: &Path) -> Result<()> {
    node(&root().join("playground"), "tests/run.mjs", &[out])
}

/// Runs a program of `source`, there.
fn node(source: &Path, program: &str, paths: &[&Path]) -> Result<()> {
    let mut node = Command::new("node");
    node.arg(program).current_dir(source);
    for path in paths {
        // Named from where this runs.
        node.arg(std::path::absolute(path)?);
    }
    run(&mut node)
}

/// Refuses to go on without a Node.js that is new enough.
fn probe() -> Result<()> {
    ensure!(has_node(), "no node 20.16 or later: the playground is built with Node.js (https://nodejs.org)");
    Ok(())
}

/// Whether there is a Node.js that is new enough.
pub(crate) fn has_node() -> bool {
    let status = Command::new("node").args(["-e", PROBE]).stdin(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Installs what the lockfile pins, with no package's own scripts, where that has not been done.
fn install(source: &Path) -> Result<()> {
    let lock = source.join("package-lock.json");
    let wanted = hex(&std::fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?);
    let stamp = root().join("target/tools/playground");
    let there = source.join("node_modules").is_dir();
    if there && std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    run(Command::new(npm).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(source))?;
    std::fs::create_dir_all(root().join("target/tools"))?;
    std::fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

/// The types of the contract as JSON, for code that is driven by a table: `{"INTERFACE.NAME": TYPE}`, sorted by key.
///
/// A type is the name of a primitive (`bool`, `u8`, `u16`, `u32`, `u64`, `string`), `bytes` for `list<u8>`, the key of
/// another, or one of `{"record": [[NAME, TYPE], …]}`, `{"variant": [[NAME, TYPE or null], …]}`, `{"enum": [NAME, …]}`,
/// `{"flags": [NAME, …]}`, `{"option": TYPE}`, `{"list": TYPE}`, `{"tuple": [TYPE, …]}`, `{"result": [TYPE, TYPE]}`.
/// Aliases of `use` are resolved; resources are left out.
///
/// # Errors
/// A contract that cannot be read, or one with a kind of type that docs/evidence.md gives no JSON for.
fn table(wit: &Path) -> Result<String> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit).with_context(|| format!("cannot read {}", wit.display()))?;
    let mut all = Map::new();
    for (name, id) in &resolve.packages[package].interfaces {
        for (ty, id) in &resolve.interfaces[*id].types {
            let key = format!("{name}.{ty}");
            let alias = matches!(resolve.types[*id].kind, TypeDefKind::Type(_));
            if !alias && !matches!(resolve.types[*id].kind, TypeDefKind::Resource) {
                all.insert(key.clone(), kind(&resolve, *id).with_context(|| key)?);
            }
        }
    }
    // `serde_json::Map` may keep the order of insertion, if a crate of this build asks for that.
    let sorted: std::collections::BTreeMap<String, Value> = all.into_iter().collect();
    Ok(serde_json::to_string_pretty(&sorted)? + "\n")
}

/// What a named type, or one without a name, consists of.
fn kind(resolve: &Resolve, id: TypeId) -> Result<Value> {
    let of = |ty: &Type| reference(resolve, ty);
    Ok(match &resolve.types[id].kind {
        TypeDefKind::Record(record) => {
            let fields: Result<Vec<_>> = record.fields.iter().map(|f| Ok(json!([f.name, of(&f.ty)?]))).collect();
            json!({ "record": fields? })
        }
        TypeDefKind::Variant(variant) => {
            let cases: Result<Vec<_>> =
                variant.cases.iter().map(|c| Ok(json!([c.name, c.ty.as_ref().map(of).transpose()?]))).collect();
            json!({ "variant": cases? })
        }
        TypeDefKind::Enum(of) => json!({ "enum": of.cases.iter().map(|c| &c.name).collect::<Vec<_>>() }),
        TypeDefKind::Flags(of) => json!({ "flags": of.flags.iter().map(|f| &f.name).collect::<Vec<_>>() }),
        TypeDefKind::List(Type::U8) => json!("bytes"),
        TypeDefKind::List(element) => json!({ "list": of(element)? }),
        TypeDefKind::Option(some) => {
            let some = of(some)?;
            // `null` would stand for two values.
            ensure!(some.get("option").is_none(), "an option of an option has no JSON");
            json!({ "option": some })
        }
        TypeDefKind::Tuple(tuple) => {
            json!({ "tuple": tuple.types.iter().map(of).collect::<Result<Vec<_>>>()? })
        }
        TypeDefKind::Result(result) => match (&result.ok, &result.err) {
            (Some(ok), Some(err)) => json!({ "result": [of(ok)?, of(err)?] }),
            _ => bail!("a result without a value has no JSON"),
        },
        TypeDefKind::Type(ty) => of(ty)?,
        other => bail!("a {} has no JSON", other.as_str()),
    })
}

/// A type where another names it: a primitive's name, a key of the table, or what it consists of if it has no name.
fn reference(resolve: &Resolve, ty: &Type) -> Result<Value> {
    Ok(match ty {
        Type::Bool => json!("bool"),
        Type::U8 => json!("u8"),
        Type::U16 => json!("u16"),
        Type::U32 => json!("u32"),
        Type::U64 => json!("u64"),
        Type::String => json!("string"),
        Type::Id(id) => {
            let def = &resolve.types[*id];
            match (&def.kind, &def.name, def.owner) {
                // `use`, or `type a = b`: another name for the same.
                (TypeDefKind::Type(target), ..) => reference(resolve, target)?,
                (_, Some(name), TypeOwner::Interface(owner)) => {
                    let interface = resolve.interfaces[owner].name.as_ref().context("an interface without a name")?;
                    json!(format!("{interface}.{name}"))
                }
                _ => kind(resolve, *id)?,
            }
        }
        other => bail!("{other:?} has no JSON"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(wit: &str) -> Result<Value> {
        let dir = tempfile::tempdir()?;
        std::fs::write(dir.path().join("a.wit"), format!("package a:b@0.1.0;\n{wit}"))?;
        Ok(serde_json::from_str(&table(dir.path())?)?)
    }

    #[test]
    fn every_kind_of_type_has_its_form() {
        let all = of("interface one { type count = u64; record r { %map: list<u8>, n: count, o: option<string> } }
             interface two {
               use one.{r as other};
               flags f { zip, go-mod }
               enum e { a, b-c }
               variant v { none, some(other), pair(tuple<u64, u32>) }
               type answer = result<list<v>, e>;
               resource gone { size: func() -> u64; }
             }")
        .unwrap();
        assert_eq!(
            all,
            json!({
                "one.r": { "record": [["map", "bytes"], ["n", "u64"], ["o", { "option": "string" }]] },
                "two.answer": { "result": [{ "list": "two.v" }, "two.e"] },
                "two.e": { "enum": ["a", "b-c"] },
                "two.f": { "flags": ["zip", "go-mod"] },
                "two.v": { "variant": [["none", null], ["some", "one.r"], ["pair", { "tuple": ["u64", "u32"] }]] },
            })
        );
    }

    #[test]
    fn what_has_no_json_is_refused() {
        for (wit, why) in [
            ("interface i { record r { a: option<option<u8>> } }", "an option of an option"),
            ("interface i { record r { a: result<u8> } }", "a result without a value"),
            ("interface i { record r { a: f64 } }", "F64"),
            ("interface i { record r { a: s32 } }", "S32"),
            ("interface i { resource x; record r { a: own<x> } }", "own"),
        ] {
            let error = format!("{:#}", of(wit).unwrap_err());
            assert!(error.contains(why) && error.contains("i.r"), "{error}");
        }
    }

    #[test]
    fn the_contract_of_this_repository_has_a_table() {
        let all: Value = serde_json::from_str(&table(&root().join("wit")).unwrap()).unwrap();
        assert_eq!(all["exchange.response"], json!({ "result": ["exchange.answer", "types.failure"] }));
        assert_eq!(all["exchange.item"]["variant"][4], json!(["link", { "tuple": ["u64", "u64"] }]));
        assert!(all.get("verify.verification").is_none());
    }
}
