//! What a run keeps of a checksum database for later runs, and how it is believed again.
//!
//! A record that was authenticated once is kept with its inclusion path and the head that the path leads to
//! ([`Proof`]); when a newer head is accepted, the consistency proof from the old one to it is kept as well
//! ([`Link`]). A later run verifies one signature, the newest head's, and from there on only hashes: links downwards
//! from that head, then the path of every record. No tile is needed and no network.
//!
//! Security argument: an item is bytes from a disk that anyone may have written, so it carries no trust. A [`Link`]
//! makes its older head known only if its newer head is already known and the RFC 6962 consistency proof between them
//! holds; a [`Proof`] yields its record only if its head is known and the inclusion proof holds. Wrong items are
//! therefore the same as absent ones, and cost a look-up.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::tile::Tile;
use super::tlog::{self, HASH_BYTES, Hash, TreeHead};

/// First line of a kept [`Proof`].
const PROOF_MAGIC: &str = "modanchor-proof/1";
/// First line of a kept [`Link`].
const LINK_MAGIC: &str = "modanchor-link/1";
/// First line of a kept [`Edge`].
const EDGE_MAGIC: &str = "modanchor-edge/1";
/// First line of a kept [`FirstSeen`].
const FIRST_SEEN_MAGIC: &str = "modanchor-first-seen/1";

/// Most hashes that a proof in a log of at most 2^63 records can have: a path has 63, a consistency proof one more.
const MAX_PROOF_HASHES: usize = 64;

/// Cap of one [`Proof`], in bytes: the record text, as much as a look-up answer may have, and its path.
pub(crate) const MAX_PROOF_BYTES: u32 = super::lookup::MAX_BYTES + 64 * 64;
/// Cap of all [`Link`]s of a database together, in bytes: some ten thousand heads.
pub(crate) const MAX_LINKS_BYTES: u32 = 32 << 20;
/// Cap of an [`Edge`], in bytes. Eight levels of tiles of height 8 take 88 kB; past the cap an edge is not kept.
pub(crate) const MAX_EDGE_BYTES: u32 = 1 << 20;
/// Cap of a [`FirstSeen`], in bytes.
pub(crate) const MAX_FIRST_SEEN_BYTES: u32 = 1 << 10;

/// A record, and why it is in the tree of a head.
///
/// The inclusion path stands in the middle as it is, 32 bytes a hash, from the leaf up: base64 would take a warm run as
/// long as checking it.
///
/// ```text
/// modanchor-proof/1
/// 34 71848828 KknkYm4hx0y71VQ4E6FoF3fdumxzXU5QwTwo+kVX+2I=
/// 27
/// (27 × 32 bytes)
/// golang.org/x/text v0.3.0 h1:g61tztE5qeGQ89tm6NTjjM9VPIm088od1l6aSorWRWg=
/// golang.org/x/text v0.3.0/go.mod h1:NqM8EUOU14njkJ3fqMW+pc6Ldnwhi/IjpwHt7yyuwOQ=
/// ```
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Proof<'a> {
    /// The record's number.
    pub(crate) id: u64,
    /// The head that the path leads to.
    pub(crate) head: TreeHead,
    /// The inclusion path, from the leaf up.
    pub(crate) path: Vec<Hash>,
    /// The record.
    pub(crate) text: &'a str,
}

impl<'a> Proof<'a> {
    pub(crate) fn render(&self) -> Vec<u8> {
        let head = render_head(&self.head);
        let mut out = format!("{PROOF_MAGIC}\n{} {head}\n{}\n", self.id, self.path.len()).into_bytes();
        out.extend(self.path.iter().flat_map(|hash| hash.0));
        out.extend_from_slice(self.text.as_bytes());
        out
    }

