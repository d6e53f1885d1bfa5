use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::lookup::LookupAnswer;
use super::super::note::Verifier;
use super::super::testing::{Log, table};
use super::super::tile::{FaultKind, Height, PathError, Plan, Tile};
use super::super::tlog::*;

const CASES: &str = include_str!("../../../tests/data/sumdb/tlog-parse.json");

fn height(height: u8) -> Height {
    Height::new(height).unwrap()
}

fn full(height: Height, level: u8, index: u64) -> Tile {
    Tile::new(height, level, index, 1 << height.get()).unwrap()
}

/// The bytes of every tile of a plan.
type Store = BTreeMap<Tile, Vec<u8>>;

fn store(log: &Log, plan: &Plan) -> Store {
    plan.tiles().iter().map(|tile| (*tile, log.tile(tile))).collect()
}

#[test]
fn tile_paths_as_go() {
    for case in table(CASES)["tile_paths"].as_array().unwrap() {
        let path = case["path"].as_str().unwrap();
        match Tile::parse(path) {
            Ok(tile) => {
                assert_eq!(case["err"], "", "{path}");
                assert_eq!(case["H"], tile.height().get());
                assert_eq!(case["L"], tile.level());
                assert_eq!(case["N"], tile.index());
                assert_eq!(case["W"], tile.width());
                assert_eq!(tile.path(), path);
            }
            // Data tiles hold records: the client never asks for one.
            Err(PathError) => assert!(case["err"] != "" || case["L"] == -1, "{path}"),
        }
    }
}

#[test]
fn tiles_of_indexes_as_go() {
    for case in table(CASES)["stored_hash_index"].as_array().unwrap() {
        let tile = Tile::for_index(Height::DEFAULT, case["index"].as_u64().unwrap());
        assert_eq!(case["tile8"], tile.path());
    }
}

/// tlog.NewTiles lists what a log publishes when it grows: all its tiles, where it grows from nothing. A plan for every
/// stored hash needs the same.
#[test]
fn a_plan_for_all_hashes_needs_what_a_log_publishes() {
    let mut compared = 0;
    for case in table(CASES)["new_tiles"].as_array().unwrap() {
        let number = |key: &str| case[key].as_u64().unwrap();
        if number("old") != 0 {
            continue;
        }
        let head = TreeHead { size: number("new"), root: Hash::EMPTY_ROOT };
        let records = (0..head.size).map(|n| stored_hash_index(0, n));
        let plan = Plan::new(&head, height(number("h") as u8), records);
        assert_eq!(plan.tiles().len() as u64, number("count"), "{case}");
        let paths: Vec<String> = plan.tiles().iter().map(|tile| tile.path()).collect();
        for path in super::super::testing::strings(&case["first"]) {
            assert!(paths.contains(&path), "{path}");
        }
        compared += 1;
    }
    assert_eq!(compared, 2);
}

#[test]
fn every_hash_of_every_tree_up_to_100() {
    for size in 0..=100 {
        let log = Log::new(size);
        for h in 1..=4 {
            let plan = Plan::new(&log.head(), height(h), log.indexes());
            let tiles = store(&log, &plan);
            assert!(plan.tiles().is_sorted_by(|a, b| a > b));
            let authentic = plan.check(|tile| tiles.get(tile).map(Vec::as_slice));
            assert_eq!(authentic.faults(), []);
            for index in log.indexes() {
                assert_eq!(authentic.hash(index), Ok(log.hash(index)), "{size} {h} {index}");
            }
            for outside in [log.stored.len() as u64, u64::MAX] {
                assert_eq!(authentic.hash(outside).unwrap_err().kind, FaultKind::Unplanned);
            }
            // Each hash alone: fewer tiles, the same answer.
            for index in log.indexes() {
                let plan = Plan::new(&log.head(), height(h), [index]);
                let authentic = plan.check(|tile| tiles.get(tile).map(Vec::as_slice));
                assert_eq!(authentic.hash(index), Ok(log.hash(index)));
            }
        }
    }
}

