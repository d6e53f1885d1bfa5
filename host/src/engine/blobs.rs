//! The `blob`s that hashing in the component reads: files that the host has opened.

use std::sync::Arc;

use wasmtime::component::{Resource, ResourceTable};

use super::State;
use crate::contract::blob::{Host, HostBlob, ReadError};
use crate::files::Regular;
use modanchor_core::dirhash::{self, ReadAt as _};

/// The most bytes of one read. The core reads in parts of this or less.
const MAX_READ: u32 = 16 << 20;

/// A file.
pub struct Blob(pub(super) Arc<Regular>);

/// The blobs of one store.
pub(super) type Blobs = ResourceTable;

impl State {
    /// A session has none: it cannot come by a blob, whose handles only the host gives out.
    pub(super) fn blobs(&mut self) -> wasmtime::Result<&mut Blobs> {
        self.blobs.as_mut().ok_or_else(|| wasmtime::Error::msg("a session has no blobs"))
    }
}

impl Host for State {}

impl HostBlob for State {
    fn size(&mut self, blob: Resource<Blob>) -> wasmtime::Result<u64> {
        Ok(self.blobs()?.get(&blob)?.0.size())
    }

    fn read_at(
        &mut self,
        blob: Resource<Blob>,
        offset: u64,
        length: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, ReadError>> {
        let Blob(file) = self.blobs()?.get(&blob)?;
        if length > MAX_READ {
            return Err(wasmtime::Error::msg("a read of more bytes than any"));
        }
        // Nothing is allocated for what is not there.
        if offset.checked_add(u64::from(length)).is_none_or(|end| end > file.size()) {
            return Ok(Err(ReadError::Changed));
        }
        let mut content = vec![0; length as usize];
        Ok(file.read_at(offset, &mut content).map(|()| content).map_err(|error| match error {
            dirhash::ReadError::Failed => ReadError::Failed,
            dirhash::ReadError::Changed => ReadError::Changed,
        }))
    }

    fn drop(&mut self, blob: Resource<Blob>) -> wasmtime::Result<()> {
        self.blobs()?.delete(blob)?;
        Ok(())
    }
}
