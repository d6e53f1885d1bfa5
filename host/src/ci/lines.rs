//! Lines of files, and which of them a change touches.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Lines of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lines {
    /// The whole file: it is new, or how it changed is not known.
    All,
    /// These, 1-based.
    Ranges(Vec<RangeInclusive<u32>>),
}

/// The lines that a change adds or rewrites, by path from the root of the repository. A file that is not listed is
/// as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangedLines {
    files: BTreeMap<String, Lines>,
}

impl ChangedLines {
    /// Of these files.
    pub fn new(files: BTreeMap<String, Lines>) -> Self {
        Self { files }
    }

    /// Whether the change touches this line, or, of a finding about a file as a whole, the file.
    pub fn touches(&self, path: &str, line: Option<u32>) -> bool {
        match (self.files.get(path), line) {
            (None, _) => false,
            (Some(Lines::All), _) | (Some(_), None) => true,
            (Some(Lines::Ranges(ranges)), Some(line)) => ranges.iter().any(|range| range.contains(&line)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_files() {
        let changed = ChangedLines::new(BTreeMap::from([
            ("go.sum".to_owned(), Lines::Ranges(vec![3..=3, 7..=9])),
            ("new/go.sum".to_owned(), Lines::All),
        ]));
        for (path, line, want) in [
            ("go.sum", Some(3), true),
            ("go.sum", Some(4), false),
            ("go.sum", Some(9), true),
            ("go.sum", None, true),
            ("new/go.sum", Some(1), true),
            ("new/go.sum", None, true),
            ("other/go.sum", Some(3), false),
            ("other/go.sum", None, false),
        ] {
            assert_eq!(changed.touches(path, line), want, "{path} {line:?}");
        }
    }
}
