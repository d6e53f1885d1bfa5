//! Signed notes, the Merkle tree, tiles, and the checksum database client with its timeline.