    /// None for anything that [`Self::render`] does not write.
    pub(crate) fn parse(content: &'a [u8]) -> Option<Self> {
        let (magic, rest) = split_line(content)?;
        let (numbers, rest) = split_line(rest)?;
        let (count, rest) = split_line(rest)?;
        let (id, head) = numbers.split_once(' ')?;
        let count = parse_number(count).filter(|count| *count <= MAX_PROOF_HASHES as u64)? as usize;
        let (path, text) = rest.split_at_checked(count * HASH_BYTES)?;
        let (hashes, _) = path.as_chunks();
        (magic == PROOF_MAGIC).then_some(())?;
        Some(Self {
            id: parse_number(id)?,
            head: parse_head(head)?,
            path: hashes.iter().copied().map(Hash).collect(),
            text: std::str::from_utf8(text).ok()?,
        })
    }

    /// Whether the record is in the tree of its head. Whether that head is to be believed is another question.
    pub(crate) fn holds(&self) -> bool {
        let leaf = tlog::record_hash(self.text.as_bytes());
        tlog::verify_inclusion(&leaf, self.id, &self.head, &self.path).is_ok()
    }
}

/// The proof that the tree of one head is a prefix of the tree of another. Links may stand one after the other.
///
/// ```text
/// modanchor-link/1
/// 71848000 (root of the older tree, base64)
/// 71848828 (root of the newer tree, base64)
/// (one line per hash of the consistency proof)
///
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// The older head.
    pub(crate) older: TreeHead,
    /// The newer head.
    pub(crate) newer: TreeHead,
    /// RFC 6962 consistency proof.
    pub(crate) proof: Vec<Hash>,
}

impl Link {
    pub(crate) fn render(&self) -> Vec<u8> {
        let mut out = format!("{LINK_MAGIC}\n{}\n{}\n", render_head(&self.older), render_head(&self.newer));
        render_hashes(&mut out, &self.proof);
        out.into_bytes()
    }

    /// As many links as can be read; the rest is left alone.
    pub(crate) fn parse_all(content: &[u8]) -> Vec<Self> {
        let mut lines = Lines(std::str::from_utf8(content).unwrap_or_default());
        std::iter::from_fn(|| Self::parse(&mut lines)).collect()
    }

    fn parse(lines: &mut Lines<'_>) -> Option<Self> {
        lines.expect(LINK_MAGIC)?;
        Some(Self { older: parse_head(lines.next()?)?, newer: parse_head(lines.next()?)?, proof: lines.hashes()? })
    }

    /// Whether the older tree is a prefix of the newer one.
    pub(crate) fn holds(&self) -> bool {
        tlog::verify_consistency(&self.older, &self.newer, &self.proof).is_ok()
    }
}

/// Heads that are known to lie on the timeline of the newest accepted one: itself, and all that links lead to it.
#[derive(Debug, Default)]
pub(crate) struct KnownHeads {
    roots: BTreeMap<u64, Hash>,
    /// By the older head's size and root; several runs may have linked the same head to different newer ones.
    links: BTreeMap<(u64, Hash), Vec<Link>>,
}

impl KnownHeads {
    /// Adds links that may or may not hold.
    pub(crate) fn add_links(&mut self, links: Vec<Link>) {
        for link in links {
            if link.older.size < link.newer.size {
                self.links.entry((link.older.size, link.older.root)).or_default().push(link);
            }
        }
    }

    /// Makes a head known: it was authenticated, and reconciled with the others.
    pub(crate) fn insert(&mut self, head: &TreeHead) {
        self.roots.insert(head.size, head.root);
    }

    /// Whether `head` is known, following links upwards from it as far as needed. Each link is checked at most once.
    pub(crate) fn contains(&mut self, head: &TreeHead) -> bool {
        // Depth first from `head` towards newer heads. A link leads strictly upwards, so there are no cycles; what
        // was tried is taken out of `links`, so the work is bounded by their number. A link that does not hold is not
        // followed, so it spoils no other.
        let mut trail: Vec<Link> = Vec::new();
        let mut at = *head;
        loop {
            match self.roots.get(&at.size) {
                Some(root) if *root == at.root => {
                    // Reachable again for later questions through `roots`, so the links themselves may go.
                    trail.iter().for_each(|link| self.insert(&link.older));
                    return true;
                }
                Some(_) => {}
                None => {
                    let links = self.links.get_mut(&(at.size, at.root));
                    let next = links.and_then(|links| std::iter::from_fn(|| links.pop()).find(Link::holds));
                    if let Some(link) = next {
                        at = link.newer;
                        trail.push(link);
                        continue;
                    }
                }
            }
            // A dead end: back to the head before, which may have other links.
            match trail.pop() {
                Some(link) => at = link.older,
                None => return false,
            }
        }
    }
}