/// Flips a bit in, loses, or shortens every tile of many trees. No wrong hash is given, the tile is named, and what
/// does not depend on it is still proved.
#[test]
fn a_bad_tile_takes_down_what_depends_on_it_and_no_more() {
    for size in (1..=34).chain([63, 64, 65, 100]) {
        let log = Log::new(size);
        for h in 1..=3 {
            let plan = Plan::new(&log.head(), height(h), log.indexes());
            let good = store(&log, &plan);
            for bad in plan.tiles() {
                let edge = !bad.is_full();
                let below = |tile: Tile| {
                    let up = h * bad.level().saturating_sub(tile.level());
                    edge || (tile.level() <= bad.level() && tile.index() >> up == bad.index())
                };
                for (kind, damage) in damages(bad) {
                    let mut tiles = good.clone();
                    damage(&mut tiles);
                    let authentic = plan.check(|tile| tiles.get(tile).map(Vec::as_slice));
                    let named = authentic.faults().iter().any(|fault| fault.tile == *bad && fault.kind == kind);
                    assert!(named, "{size} {h} {bad} {kind}");
                    // Beside the one tile, only other edge tiles can be suspected.
                    assert!(authentic.faults().iter().all(|f| f.tile == *bad || (edge && !f.tile.is_full())));
                    for index in log.indexes() {
                        match authentic.hash(index) {
                            Ok(hash) => {
                                assert_eq!(hash, log.hash(index));
                                assert!(!below(Tile::for_index(height(h), index)));
                            }
                            Err(fault) => {
                                assert!(authentic.faults().contains(&fault));
                                assert!(below(Tile::for_index(height(h), index)), "{size} {h} {bad} {index}");
                            }
                        }
                    }
                }
            }
        }
    }
}

type Damage = Box<dyn Fn(&mut Store)>;

fn damages(tile: &Tile) -> Vec<(FaultKind, Damage)> {
    let tile = *tile;
    let mut damages: Vec<(FaultKind, Damage)> = vec![
        (FaultKind::Missing, Box::new(move |tiles| drop(tiles.remove(&tile)))),
        (FaultKind::WrongSize, Box::new(move |tiles| tiles.get_mut(&tile).unwrap().truncate(HASH_BYTES - 1))),
        (FaultKind::WrongSize, Box::new(move |tiles| tiles.get_mut(&tile).unwrap().push(0))),
        (FaultKind::WrongSize, Box::new(move |tiles| tiles.get_mut(&tile).unwrap().clear())),
    ];
    for hash in 0..tile.width() as usize {
        damages.push((
            FaultKind::Inconsistent,
            Box::new(move |tiles| tiles.get_mut(&tile).unwrap()[hash * HASH_BYTES + 7 * hash % 32] ^= 1),
        ));
    }
    damages
}

#[test]
fn a_full_tile_may_stand_in_for_a_partial_one() {
    let log = Log::new(70);
    let old = log.head_at(69);
    let plan = Plan::new(&old, height(2), [stored_hash_index(0, 68)]);
    let wider: Store = plan
        .tiles()
        .iter()
        .map(|tile| {
            let mut bytes = log.tile(tile);
            // Whatever follows what is asked for is not looked at.
            bytes.resize(tile.full().byte_len() as usize, 0xaa);
            (*tile, bytes)
        })
        .collect();
    let authentic = plan.check(|tile| wider.get(tile).map(Vec::as_slice));
    assert_eq!(authentic.hash(stored_hash_index(0, 68)), Ok(log.hash(stored_hash_index(0, 68))));
}

