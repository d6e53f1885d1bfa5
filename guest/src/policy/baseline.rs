//! The floor: the grade that each module had when the baseline was written.
//!
//! ```json
//! {
//!   "schema": "modanchor-baseline/1",
//!   "modules": {
//!     "example.com/a": "verified",
//!     "example.com/b": "unverified"
//!   }
//! }
//! ```
//!
//! Sorted by path, one module a line, so that a change of the file shows what it lowers. It speaks of paths and not of versions: an
//! upgrade must not be worse than what it replaces.

use std::collections::BTreeMap;

use super::file::{self, PolicyError, Problem};
use super::judge::grade_name;
use super::rules::{self, MAX_FLOORS};
use super::yaml::{self, Table, Value};
use crate::contract::{Floor, PolicyGrade};
use crate::module::ModulePath;

/// The largest baseline, in bytes.
pub const MAX_BASELINE: usize = 16 << 20;

/// What `schema` must be.
pub const SCHEMA: &str = "modanchor-baseline/1";

const KEYS: &[&str] = &["modules", "schema"];

/// Reads a baseline, in any order.
///
/// # Errors
///
/// The first [`PolicyError`].
pub fn read(bytes: &[u8]) -> Result<Vec<Floor>, PolicyError> {
    let mut table = Table::new(yaml::read(bytes, MAX_BASELINE)?, KEYS)?;
    file::schema(&mut table, SCHEMA)?;
    let modules = table.need("modules")?;
    let at = modules.at;
    let Value::Mapping(entries) = modules.value else { return Err(at.problem(Problem::Not("a mapping"))) };
    rules::at_most("modules of the baseline", entries.len(), MAX_FLOORS).map_err(|flaw| at.problem(flaw))?;
    let mut floors = Vec::with_capacity(entries.len());
    for entry in entries {
        if ModulePath::check(&entry.key).is_err() {
            return Err(entry.at.problem(Problem::ModulePath(entry.key)));
        }
        floors.push(Floor { module: entry.key, grade: file::grade(entry.value)? });
    }
    floors.sort_by(|a, b| a.module.cmp(&b.module));
    Ok(floors)
}

/// Writes a baseline. A module that is there several times, in several versions, has the worst of its grades.
#[must_use]
pub fn write<'a>(modules: impl IntoIterator<Item = (&'a str, PolicyGrade)>) -> String {
    let mut worst: BTreeMap<&str, PolicyGrade> = BTreeMap::new();
    for (path, grade) in modules {
        worst.entry(path).and_modify(|worst| *worst = grade.min(*worst)).or_insert(grade);
    }
    let lines: Vec<String> = worst
        .iter()
        .map(|(path, grade)| format!("\n    {}: \"{}\"", serde_json::Value::from(*path), grade_name(*grade)))
        .collect();
    let end = if lines.is_empty() { "" } else { "\n  " };
    format!("{{\n  \"schema\": \"{SCHEMA}\",\n  \"modules\": {{{}{end}}}\n}}\n", lines.join(","))
}