/// The tiles at the right edge of the newest accepted head.
///
/// They answer how an older head relates to it when the fork is recent and the server would rather not say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Edge {
    /// Bytes by tile.
    pub(crate) tiles: BTreeMap<Tile, Vec<u8>>,
}

impl Edge {
    pub(crate) fn render(&self) -> Vec<u8> {
        let mut out = format!("{EDGE_MAGIC}\n");
        for (tile, bytes) in &self.tiles {
            let _ = writeln!(out, "{} {}", tile.path(), super::base64_encode(bytes));
        }
        out.into_bytes()
    }

    /// As many tiles as can be read.
    pub(crate) fn parse(content: &[u8]) -> Self {
        let mut lines = Lines(std::str::from_utf8(content).unwrap_or_default());
        let mut tiles = BTreeMap::new();
        if lines.expect(EDGE_MAGIC).is_some() {
            while let Some((path, bytes)) = lines.next().and_then(|line| line.split_once(' ')) {
                if let (Ok(tile), Some(bytes)) = (Tile::parse(path), super::base64_decode(bytes)) {
                    tiles.insert(tile, bytes);
                }
            }
        }
        Self { tiles }
    }
}

/// When a head was first seen, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FirstSeen {
    pub(crate) head: TreeHead,
    pub(crate) seconds: u64,
}

impl FirstSeen {
    pub(crate) fn render(&self) -> Vec<u8> {
        format!("{FIRST_SEEN_MAGIC}\n{}\n{}\n", render_head(&self.head), self.seconds).into_bytes()
    }

    pub(crate) fn parse(content: &[u8]) -> Option<Self> {
        let mut lines = Lines(std::str::from_utf8(content).ok()?);
        lines.expect(FIRST_SEEN_MAGIC)?;
        Some(Self { head: parse_head(lines.next()?)?, seconds: parse_number(lines.next()?)? })
    }
}

fn render_head(head: &TreeHead) -> String {
    format!("{} {}", head.size, head.root)
}

fn parse_head(line: &str) -> Option<TreeHead> {
    let (size, root) = line.split_once(' ')?;
    Some(TreeHead { size: parse_number(size)?, root: root.parse().ok()? })
}

/// A canonical decimal number that fits a tree: at most `i64::MAX`.
fn parse_number(digits: &str) -> Option<u64> {
    let canonical = digits == "0" || (!digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit()));
    let number: u64 = if canonical { digits.parse().ok()? } else { return None };
    i64::try_from(number).ok().map(|_| number)
}

fn render_hashes(out: &mut String, hashes: &[Hash]) {
    for hash in hashes {
        let _ = writeln!(out, "{hash}");
    }
    out.push('\n');
}

/// The first line, without its end, and what comes after it.
fn split_line(content: &[u8]) -> Option<(&str, &[u8])> {
    let end = content.iter().position(|byte| *byte == b'\n')?;
    Some((std::str::from_utf8(&content[..end]).ok()?, &content[end + 1..]))
}

/// The rest of a text, taken line by line. A line that has no end is not a line.
struct Lines<'a>(&'a str);

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (line, rest) = self.0.split_once('\n')?;
        self.0 = rest;
        Some(line)
    }

    fn expect(&mut self, magic: &str) -> Option<()> {
        (self.next()? == magic).then_some(())
    }

    /// Hashes up to an empty line.
    fn hashes(&mut self) -> Option<Vec<Hash>> {
        let mut hashes = Vec::new();
        loop {
            match self.next()? {
                "" => return Some(hashes),
                _ if hashes.len() == MAX_PROOF_HASHES => return None,
                line => hashes.push(line.parse().ok()?),
            }
        }
    }
}