#[test]
fn all_bad_tiles_are_named_at_once() {
    let log = Log::new(15);
    let plan = Plan::new(&log.head(), height(2), [0, stored_hash_index(0, 5), stored_hash_index(0, 9)]);
    let mut tiles = store(&log, &plan);
    tiles.remove(&full(height(2), 0, 0));
    tiles.get_mut(&full(height(2), 0, 1)).unwrap()[3] ^= 1;
    let authentic = plan.check(|tile| tiles.get(tile).map(Vec::as_slice));
    let mut faults: Vec<String> = authentic.faults().iter().map(ToString::to_string).collect();
    faults.sort();
    assert_eq!(faults, ["tile/2/0/000: missing", "tile/2/0/001: inconsistent with the tree head"]);
    assert!(authentic.hash(stored_hash_index(0, 9)).is_ok());
}

#[test]
fn a_plan_is_a_function_of_the_set_of_indexes() {
    let head = Log::new(100).head();
    let plan = |indexes: &[u64]| Plan::new(&head, height(3), indexes.iter().copied()).tiles().to_vec();
    assert_eq!(plan(&[3, 50, 120]), plan(&[120, 3, 3, 50, 120, 1 << 40]));
    let edge: Vec<String> = plan(&[]).iter().map(|tile| tile.path()).collect();
    assert_eq!(edge, ["tile/3/2/000.p/1", "tile/3/1/001.p/4", "tile/3/0/012.p/4"]);
}

/// golang.org/x/mod/sumdb/tlog's tileHashReader.ReadHashes, for the hashes of records, with `first_check` where it
/// begins to check tiles against their parents: the fault of CVE-2026-56865 is that one number.
mod go {
    use super::*;

    pub(super) enum FirstCheck {
        /// Before v0.40.0: as many as there are subtrees in the tree hash.
        Subtrees,
        /// Since: after the last tile of the right edge.
        EdgeTiles,
    }

    fn parent(tile: Tile, up: u8, size: u64) -> Option<Tile> {
        let h = tile.height().get();
        let (level, index) = (tile.level() + up, tile.index() >> (up * h));
        let left = (size >> (level * h)).checked_sub(index << h)?;
        Tile::new(tile.height(), level, index, left.min(1 << h) as u32)
    }

    fn tile_hash(hashes: &[Hash]) -> Hash {
        match hashes {
            [hash] => *hash,
            _ => {
                let (left, right) = hashes.split_at(hashes.len() / 2);
                node_hash(&tile_hash(left), &tile_hash(right))
            }
        }
    }

    fn hash_from(tile: &Tile, data: &[Hash], index: u64) -> Hash {
        let (level, n) = split(index);
        let inside = level % tile.height().get();
        let slot = ((n << inside) - (tile.index() << tile.height().get())) as usize;
        tile_hash(&data[slot..slot + (1 << inside)])
    }

    pub(super) fn read_hashes(
        head: &TreeHead,
        height: Height,
        indexes: &[u64],
        first_check: FirstCheck,
        get: impl Fn(&Tile) -> Vec<u8>,
    ) -> Option<Vec<Hash>> {
        let mut tiles: Vec<Tile> = Vec::new();
        let position = |tiles: &[Tile], tile: Tile| tiles.iter().position(|other| *other == tile);
        let subtrees: Vec<u64> = ProofShape::tree(head.size).indexes().collect();
        let mut of_subtree = Vec::new();
        for index in &subtrees {
            let tile = parent(Tile::for_index(height, *index), 0, head.size)?;
            of_subtree.push(position(&tiles, tile).unwrap_or_else(|| {
                tiles.push(tile);
                tiles.len() - 1
            }));
        }
        let edge_tiles = tiles.len();
        let mut of_index = Vec::new();
        for index in indexes {
            let tile = Tile::for_index(height, *index);
            let mut up = 0;
            while position(&tiles, parent(tile, up, head.size)?).is_none() {
                up += 1;
            }
            for up in (0..up).rev() {
                tiles.push(parent(tile, up, head.size)?);
            }
            of_index.push(position(&tiles, parent(tile, 0, head.size)?)?);
        }
        let data: Vec<Vec<Hash>> =
            tiles.iter().map(|tile| get(tile).as_chunks().0.iter().map(|hash| Hash(*hash)).collect()).collect();
        let roots: Vec<Hash> =
            subtrees.iter().zip(&of_subtree).map(|(i, t)| hash_from(&tiles[*t], &data[*t], *i)).collect();
        if root_from(&roots) != head.root {
            return None;
        }
        let first = match first_check {
            FirstCheck::Subtrees => subtrees.len(),
            FirstCheck::EdgeTiles => edge_tiles,
        };
        for at in first..tiles.len() {
            let above = parent(tiles[at], 1, head.size)?;
            let index = stored_hash_index(above.level() * height.get(), tiles[at].index());
            if hash_from(&above, &data[position(&tiles, above)?], index) != tile_hash(&data[at]) {
                return None;
            }
        }
        Some(indexes.iter().zip(of_index).map(|(i, t)| hash_from(&tiles[t], &data[t], *i)).collect())
    }
}

