//! Tiles: the stored hashes of a log in files of up to 2^H hashes (golang.org/x/mod/sumdb/tlog, c2sp.org/tlog-tiles),
//! which ones to ask for, and what they prove.
//!
//! The tile at level L, number N holds the hashes at tree level L·H from number N·2^H on: all 2^H of them, or, at the
//! right edge of the tree, as many as there are. The levels between L·H and (L+1)·H follow by hashing.
//!
//! # Security argument
//!
//! Tiles come from anywhere; only the root hash is trusted. [`Plan`] and [`Authentic`] split the work: the plan says,
//! from sizes alone, which tiles are needed; the check decides which of the bytes that came are authentic; and a hash
//! can be had from [`Authentic::hash`] only. With H = 2, 15 records, and record 1 wanted:
//!
//! ```text
//!                 s3
//!           ┌──────┴──────┐
//!           ∘             ∘            s2        ← 1/000.p/3   right edge
//!        ┌──┴──┐       ┌──┴──┐       ┌──┴──┐
//!        ∘     ∘       ∘     ∘       ∘     ∘      s1   s0
//!       ┌┴┐   ┌┴┐     ┌┴┐   ┌┴┐     ┌┴┐   ┌┴┐    ┌┴┐    │
//!       0 1   2 3     4 5   6 7     8 9  10 11  12 13  14
//!      └─ 0/000 ─┘   └─ 0/001 ─┘   └─ 0/002 ─┘ └0/003.p/3┘
//!        wanted                                right edge
//! ```
//!
//! 1. **The right edge.** A tile that is not full has no parent: its hashes are in no tile above. There is at most one
//!    at each level. Their hashes make up the complete subtrees s3, s2, s1, s0, and these make up the root:
//!    `root = H(s3, H(s2, H(s1, s0)))`. If that is the trusted root, every byte of every edge tile is authentic. If it
//!    is not, at least one is forged, and nobody can say which: all are at fault, and nothing else can be checked.
//! 2. **Every other tile is full**, and the hash over the whole of it stands in its parent, one level up. The parent is
//!    an edge tile or a full one, so by induction from the top a tile is authentic if its parent is and that hash
//!    agrees.
//!
//! Which of the two holds for a tile is a property of the tile in the tree (`Anchor`), not of its place in a list.
//! That is the point of CVE-2026-56865: the code of golang.org/x/mod before v0.40.0 kept edge tiles first in one list
//! with the others, and began the parent checks at the number of *subtrees* s0, s1, … instead of after the last edge
//! *tile*. Above, there are 4 subtrees in 2 edge tiles: the checks began at the 5th tile, so the first two full tiles
//! (0/000!) were believed unseen, and a proxy could forge the records in them. The tests hold that algorithm against
//! this one.

use std::collections::BTreeSet;
use std::fmt;

use super::tlog::{HASH_BYTES, Hash, MAX_TREE_SIZE, TreeHead, contains, node_hash, root_from, split};
use crate::sort::sort_by;

/// The most bytes that a tile may have, of whatever height: a full tile of height 20. Every database known uses
/// height 8, with 8 kB.
pub const MAX_TILE_BYTES: u32 = 32 << 20;

/// Digits per element of a tile path's number: 123456789 is `x123/x456/789`.
const PATH_BASE: u64 = 1000;

/// The height of a log's tiles: 1 to 30.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Height(u8);

impl Height {
    /// The height that every checksum database known uses.
    pub const DEFAULT: Self = Self(8);

    /// A height, if it is one.
    pub fn new(height: u8) -> Option<Self> {
        (1..=30).contains(&height).then_some(Self(height))
    }

    /// As a number.
    pub fn get(self) -> u8 {
        self.0
    }

    /// How many hashes a full tile has.
    fn full_width(self) -> u32 {
        1 << self.0
    }
}

/// A tile, by its coordinates. Ordered by height, level, number and width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    height: Height,
    level: u8,
    index: u64,
    width: u32,
}

/// Not the path of a tile of hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed tile path")]
pub struct PathError;

impl Tile {
    /// The tile at `level`, number `index`, with `width` hashes; none for a width outside 1 to 2^height or a number
    /// above Go's int64.
    pub fn new(height: Height, level: u8, index: u64, width: u32) -> Option<Self> {
        let fits = (1..=height.full_width()).contains(&width) && index <= MAX_TREE_SIZE;
        fits.then_some(Self { height, level, index, width })
    }

    /// The narrowest tile that has a stored hash (tlog.TileForIndex).
    pub fn for_index(height: Height, stored_index: u64) -> Self {
        let (level, n) = split(stored_index);
        locate(height, level, n).0
    }

