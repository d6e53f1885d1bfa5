//! What parses is what is written.

#![no_main]

use libfuzzer_sys::fuzz_target;
use modanchor_core::sumdb::tile::Tile;

fuzz_target!(|path: &str| {
    if let Ok(tile) = Tile::parse(path) {
        assert_eq!(tile.path(), path);
        assert_eq!(Tile::parse(&tile.full().path()), Ok(tile.full()));
    }
});