/// CVE-2026-56865: under a genuine, signed head, a proxy forges one tile of records.
#[test]
fn a_forged_tile_of_records_is_refused_where_old_x_mod_believed_it() {
    let mut believed = 0;
    for (size, h, record) in [(15, 2, 1), (255, 4, 17), (31, 2, 9), (1023, 8, 5), (1003, 3, 700)] {
        let log = Log::new(size);
        let (head, height) = (log.head(), height(h));
        let index = stored_hash_index(0, record);
        let mut forged = log.clone();
        forged.forge(index, record_hash(b"example.com/evil v1.0.0 h1:forged\n"));
        assert_ne!(forged.head(), head);

        // Only the tile with the record is forged; whatever leads up to the root is genuine.
        let target = full(height, 0, record >> h);
        let get = |tile: &Tile| {
            if *tile == target { forged.tile(tile) } else { log.tile(tile) }
        };
        let go = |first| go::read_hashes(&head, height, &[index], first, get);
        if go(go::FirstCheck::Subtrees) == Some(vec![forged.hash(index)]) {
            believed += 1;
        }
        assert_eq!(go(go::FirstCheck::EdgeTiles), None);

        let plan = Plan::new(&head, height, [index]);
        let tiles: Store = plan.tiles().iter().map(|tile| (*tile, get(tile))).collect();
        let authentic = plan.check(|tile| tiles.get(tile).map(Vec::as_slice));
        let fault = authentic.hash(index).unwrap_err();
        assert_eq!((fault.tile, fault.kind), (target, FaultKind::Inconsistent));

        // The copy of the algorithm is no straw man: without a forgery, it reads what is there.
        for first in [go::FirstCheck::Subtrees, go::FirstCheck::EdgeTiles] {
            let honest = go::read_hashes(&head, height, &[index], first, |tile| log.tile(tile));
            assert_eq!(honest, Some(vec![log.hash(index)]));
        }
    }
    assert_eq!(believed, 5);
}

/// A proxy that forges a tile and its parents as well meets the root.
#[test]
fn a_whole_forged_tree_is_refused() {
    let log = Log::new(100);
    let mut forged = log.clone();
    forged.forge(0, record_hash(b"forged"));
    let plan = Plan::new(&log.head(), height(2), log.indexes());
    let tiles = store(&forged, &plan);
    let authentic = plan.check(|tile| tiles.get(tile).map(Vec::as_slice));
    assert!(log.indexes().all(|index| authentic.hash(index).is_err()));
    assert!(authentic.faults().iter().all(|fault| !fault.tile.is_full()));
}

macro_rules! real {
    ($path:literal) => {
        ($path, include_bytes!(concat!("../../../tests/data/sumdb/real/", $path)).as_slice())
    };
}