    /// Reads a tile path (tlog.ParseTilePath, without the data tiles, which hold records and not hashes).
    ///
    /// # Errors
    ///
    /// [`PathError`] for everything that [`Tile::path`] would not write.
    pub fn parse(path: &str) -> Result<Self, PathError> {
        Self::read(path).filter(|tile| tile.path() == path).ok_or(PathError)
    }

    fn read(path: &str) -> Option<Self> {
        let mut rest = path.strip_prefix("tile/")?;
        let mut number = || {
            let (digits, tail) = rest.split_once('/')?;
            rest = tail;
            digits.parse::<u8>().ok()
        };
        let (height, level) = (Height::new(number()?)?, number()?);
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok().filter(|width| *width < height.full_width())?),
            None => (rest, height.full_width()),
        };
        let index = number.split('/').try_fold(0u64, |index, digits| {
            let digits = digits.strip_prefix('x').unwrap_or(digits).parse().ok().filter(|n| *n < PATH_BASE)?;
            index.checked_mul(PATH_BASE)?.checked_add(digits)
        })?;
        Self::new(height, level, index, width)
    }

    /// The path below the database's URL: `tile/8/0/x001/x234/067`, with `.p/12` for a tile of 12 hashes that is not
    /// full.
    pub fn path(self) -> String {
        self.to_string()
    }

    /// The height.
    pub fn height(self) -> Height {
        self.height
    }

    /// The level of tiles, from 0 at the records up.
    pub fn level(self) -> u8 {
        self.level
    }

    /// The number within the level.
    pub fn index(self) -> u64 {
        self.index
    }

    /// How many hashes.
    pub fn width(self) -> u32 {
        self.width
    }

    /// Whether it has all hashes that it can have.
    pub fn is_full(self) -> bool {
        self.width == self.height.full_width()
    }

    /// The same tile with all its hashes. A server may have that one alone, once it exists.
    pub fn full(self) -> Self {
        Self { width: self.height.full_width(), ..self }
    }

    /// How many bytes it has: 32 for each hash.
    pub fn byte_len(self) -> u64 {
        u64::from(self.width) * HASH_BYTES as u64
    }

    /// The most bytes to accept in answer to this path: its length, but never more than [`MAX_TILE_BYTES`].
    pub fn max_bytes(self) -> u32 {
        self.byte_len().min(MAX_TILE_BYTES.into()) as u32
    }

    /// The tile at these coordinates in a tree of `size` records, as wide as it is there; none if it is not there
    /// (tlog.tileParent).
    fn in_tree(height: Height, level: u8, index: u64, size: u64) -> Option<Self> {
        let hashes = size.checked_shr(u32::from(level) * u32::from(height.0)).unwrap_or(0);
        let left = hashes.checked_sub(index.checked_mul(height.full_width().into())?)?;
        Self::new(height, level, index, left.min(height.full_width().into()) as u32)
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile/{}/{}/", self.height.0, self.level)?;
        let mut divisor = 1;
        while self.index / divisor >= PATH_BASE {
            divisor *= PATH_BASE;
        }
        while divisor > 1 {
            write!(f, "x{:03}/", self.index / divisor % PATH_BASE)?;
            divisor /= PATH_BASE;
        }
        write!(f, "{:03}", self.index % PATH_BASE)?;
        if !self.is_full() {
            write!(f, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

/// What proves a tile of a [`Plan`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anchor {
    /// It is at the right edge and not full: the root hash, together with the other edge tiles.
    Root,
    /// It is full: the hash at `slot` in the planned tile number `tile`, which comes before it.
    Parent { tile: Option<usize>, slot: usize },
}

/// A stored hash that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    index: u64,
    /// The number of its tile in the plan.
    tile: usize,
    /// Its level above the tile's hashes, and its number there.
    level: u8,
    slot: usize,
}

/// The tiles that authenticate a set of stored hashes under a tree head: planned before any is fetched.
#[derive(Debug, Clone)]
pub struct Plan {
    head: TreeHead,
    height: Height,
    tiles: Vec<Tile>,
    anchors: Vec<Anchor>,
    /// By tile.
    wanted: Vec<Wanted>,
}

impl Plan {
    /// Plans for the hashes with these stored-hash indexes, in any order. Indexes that are not in the tree are not
    /// planned for. The right edge is always part of the plan: without indexes, it is the whole plan.
    pub fn new(head: &TreeHead, height: Height, indexes: impl IntoIterator<Item = u64>) -> Self {
        let in_tree = |level, number| Tile::in_tree(height, level, number, head.size);
        let mut needed: BTreeSet<Tile> = BTreeSet::new();
        let edge = |level: u8| {
            let hashes = head.size.checked_shr(u32::from(level) * u32::from(height.0)).filter(|hashes| *hashes > 0)?;
            Some(in_tree(level, hashes >> height.0))
        };
        needed.extend((0..).map_while(edge).flatten());
        let mut hashes = Vec::new();
        for index in indexes {
            let (level, n) = split(index);
            if !contains(head.size, level, n) {
                continue;
            }
            let (tile, level, slot) = locate(height, level, n);
            let Some(tile) = in_tree(tile.level, tile.index) else {
                continue;
            };
            hashes.push((index, tile, level, slot));
            // Ends at an edge tile, or at a tile whose way up is known: they are in the set already.
            let mut up = Some(tile);
            while let Some(tile) = up.filter(|tile| needed.insert(*tile)) {
                up = in_tree(tile.level + 1, tile.index >> height.0);
            }
        }

        // From the top down, so that parents come before their children.
        let tiles: Vec<Tile> = needed.into_iter().rev().collect();
        let position = |tile: Tile| tiles.binary_search_by(|at| tile.cmp(at)).ok();
        let anchor = |tile: &Tile| {
            if !tile.is_full() {
                return Anchor::Root;
            }
            let parent = in_tree(tile.level + 1, tile.index >> height.0).and_then(position);
            Anchor::Parent { tile: parent, slot: (tile.index & u64::from(height.full_width() - 1)) as usize }
        };
        let anchors = tiles.iter().map(anchor).collect();
        let mut wanted: Vec<Wanted> = hashes
            .into_iter()
            .filter_map(|(index, tile, level, slot)| Some(Wanted { index, tile: position(tile)?, level, slot }))
            .collect();
        sort_by(&mut wanted, |a, b| (a.tile, a.index).cmp(&(b.tile, b.index)));
        wanted.dedup();
        Self { head: *head, height, tiles, anchors, wanted }
    }

    /// The tiles to get: each once, from the top level down. A plan is the same for the same set of indexes.
    pub fn tiles(&self) -> &[Tile] {
        &self.tiles
    }

    /// Decides which tiles are authentic. `bytes` gives what was got for a tile: as many hashes as it is wide, or the
    /// full tile, of which the rest is not looked at. Each tile is hashed at most once.
    pub fn check<'a>(&self, mut bytes: impl FnMut(&Tile) -> Option<&'a [u8]>) -> Authentic {
        let mut faults = Faults::default();
        let data: Vec<Result<&[[u8; HASH_BYTES]], Fault>> =
            self.tiles.iter().map(|tile| cut(tile, bytes(tile)).map_err(|kind| faults.add(*tile, kind))).collect();
        let mut proved: Vec<Result<(), Fault>> = data.iter().map(|data| data.map(|_| ())).collect();
        let mut answers = Vec::with_capacity(self.wanted.len());
        let mut subtrees = Subtrees::default();

        // All edge tiles stand or fall together: see the module documentation.
        let edge = || (0..self.tiles.len()).filter(|at| self.anchors[*at] == Anchor::Root);
        if let Some(fault) = edge().find_map(|at| data[at].err()) {
            edge().for_each(|at| proved[at] = data[at].and(Err(fault)));
        } else {
            let mut roots = Vec::new();
            let mut hashes = Vec::new();
            for at in edge() {
                subtrees.grow(data[at].unwrap_or_default());
                roots.extend(subtrees.complete());
                hashes.extend(self.wanted_in(at).iter().map(|wanted| (wanted.index, subtrees.get(wanted))));
            }
            if root_from(&roots) == self.head.root {
                answers.append(&mut hashes);
            } else {
                edge().for_each(|at| proved[at] = Err(faults.add(self.tiles[at], FaultKind::Inconsistent)));
            }
        }

        for (at, anchor) in self.anchors.iter().enumerate() {
            let Anchor::Parent { tile, slot } = *anchor else {
                continue;
            };
            // A full tile has a parent in the plan; without one it would be proved by nothing.
            let stands_in_parent = tile.ok_or_else(|| faults.add(self.tiles[at], FaultKind::Inconsistent));
            proved[at] = data[at].and_then(|hashes| {
                let parent = stands_in_parent?;
                proved[parent]?;
                subtrees.grow(hashes);
                if subtrees.whole().is_some_and(|whole| data[parent].is_ok_and(|parent| parent[slot] == whole.0)) {
                    answers.extend(self.wanted_in(at).iter().map(|wanted| (wanted.index, subtrees.get(wanted))));
                    Ok(())
                } else {
                    Err(faults.add(self.tiles[at], FaultKind::Inconsistent))
                }
            });
        }

        for (at, proved) in proved.into_iter().enumerate() {
            if let Err(fault) = proved {
                answers.extend(self.wanted_in(at).iter().map(|wanted| (wanted.index, Err(fault))));
            }
        }
        sort_by(&mut answers, |(a, _), (b, _)| a.cmp(b));
        Authentic { height: self.height, faults: faults.0, answers }
    }

    /// The hashes that were asked for in one tile.
    fn wanted_in(&self, tile: usize) -> &[Wanted] {
        let start = self.wanted.partition_point(|wanted| wanted.tile < tile);
        let len = self.wanted[start..].partition_point(|wanted| wanted.tile == tile);
        &self.wanted[start..start + len]
    }
}

