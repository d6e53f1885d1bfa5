//! Lines that share a cause, of which one finding speaks.

use super::files::{Group, Input, Row};
use super::findings::Draft;
use crate::gosum::Span;
use crate::module::ModuleVersion;

/// How many modules a message names.
const NAMED: usize = 3;

/// Lines that share a cause, of which one finding speaks.
#[derive(Default)]
pub(super) struct Lump {
    pub(super) lines: usize,
    /// Where the first of them is.
    pub(super) first: Option<(usize, Span)>,
    /// Some of the modules.
    modules: Vec<ModuleVersion>,
    /// How many modules there are.
    count: usize,
    /// Where the rows of the last module begin.
    last: Option<usize>,
}

impl Lump {
    pub(super) fn add(&mut self, row: &Row<'_>, group: &Group) {
        self.lines += 1;
        if self.first.is_none_or(|(_, first)| row.entry.at.line < first.line) {
            self.first = Some((row.file, row.entry.at));
        }
        // The rows of a module come one after the other.
        if self.last.replace(group.rows.start) != Some(group.rows.start) {
            self.count += 1;
            if self.modules.len() < NAMED {
                self.modules.push(group.module.clone());
            }
        }
    }

    /// Adds a module of which one thing counts, with a line of it if there is one.
    pub(super) fn add_module(&mut self, row: Option<&Row<'_>>, group: &Group) {
        match row {
            Some(row) => self.add(row, group),
            None => {
                self.lines += 1;
                self.count += 1;
                if self.modules.len() < NAMED {
                    self.modules.push(group.module.clone());
                }
            }
        }
    }

    /// As [`Self::place`], in the file of its first line if there is one.
    pub(super) fn place_in(&self, draft: Draft, files: &[Input]) -> Draft {
        match self.first {
            Some((file, _)) => self.place(draft, &files[file].path),
            None => draft,
        }
    }

    /// `a@v1, b@v2, c@v3 and 7 more modules`.
    pub(super) fn names(&self) -> String {
        let names: Vec<&str> = self.modules.iter().map(ModuleVersion::as_str).collect();
        let more = self.count - names.len();
        match more {
            0 => names.join(", "),
            _ => format!("{} and {more} more", names.join(", ")),
        }
    }

    /// Where to show it, and which module it is about if it is one.
    pub(super) fn place(&self, draft: Draft, file: &str) -> Draft {
        let draft = match self.first {
            Some((_, span)) => draft.at(file, span),
            None => draft.file(file),
        };
        match self.modules.as_slice() {
            [module] if self.count == 1 => draft.about(module),
            _ => draft,
        }
    }
}
