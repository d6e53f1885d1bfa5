//! Files that stand for answers: `file://` trees, and the go command's caches. Read, never written.

use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::contract::Failure;

/// A whole file of at most `max` bytes. Only a plain file: a pipe or a device would stall the run.
pub(crate) fn read(path: &Path, max: u32) -> Result<Vec<u8>, (Failure, String)> {
    let failed = |e: std::io::Error| match e.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => (Failure::Absent, "file does not exist".to_owned()),
        _ => (Failure::Storage, e.to_string()),
    };
    let size = match std::fs::metadata(path).map_err(failed)? {
        meta if meta.is_dir() => return Err((Failure::Absent, "is a directory".to_owned())),
        meta if !meta.is_file() => return Err((Failure::Storage, "not a regular file".to_owned())),
        meta => meta.len(),
    };
    let max = u64::from(max);
    let mut data = Vec::with_capacity(usize::try_from(size.min(max)).unwrap_or(0));
    let file = std::fs::File::open(path).map_err(failed)?;
    // The file may have grown since.
    file.take(max + 1).read_to_end(&mut data).map_err(failed)?;
    if data.len() as u64 > max {
        return Err((Failure::TooLarge, format!("larger than {max} bytes")));
    }
    Ok(data)
}