/// Where a stored hash is: its narrowest tile, its level inside, and its number at that level inside.
fn locate(height: Height, level: u8, n: u64) -> (Tile, u8, usize) {
    let inside = level % height.0;
    let slot = n & ((1 << (height.0 - inside)) - 1);
    let tile =
        Tile { height, level: level / height.0, index: n >> (height.0 - inside), width: ((slot + 1) << inside) as u32 };
    (tile, inside, slot as usize)
}

/// The hashes of a tile, of the bytes that were got for it.
fn cut<'a>(tile: &Tile, bytes: Option<&'a [u8]>) -> Result<&'a [[u8; HASH_BYTES]], FaultKind> {
    let bytes = bytes.ok_or(FaultKind::Missing)?;
    let len = bytes.len() as u64;
    if len != tile.byte_len() && len != tile.full().byte_len() {
        return Err(FaultKind::WrongSize);
    }
    let (hashes, _) = bytes.as_chunks();
    Ok(&hashes[..tile.width as usize])
}

/// The complete subtrees over the hashes of one tile, by level inside. Its memory is used again for the next tile.
#[derive(Default)]
struct Subtrees {
    levels: Vec<Vec<Hash>>,
}

impl Subtrees {
    fn grow(&mut self, hashes: &[[u8; HASH_BYTES]]) {
        let depth = hashes.len().checked_ilog2().map_or(0, |top| top as usize + 1);
        self.levels.iter_mut().for_each(Vec::clear);
        self.levels.resize_with(depth.max(self.levels.len()), Vec::new);
        if let Some(bottom) = self.levels.first_mut() {
            bottom.extend(hashes.iter().map(|hash| Hash(*hash)));
        }
        for level in 1..depth {
            let (below, above) = self.levels.split_at_mut(level);
            let (pairs, _) = below[level - 1].as_chunks();
            above[0].extend(pairs.iter().map(|[left, right]| node_hash(left, right)));
        }
    }

