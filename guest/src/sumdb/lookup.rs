//! Answers to look-ups of the checksum database (golang.org/x/mod/sumdb, tlog.ParseRecord).
//!
//! ```text
//! 34365640
//! golang.org/x/mod v0.23.0 h1:Zb7khfcRGKk+kqfxFaP5tZqCnDZMjC5VtUBs87Hr6QM=
//! golang.org/x/mod v0.23.0/go.mod h1:6SkKJ3Xj0I0BrPOZoBy3bdMptDDU9oJrpohJ3eWZ1fY=
//!
//! go.sum database tree
//! …
//! ```
//!
//! The record's id, the record's text, a blank line, and a signed tree note in which the record is.
//!
//! # Security argument
//!
//! The answer is untrusted. What the log vouches for is the record text alone: it is authentic once
//! [`record_hash`](super::tlog::record_hash) of it is the log's hash of record `id`. So [`lines_for`] reads that text
//! and nothing else: lines that look like go.sum inside the note's text are signed, but no part of the log
//! (CVE-2026-56864). And an authentic record that has no line for what was asked proves nothing about it: that is
//! [`NoLine`], an error and not an empty list that compares as "nothing differs" (CVE-2026-42501).

/// The most bytes of an answer, its tree note included: golang.org/x/mod/gosumcheck's limit.
pub const MAX_BYTES: u32 = 1 << 20;

/// Why an answer cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// It breaks the format.
    #[error("malformed record data")]
    Malformed,
    /// The id is negative. Go reads it, and fails when it looks for the record.
    #[error("negative record id")]
    NegativeId,
}

/// An answer that was read and not verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookupAnswer<'a> {
    /// The record's number in the log; at most i64::MAX.
    pub id: u64,
    /// The record: go.sum lines. No control characters but newline, no blank line inside; ends in a newline.
    pub text: &'a str,
    /// The signed tree note, unread.
    pub note: &'a [u8],
}

impl<'a> LookupAnswer<'a> {
    /// Reads an answer (tlog.ParseRecord).
    ///
    /// # Errors
    ///
    /// [`LookupError`].
    pub fn parse(answer: &'a [u8]) -> Result<Self, LookupError> {
        Self::read(answer).ok_or(LookupError::Malformed).and_then(|(id, text, note)| {
            let id = u64::try_from(id).map_err(|_| LookupError::NegativeId)?;
            Ok(Self { id, text, note })
        })
    }

    fn read(answer: &'a [u8]) -> Option<(i64, &'a str, &'a [u8])> {
        let newline = answer.iter().position(|b| *b == b'\n')?;
        let id = std::str::from_utf8(&answer[..newline]).ok()?.parse().ok()?;
        let rest = &answer[newline + 1..];
        let end = rest.windows(2).position(|pair| pair == b"\n\n")?;
        let text = std::str::from_utf8(&rest[..=end]).ok()?;
        let valid = text.bytes().all(|b| b >= 0x20 || b == b'\n');
        valid.then_some((id, text, &rest[end + 2..]))
    }
}

/// The record has no line for the module version that was asked for. The text is cmd/go's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("checksum missing from sumdb response")]
pub struct NoLine;

/// The lines of a record about one module version: whole lines, without the newline, in the record's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordLines<'a> {
    zip: Vec<&'a str>,
    go_mod: Vec<&'a str>,
}

impl<'a> RecordLines<'a> {
    /// The lines `PATH VERSION HASH`, at least one.
    ///
    /// # Errors
    ///
    /// [`NoLine`]: then the record vouches for no zip.
    pub fn zip(&self) -> Result<&[&'a str], NoLine> {
        if self.zip.is_empty() { Err(NoLine) } else { Ok(&self.zip) }
    }

    /// The lines `PATH VERSION/go.mod HASH`, at least one.
    ///
    /// # Errors
    ///
    /// [`NoLine`]: then the record vouches for no go.mod.
    pub fn go_mod(&self) -> Result<&[&'a str], NoLine> {
        if self.go_mod.is_empty() { Err(NoLine) } else { Ok(&self.go_mod) }
    }
}

/// Picks the lines about one module version out of a record's text. `version` is without `/go.mod`.
pub fn lines_for<'a>(text: &'a str, path: &str, version: &str) -> RecordLines<'a> {
    let mut lines = RecordLines { zip: Vec::new(), go_mod: Vec::new() };
    for line in text.split('\n') {
        let rest = line.strip_prefix(path).and_then(|rest| rest.strip_prefix(' '));
        let Some(rest) = rest.and_then(|rest| rest.strip_prefix(version)) else {
            continue;
        };
        if rest.starts_with(' ') {
            lines.zip.push(line);
        } else if rest.starts_with("/go.mod ") {
            lines.go_mod.push(line);
        }
    }
    lines
}
