//! Where the body of an answer goes.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};

/// How much of the beginning of a file is remembered, to tell a web page by.
pub(super) const HEAD: usize = 512;

/// Takes a body in parts, and starts over when it is asked for again.
pub(super) trait Sink: Send {
    /// Forgets everything. `announced`: how many bytes are to come, as far as known, within the request's cap.
    fn restart(&mut self, announced: u64) -> io::Result<()>;
    /// Takes the next part.
    fn write(&mut self, part: &[u8]) -> io::Result<()>;
    /// The beginning, at least.
    fn head(&self) -> &[u8];
}

impl Sink for Vec<u8> {
    fn restart(&mut self, announced: u64) -> io::Result<()> {
        self.clear();
        self.reserve_exact(usize::try_from(announced).unwrap_or(0));
        Ok(())
    }

    fn write(&mut self, part: &[u8]) -> io::Result<()> {
        self.extend_from_slice(part);
        Ok(())
    }

    fn head(&self) -> &[u8] {
        self
    }
}

/// A file without a name, gone when it is closed.
pub(super) struct TempFile {
    file: File,
    head: Vec<u8>,
}

impl TempFile {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { file: tempfile::tempfile()?, head: Vec::new() })
    }

    pub(super) fn into_file(self) -> File {
        self.file
    }
}

impl Sink for TempFile {
    fn restart(&mut self, _announced: u64) -> io::Result<()> {
        self.head.clear();
        self.file.set_len(0)?;
        self.file.rewind()
    }

    fn write(&mut self, part: &[u8]) -> io::Result<()> {
        let missing = HEAD.saturating_sub(self.head.len()).min(part.len());
        self.head.extend_from_slice(&part[..missing]);
        self.file.write_all(part)
    }

    fn head(&self) -> &[u8] {
        &self.head
    }
}