    /// The subtrees that cover the tile, the largest and leftmost first.
    fn complete(&self) -> impl Iterator<Item = Hash> {
        self.levels.iter().rev().filter(|level| level.len() % 2 == 1).filter_map(|level| level.last().copied())
    }

    /// The hash over a full tile.
    fn whole(&self) -> Option<Hash> {
        self.complete().next()
    }

    fn get(&self, wanted: &Wanted) -> Result<Hash, Fault> {
        Ok(self.levels[usize::from(wanted.level)][wanted.slot])
    }
}

/// What is wrong with a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// There are no bytes for it.
    #[error("missing")]
    Missing,
    /// Its bytes are not as many as a tile of its width, or a full one, has.
    #[error("wrong size")]
    WrongSize,
    /// It does not lead up to the root hash. For an edge tile: it, or another edge tile.
    #[error("inconsistent with the tree head")]
    Inconsistent,
    /// The hash was not planned for, or is not in the tree. Not the tile's fault, and never among
    /// [`Authentic::faults`].
    #[error("not planned for")]
    Unplanned,
}

/// A tile that is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{tile}: {kind}")]
pub struct TileFault {
    /// Which one, as wide as it was asked for.
    pub tile: Tile,
    /// What is wrong with it.
    pub kind: FaultKind,
}

/// A place in the list of faults.
type Fault = usize;

#[derive(Default)]
struct Faults(Vec<TileFault>);

impl Faults {
    fn add(&mut self, tile: Tile, kind: FaultKind) -> Fault {
        self.0.push(TileFault { tile, kind });
        self.0.len() - 1
    }
}

/// The stored hashes that a [`Plan`] could authenticate. Made by [`Plan::check`] alone.
#[derive(Debug, Clone)]
pub struct Authentic {
    height: Height,
    faults: Vec<TileFault>,
    /// By stored-hash index.
    answers: Vec<(u64, Result<Hash, Fault>)>,
}

impl Authentic {
    /// The hash with a stored-hash index, proved to be in the tree of the plan's head.
    ///
    /// # Errors
    ///
    /// The fault that keeps it from being proved: of its own tile, or of one above.
    pub fn hash(&self, index: u64) -> Result<Hash, TileFault> {
        match self.answers.binary_search_by_key(&index, |(at, _)| *at) {
            Ok(found) => self.answers[found].1.map_err(|fault| self.faults[fault]),
            Err(_) => Err(TileFault { tile: Tile::for_index(self.height, index), kind: FaultKind::Unplanned }),
        }
    }

    /// The tiles at fault, each once: get these again from another source, and check again. Empty: every hash that was
    /// planned for is proved.
    pub fn faults(&self) -> &[TileFault] {
        &self.faults
    }
}