#[test]
fn real_records_of_sum_golang_org() {
    let files = BTreeMap::from([
        real!("tile/8/0/x134/604"),
        real!("tile/8/0/x097/482"),
        real!("tile/8/0/x134/754.p/97"),
        real!("tile/8/1/525"),
        real!("tile/8/1/380"),
        real!("tile/8/1/526.p/98"),
        real!("tile/8/2/001"),
        real!("tile/8/2/002.p/14"),
        real!("tile/8/3/000.p/2"),
    ]);
    let key = Verifier::parse("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8").unwrap();
    let latest = AuthenticHead::open(real!("latest").1, &key).unwrap();
    let answers = [real!("lookup/golang.org/x/crypto@v0.33.0"), real!("lookup/golang.org/x/mod@v0.17.0")]
        .map(|(_, answer)| LookupAnswer::parse(answer).unwrap());
    let head = latest.head();
    let mut needed = Vec::new();
    for answer in &answers {
        AuthenticHead::open(answer.note, &key).unwrap();
        needed.push(stored_hash_index(0, answer.id));
        needed.extend(ProofShape::inclusion(answer.id, head.size).unwrap().indexes());
    }
    let plan = Plan::new(head, Height::DEFAULT, needed);
    let mut paths: Vec<String> = plan.tiles().iter().map(|tile| tile.path()).collect();
    paths.sort();
    assert_eq!(paths, files.keys().copied().collect::<Vec<_>>());

    let authentic = plan.check(|tile| files.get(tile.path().as_str()).copied());
    assert_eq!(authentic.faults(), []);
    for answer in &answers {
        let record = record_hash(answer.text.as_bytes());
        assert_eq!(authentic.hash(stored_hash_index(0, answer.id)), Ok(record));
        let proof = ProofShape::inclusion(answer.id, head.size).unwrap();
        let proof = proof.assemble(|index| authentic.hash(index)).unwrap();
        assert_eq!(verify_inclusion(&record, answer.id, head, &proof), Ok(()));
    }
}

#[test]
fn the_largest_tree_is_planned() {
    let head = TreeHead { size: MAX_TREE_SIZE, root: Hash::EMPTY_ROOT };
    for h in 1..=30 {
        let last = stored_hash_index(0, MAX_TREE_SIZE - 1);
        let plan = Plan::new(&head, height(h), [0, last, stored_hash_index(62, 0)]);
        assert!(plan.tiles().iter().all(|tile| tile.max_bytes() <= super::super::tile::MAX_TILE_BYTES));
        let authentic = plan.check(|_| None);
        assert_eq!(authentic.faults().len(), plan.tiles().len());
        assert_eq!(authentic.hash(last).unwrap_err().kind, FaultKind::Missing);
    }
    assert_eq!(Height::new(0), None);
    assert_eq!(Height::new(31), None);
}

proptest! {
    #[test]
    fn tile_paths_round_trip(h in 1u8..=30, level in 0u8..64, index in 0..=MAX_TREE_SIZE, width in any::<u32>()) {
        let height = height(h);
        let tile = Tile::new(height, level, index, width % (1 << h) + 1).unwrap();
        prop_assert_eq!(Tile::parse(&tile.path()), Ok(tile));
    }

    #[test]
    fn what_parses_round_trips(path in "(tile/)?[0-9]{1,2}/[0-9]{1,2}/(x[0-9]{3}/){0,8}[0-9]{1,4}(.p/[0-9]{1,4})?") {
        if let Ok(tile) = Tile::parse(&path) {
            prop_assert_eq!(tile.path(), path);
        }
    }

    #[test]
    fn no_plan_and_no_bytes_panic(
        size in 0..=MAX_TREE_SIZE, h in 1u8..=10,
        indexes in proptest::collection::vec(any::<u64>(), 0..20),
        bytes in proptest::collection::vec(any::<u8>(), 0..2048),
    ) {
        let head = TreeHead { size, root: Hash::EMPTY_ROOT };
        let plan = Plan::new(&head, height(h), indexes.iter().copied());
        let authentic = plan.check(|tile| bytes.get(..tile.byte_len() as usize));
        for index in indexes {
            prop_assert!(authentic.hash(index).is_err());
        }
    }
}
