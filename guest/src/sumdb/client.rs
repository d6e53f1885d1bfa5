//! The checksum database client: from module versions to authenticated record texts.
//!
//! One [`Client`] serves one run. [`Client::answers`] takes module versions by the window and gives each an
//! [`Answer`]. It follows golang.org/x/mod/sumdb's client, with all that can be asked at once asked at once:
//!
//! 1. **recall** what earlier runs kept; a record with a proof that leads to a head on the timeline is settled;
//! 2. **look up** the others: each answer is a record and a signed head. Each distinct head's signature is checked once;
//! 3. **prove**, with one plan of tiles under the newest head: that every other head that was seen, the accepted one
//!    of earlier runs first, is a prefix of the newest, and that every record is where its answer says it is;
//! 4. **advance** the newest accepted head, by compare and swap, so that no run forgets what another has seen.
//!
//! # Security argument
//!
//! * A head counts only as [`AuthenticHead`], which the database's key alone can make.
//! * All heads of a run, of the run before, of the go command and of the configuration must lie on one timeline. Two
//!   that do not are a [`Fork`], which ends the run and is kept as evidence.
//! * A record counts only if its hash is in the tree of the newest head, at the place its answer names. The hash comes
//!   out of [`Authentic`], which gives out none that does not lead to the root (see [`super::tile`] for why the right
//!   edge needs care, CVE-2026-56865).
//! * What is read out of an answer afterwards is the record text alone, never the note (CVE-2026-56864), and a record
//!   without a line for the module is no answer (CVE-2026-42501); both are [`super::lookup`]'s.
//! * Caches hold bytes. Where cached bytes turn out to be bad, the server is asked once before anything is said.

use std::collections::{BTreeMap, BTreeSet};

use super::evidence::Fork;
use super::kept::{self, Edge, FirstSeen, KnownHeads, Link, Proof};
use super::lookup::{self, LookupAnswer, lines_for};
use super::note::{NoteError, Verifier};
use super::tile::{Authentic, FaultKind, Height, Plan, Tile};
use super::tlog::{self, AuthenticHead, Hash, HeadError, ProofShape, TreeHead};
use crate::contract::{Advance, Body, Failure, Item, Kept, KeptItem, Origin, Phase, Recall, Request, Source, SumdbGet};
use crate::exchange::Exchange;
use crate::module::ModuleVersion;
use crate::report::Floor;
use crate::sort::set;

/// Cap of a signed tree head, in bytes: what a host can keep as `latest`. A note with a hundred signatures has some
/// 15 kB. Anybody can add signature lines to a note; without this cap a proxy could make every head too large to keep.
const MAX_HEAD_BYTES: u32 = 64 << 10;
/// Which kept head, in words.
const LATEST: &str = "the newest tree head that modanchor keeps";
const GO_LATEST: &str = "the newest tree head that the go command keeps";
/// How many module versions are settled together. It bounds the memory that tiles take.
pub(crate) const WINDOW: usize = 1024;
/// How often a run tries again to move the newest head when other runs move it at the same time.
const MAX_ADVANCES: usize = 8;

/// What is known of one module version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Its record, authenticated.
    Record(Record),
    /// The database says that it has none. Signed by nobody.
    Unknown,
    /// No answer that could be verified, and nothing that speaks of an attack.
    Unchecked(Unchecked),
    /// An answer that must not be believed.
    Unbelievable(Unbelievable),
}

/// An authenticated record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Its number in the log.
    pub(crate) id: u64,
    /// Its text: go.sum lines.
    pub(crate) text: String,
}

/// Why something could not be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unchecked {
    /// The record could not be had.
    Lookup(Failure),
    /// The record was had, and a tile that is needed to prove it was not.
    Tile(Failure),
    /// The newest tree cannot be compared with what was seen before, for want of a tile.
    Timeline(Failure),
    /// The answer to the look-up is not a record.
    NotARecord,
    /// An earlier stop: a fork, or a kept head that does not verify.
    Stopped,
    /// Nothing answered for a whole window, so the rest was not asked.
    GaveUp(Failure),
}

/// Why an answer must not be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unbelievable {
    /// The head that came with it is not signed by the database.
    Signature(String),
    /// A proof does not hold.
    Proof(String),
}

/// What ends all asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Two signed heads that cannot both be true.
    Fork(Box<Fork>),
    /// A kept head that is there and does not verify; Go stops as well.
    BadHead {
        /// Which one, in words.
        which: &'static str,
        /// What is wrong with it.
        error: String,
    },
}

/// The database to ask.
#[derive(Debug)]
pub(crate) struct Database {
    /// Its key and name.
    pub(crate) verifier: Verifier,
    /// Height of its tiles.
    pub(crate) tile_height: Height,
    /// A head that must lie on the timeline.
    pub(crate) pinned: Option<AuthenticHead>,
    /// Whether the age of the newest head matters.
    pub(crate) wants_age: bool,
    /// The job's `now`, in seconds.
    pub(crate) now: u64,
}

/// The client of one run.
pub(crate) struct Client<'a> {
    database: &'a Database,
    exchange: Exchange,
    recalled: bool,
    /// What is in the store as `latest`, as far as we know.
    stored: Option<Vec<u8>>,
    /// The newest head on which all else stands.
    accepted: Option<AuthenticHead>,
    known: KnownHeads,
    edge: Edge,
    /// The heads of the go command and of the configuration, until they have been reconciled.
    foreign: Vec<AuthenticHead>,
    /// Why a head that was seen cannot be put on the timeline. Nothing is believed from then on.
    obstacle: Option<Answer>,
    first_seen: Option<FirstSeen>,
    floor: Floor,
    requests: u64,
}

/// A look-up's answer, on its way to being proven.
struct Candidate {
    /// Which module of the window.
    position: usize,
    id: u64,
    text: String,
    /// The head that came with it.
    head: TreeHead,
    origin: Origin,
}

/// Tiles under one head, as far as they could be had.
struct Tiles {
    authentic: Authentic,
    /// Why a tile is missing.
    failures: BTreeMap<Tile, Failure>,
    /// Bytes of the tiles that were had.
    bytes: BTreeMap<Tile, (Vec<u8>, Origin)>,
}

/// Why a hash could not be had from [`Tiles`].
enum NoHash {
    Failed(Failure),
    Inconsistent(Tile),
    /// Two heads disagree, and the proof of it does not hold: cannot be with an authentic tree.
    NoFork(String),
}

impl NoHash {
    fn answer(self) -> Answer {
        match self {
            Self::Failed(failure) => Answer::Unchecked(Unchecked::Tile(failure)),
            Self::Inconsistent(tile) => {
                Answer::Unbelievable(Unbelievable::Proof(format!("{} does not belong to the signed tree", tile.path())))
            }
            Self::NoFork(error) => Answer::Unbelievable(Unbelievable::Proof(error)),
        }
    }

    /// What to answer where it was about the timeline.
    fn obstacle(self) -> Answer {
        match self {
            Self::Failed(failure) => Answer::Unchecked(Unchecked::Timeline(failure)),
            other => other.answer(),
        }
    }
}

/// How an older head relates to a newer one.
enum Prefix {
    /// It lies on the newer one's timeline.
    Yes,
    /// It does not.
    Fork,
    /// It cannot be said.
    Unclear(NoHash),
}

impl Tiles {
    fn hash(&self, index: u64) -> Result<Hash, NoHash> {
        self.authentic.hash(index).map_err(|fault| match fault.kind {
            FaultKind::Missing => NoHash::Failed(*self.failures.get(&fault.tile).unwrap_or(&Failure::Absent)),
            FaultKind::WrongSize | FaultKind::Inconsistent | FaultKind::Unplanned => NoHash::Inconsistent(fault.tile),
        })
    }

    /// The root of the first `size` records of the tree that these tiles belong to.
    fn prefix(&self, size: u64) -> Result<Hash, NoHash> {
        let root = ProofShape::tree(size).assemble(|index| self.hash(index))?;
        Ok(root.first().copied().unwrap_or(Hash::EMPTY_ROOT))
    }

    /// Whether the tree of `older` is a prefix of the tree that these tiles belong to.
    fn relate(&self, older: &TreeHead) -> Prefix {
        match self.prefix(older.size) {
            Ok(root) if root == older.root => Prefix::Yes,
            Ok(_) => Prefix::Fork,
            Err(why) => Prefix::Unclear(why),
        }
    }

    /// The consistency proof from `older` to `newer`, to whose tree these tiles belong; none from an empty tree.
    fn consistency(&self, older: &TreeHead, newer: &TreeHead) -> Option<Vec<Hash>> {
        let shape = ProofShape::consistency(older.size, newer.size).ok()?;
        shape.assemble(|index| self.hash(index)).ok()
    }

    /// The fork that the two heads are; these tiles belong to the tree of `newer`.
    fn fork(&self, older: &AuthenticHead, newer: &AuthenticHead) -> Result<Stop, NoHash> {
        let prefix = self.prefix(older.head().size)?;
        let proof = match ProofShape::consistency(older.head().size, newer.head().size) {
            Ok(shape) => shape.assemble(|index| self.hash(index))?,
            // Every tree begins with the empty one.
            Err(_) => Vec::new(),
        };
        let fork = Fork::prove(older.clone(), newer.clone(), prefix, proof);
        fork.map(|fork| Stop::Fork(Box::new(fork))).map_err(|error| NoHash::NoFork(error.to_string()))
    }

    /// The link from `older` to `newer`, once they are related.
    fn link(&self, older: &TreeHead, newer: &TreeHead) -> Option<Link> {
        let proof = self.consistency(older, newer)?;
        Some(Link { older: *older, newer: *newer, proof })
    }

    /// The tiles at the right edge: those that are not full.
    fn edge(&self) -> Edge {
        let edge = self.bytes.iter().filter(|(tile, _)| !tile.is_full());
        Edge { tiles: edge.map(|(tile, (bytes, _))| (*tile, bytes.clone())).collect() }
    }

    /// Whether the right edge is authentic, so that the head's tree has been shown and not only claimed.
    fn shows_edge(&self) -> bool {
        self.authentic.faults().iter().all(|fault| fault.tile.is_full())
    }
}

impl<'a> Client<'a> {
    pub(crate) fn new(database: &'a Database, exchange: Exchange) -> Self {
        Self {
            database,
            exchange,
            recalled: false,
            stored: None,
            accepted: None,
            known: KnownHeads::default(),
            edge: Edge::default(),
            foreign: Vec::new(),
            obstacle: None,
            first_seen: None,
            floor: Floor::None,
            requests: 0,
        }
    }

    /// The newest head on which every answer stands.
    pub(crate) fn accepted(&self) -> Option<&AuthenticHead> {
        self.accepted.as_ref()
    }

    /// Which memory there was when the run began.
    pub(crate) fn floor(&self) -> Floor {
        self.floor
    }

    /// How many requests for records and tiles went out.
    pub(crate) fn requests(&self) -> u64 {
        self.requests
    }

    /// When the accepted head was first seen, in seconds, as far as this machine remembers.
    pub(crate) fn first_seen(&self) -> Option<u64> {
        let head = self.accepted.as_ref()?.head();
        self.first_seen.filter(|seen| seen.head == *head).map(|seen| seen.seconds)
    }

    fn name(&self) -> String {
        self.database.verifier.name().to_owned()
    }

    /// Settles one window of at most [`WINDOW`] modules: one answer for each, in order.
    pub(crate) async fn answers(&mut self, modules: &[&ModuleVersion]) -> Result<Vec<Answer>, Stop> {
        let mut answers = self.recall(modules).await?;
        let mut source = Source::Any;
        loop {
            let open: Vec<usize> = (0..modules.len()).filter(|position| answers[*position].is_none()).collect();
            if open.is_empty() {
                break;
            }
            let from_cache = self.prove(modules, &open, source, &mut answers).await?;
            // What a cache spoilt is asked of the server, once.
            if source == Source::Remote || from_cache.is_empty() {
                break;
            }
            for position in from_cache {
                answers[position] = None;
            }
            source = Source::Remote;
        }
        if answers.iter().flatten().any(|answer| matches!(answer, Answer::Record(_))) {
            self.reconcile_foreign().await?;
        }
        if let Some(obstacle) = &self.obstacle {
            let records = answers.iter_mut().flatten().filter(|answer| matches!(answer, Answer::Record(_)));
            records.for_each(|answer| *answer = obstacle.clone());
        }
        Ok(answers.into_iter().map(|answer| answer.unwrap_or(Answer::Unchecked(Unchecked::NotARecord))).collect())
    }

    /// Reconciles the heads of the go command and of the configuration where no look-up has led to it: what earlier runs
    /// kept may be all that is needed, and still has to stand on the same timeline as they do.
    async fn reconcile_foreign(&mut self) -> Result<(), Stop> {
        let known = &mut self.known;
        self.foreign.retain(|head| !known.contains(head.head()));
        if self.foreign.is_empty() || self.obstacle.is_some() {
            return Ok(());
        }
        let mut proven = self.reconcile(&[], &[]).await?;
        if proven.is_shown() {
            self.adopt(&mut proven);
            return self.advance().await;
        }
        self.obstacle = proven.obstacle;
        Ok(())
    }

    /// Reads what earlier runs kept, and settles what can be settled with it.
    async fn recall(&mut self, modules: &[&ModuleVersion]) -> Result<Vec<Option<Answer>>, Stop> {
        let mut requests: Vec<Request> = modules
            .iter()
            .map(|module| self.recall_request(Item::Proof(module.escaped()), kept::MAX_PROOF_BYTES))
            .collect();
        let first = !self.recalled;
        if first {
            self.recalled = true;
            requests.extend([
                self.recall_request(Item::Latest, MAX_HEAD_BYTES),
                self.recall_request(Item::GoLatest, MAX_HEAD_BYTES),
                self.recall_request(Item::Links, kept::MAX_LINKS_BYTES),
                self.recall_request(Item::Edge, kept::MAX_EDGE_BYTES),
            ]);
            if self.database.wants_age {
                requests.push(self.recall_request(Item::FirstSeen, kept::MAX_FIRST_SEEN_BYTES));
            }
        }
        let mut answers = self.exchange.ask(requests).await;
        if first {
            let state = answers.split_off(modules.len());
            self.recall_state(state)?;
        }
        let settled = answers.into_iter().zip(modules);
        Ok(settled.map(|(answer, module)| self.settle(module, &answer.ok()?.content)).collect())
    }

    fn recall_request(&self, item: Item, max_bytes: u32) -> Request {
        Request::Recall(Recall { database: self.name(), item, max_bytes })
    }

    /// Takes the heads, links and edge of earlier runs.
    fn recall_state(&mut self, answers: Vec<Result<Body, Failure>>) -> Result<(), Stop> {
        // A head that is there and too large is no head; to go on as if there were none would be to forget it.
        for (answer, which) in answers.iter().zip([LATEST, GO_LATEST]) {
            if matches!(answer, Err(Failure::TooLarge)) {
                return Err(Stop::BadHead { which, error: format!("more than {MAX_HEAD_BYTES} bytes") });
            }
        }
        let mut contents = answers.into_iter().map(|answer| answer.ok().map(|body| body.content));
        let mut next = || contents.next().flatten();
        let (latest, go_latest, links, edge, first_seen) = (next(), next(), next(), next(), next());

        // An empty file is an empty tree, as in Go.
        if let Some(bytes) = latest.as_deref().filter(|bytes| !bytes.is_empty()) {
            let head = self.open_kept(bytes, LATEST)?;
            self.known.insert(head.head());
            self.floor = Floor::Cached;
            self.accepted = Some(head);
        }
        self.stored = latest;
        if let Some(bytes) = go_latest.filter(|bytes| !bytes.is_empty()) {
            let head = self.open_kept(&bytes, GO_LATEST)?;
            self.floor = Floor::Cached;
            self.foreign.push(head);
        }
        if let Some(pinned) = &self.database.pinned {
            self.floor = Floor::Pinned;
            self.foreign.push(pinned.clone());
        }
        self.known.add_links(Link::parse_all(&links.unwrap_or_default()));
        self.edge = Edge::parse(&edge.unwrap_or_default());
        self.first_seen = first_seen.and_then(|content| FirstSeen::parse(&content));
        // Memory of this head that was lost begins again: else its age could never be told.
        if self.database.wants_age && self.first_seen().is_none() {
            self.see_accepted();
        }
        Ok(())
    }

    fn open_kept(&self, bytes: &[u8], which: &'static str) -> Result<AuthenticHead, Stop> {
        AuthenticHead::open(bytes, &self.database.verifier)
            .map_err(|error| Stop::BadHead { which, error: error.to_string() })
    }

    /// The record of a kept proof, if it leads to the timeline and speaks of the module.
    fn settle(&mut self, module: &ModuleVersion, content: &[u8]) -> Option<Answer> {
        let proof = Proof::parse(content)?;
        (speaks_of(proof.text, module) && self.known.contains(&proof.head) && proof.holds())
            .then(|| Answer::Record(Record { id: proof.id, text: proof.text.to_owned() }))
    }

    /// Looks up the modules at `open`, proves what comes back, and answers them.
    ///
    /// Gives back the positions whose answer was spoilt by something that came from a cache.
    async fn prove(
        &mut self,
        modules: &[&ModuleVersion],
        open: &[usize],
        source: Source,
        answers: &mut [Option<Answer>],
    ) -> Result<Vec<usize>, Stop> {
        self.exchange.set_phase(Phase::LookingUp);
        let mut spoilt = Vec::new();
        let mut candidates = Vec::new();
        let mut seen: BTreeMap<Vec<u8>, Result<AuthenticHead, HeadError>> = BTreeMap::new();

        let bodies = self.look_up(modules, open, source).await;
        for (position, body) in open.iter().copied().zip(bodies) {
            let body = match body {
                Ok(body) => body,
                Err(Failure::Absent) => {
                    answers[position] = Some(Answer::Unknown);
                    continue;
                }
                Err(failure) => {
                    answers[position] = Some(Answer::Unchecked(Unchecked::Lookup(failure)));
                    continue;
                }
            };
            match self.open_answer(position, &body, &mut seen) {
                Ok(candidate) => candidates.push(candidate),
                Err(answer) => {
                    answers[position] = Some(answer);
                    if body.origin != Origin::Remote {
                        spoilt.push(position);
                    }
                }
            }
        }
        if candidates.is_empty() {
            return Ok(spoilt);
        }

        self.exchange.set_phase(Phase::Proving);
        let heads: Vec<AuthenticHead> = seen.into_values().filter_map(Result::ok).collect();
        let mut proven = self.reconcile(&heads, &candidates).await?;
        for candidate in candidates {
            let (position, origin) = (candidate.position, candidate.origin);
            let answer = proven.check(&candidate);
            let is_bad = match &answer {
                Answer::Record(record) if speaks_of(&record.text, modules[position]) => {
                    self.keep_proof(modules[position], record, &proven);
                    false
                }
                Answer::Record(_) | Answer::Unbelievable(_) => true,
                Answer::Unknown | Answer::Unchecked(_) => false,
            };
            if is_bad && origin != Origin::Remote {
                spoilt.push(position);
            }
            answers[position] = Some(answer);
        }
        if proven.is_shown() {
            self.adopt(&mut proven);
            self.advance().await?;
        }
        Ok(spoilt)
    }

    async fn look_up(
        &mut self,
        modules: &[&ModuleVersion],
        open: &[usize],
        source: Source,
    ) -> Vec<Result<Body, Failure>> {
        let requests = open
            .iter()
            .map(|position| {
                let path = format!("lookup/{}", modules[*position].escaped());
                self.get(path, lookup::MAX_BYTES, source)
            })
            .collect();
        self.ask_database(requests).await
    }

    fn get(&self, path: String, max_bytes: u32, source: Source) -> Request {
        Request::Sumdb(SumdbGet { database: self.name(), path, max_bytes, source })
    }

    async fn ask_database(&mut self, requests: Vec<Request>) -> Vec<Result<Body, Failure>> {
        self.requests += requests.len() as u64;
        self.exchange.ask(requests).await
    }

    /// Takes a look-up's answer apart, and opens the head that came with it.
    fn open_answer(
        &self,
        position: usize,
        body: &Body,
        seen: &mut BTreeMap<Vec<u8>, Result<AuthenticHead, HeadError>>,
    ) -> Result<Candidate, Answer> {
        let answer = LookupAnswer::parse(&body.content).map_err(|_| Answer::Unchecked(Unchecked::NotARecord))?;
        if answer.note.len() > MAX_HEAD_BYTES as usize {
            return Err(Answer::Unchecked(Unchecked::NotARecord));
        }
        if !seen.contains_key(answer.note) {
            let head = AuthenticHead::open(answer.note, &self.database.verifier);
            seen.insert(answer.note.to_vec(), head);
        }
        let head = match &seen[answer.note] {
            Ok(head) => *head.head(),
            Err(HeadError::Note(NoteError::Malformed)) => {
                return Err(Answer::Unchecked(Unchecked::NotARecord));
            }
            Err(error) => {
                return Err(Answer::Unbelievable(Unbelievable::Signature(error.to_string())));
            }
        };
        if answer.id >= head.size {
            return Err(Answer::Unbelievable(Unbelievable::Proof(format!(
                "cannot validate record {} in tree of size {}",
                answer.id, head.size
            ))));
        }
        Ok(Candidate { position, id: answer.id, text: answer.text.to_owned(), head, origin: body.origin })
    }

    /// Puts every head on one timeline and gets the tiles that the candidates need.
    ///
    /// The floors are the accepted head of earlier runs, the go command's and the configuration's. Where one of them
    /// cannot be shown to lie on the newest head's timeline, nothing that stands on that head is believed: a server
    /// that is merely behind looks the same as one that hides a fork.
    async fn reconcile(&mut self, heads: &[AuthenticHead], candidates: &[Candidate]) -> Result<Proven, Stop> {
        let floors = self.accepted.iter().chain(&self.foreign);
        let all: Vec<&AuthenticHead> = floors.chain(heads).collect();
        // The first of the largest: the accepted head, where it is one of them. There is one: every candidate
        // comes with a head, and without candidates this is called for the sake of a foreign one.
        let mut newest = all[0];
        for head in &all {
            if head.head().size > newest.head().size {
                newest = head;
            }
        }
        let newest = newest.clone();
        let size = newest.head().size;

        // Heads that have to be shown to lie on the timeline; each once, however many answers came with it.
        let mut older: Vec<&AuthenticHead> = Vec::new();
        for head in all {
            let on_it = head.head() == newest.head() || self.known.contains(head.head());
            let is_floor = self.accepted.as_ref().is_some_and(|floor| floor.head() == head.head());
            let twice = older.iter().any(|other| other.head() == head.head());
            if let Some(fork) = same_size_fork(head, &newest) {
                return Err(Stop::Fork(Box::new(fork)));
            }
            if !twice && (!on_it || is_floor && head.head() != newest.head()) {
                older.push(head);
            }
        }
        let floors: Vec<TreeHead> = self.accepted.iter().chain(&self.foreign).map(|head| *head.head()).collect();

        let mut indexes: BTreeSet<u64> = BTreeSet::new();
        for candidate in candidates {
            indexes.insert(tlog::stored_hash_index(0, candidate.id));
            indexes.extend(ProofShape::inclusion(candidate.id, size).iter().flat_map(ProofShape::indexes));
        }
        for head in &older {
            indexes.extend(ProofShape::tree(head.head().size).indexes());
            if floors.contains(head.head()) {
                indexes.extend(consistency_indexes(head.head(), newest.head()));
            }
        }
        let older: Vec<AuthenticHead> = older.into_iter().cloned().collect();
        let tiles = self.read(newest.head(), indexes).await;

        let mut proven = Proven { newest, tiles, obstacle: None, off: BTreeMap::new(), links: Vec::new() };
        for head in &older {
            let is_floor = floors.contains(head.head());
            match proven.tiles.relate(head.head()) {
                Prefix::Yes if is_floor => proven.link(head.head()),
                Prefix::Yes => {}
                Prefix::Fork => match self.fork(head, &proven.newest, &proven.tiles).await {
                    Ok(stop) => return Err(stop),
                    Err(why) => proven.obstacle = Some(why.obstacle()),
                },
                Prefix::Unclear(why) if is_floor => proven.obstacle = Some(why.obstacle()),
                Prefix::Unclear(why) => {
                    proven.off.insert((head.head().size, head.head().root), why.obstacle());
                }
            }
        }
        if proven.obstacle.is_none() {
            for head in &older {
                if !proven.off.contains_key(&(head.head().size, head.head().root)) {
                    self.known.insert(head.head());
                }
            }
        }
        Ok(proven)
    }

    /// The fork that two heads are, with the proof that the newer tree does not begin with the older one. Of `tiles`
    /// under the newer head if they suffice: a server that has shown a fork may not show it again.
    async fn fork(&mut self, older: &AuthenticHead, newer: &AuthenticHead, tiles: &Tiles) -> Result<Stop, NoHash> {
        if let Ok(stop) = tiles.fork(older, newer) {
            return Ok(stop);
        }
        let mut indexes = consistency_indexes(older.head(), newer.head());
        indexes.extend(ProofShape::tree(older.head().size).indexes());
        self.read(newer.head(), indexes).await.fork(older, newer)
    }

    /// Gets the tiles under `head` that authenticate the stored hashes at `indexes`.
    ///
    /// A partial tile that is gone is cut from the full one; a tile that a cache spoilt is asked of the server.
    async fn read(&mut self, head: &TreeHead, indexes: BTreeSet<u64>) -> Tiles {
        let plan = Plan::new(head, self.database.tile_height, indexes);
        let mut bytes: BTreeMap<Tile, (Vec<u8>, Origin)> = BTreeMap::new();
        let mut failures = BTreeMap::new();
        let mut want: Vec<(Tile, Attempt)> = Vec::new();
        for tile in plan.tiles() {
            match self.edge.tiles.get(tile) {
                Some(kept) => {
                    bytes.insert(*tile, (kept.clone(), Origin::Store));
                }
                None => want.push((*tile, Attempt::FIRST)),
            }
        }
        loop {
            while !want.is_empty() {
                want = self.read_round(want, &mut bytes, &mut failures).await;
            }
            let authentic = plan.check(|tile| bytes.get(tile).map(|(bytes, _)| bytes.as_slice()));
            for fault in authentic.faults() {
                let cached = bytes.get(&fault.tile).is_some_and(|(_, origin)| *origin != Origin::Remote);
                if fault.kind != FaultKind::Missing && cached {
                    bytes.remove(&fault.tile);
                    want.push((fault.tile, Attempt::REMOTE));
                }
            }
            if want.is_empty() {
                return Tiles { authentic, failures, bytes };
            }
        }
    }

    /// Asks for each tile in the way it is to be tried next; gives back what is to be tried again.
    async fn read_round(
        &mut self,
        want: Vec<(Tile, Attempt)>,
        bytes: &mut BTreeMap<Tile, (Vec<u8>, Origin)>,
        failures: &mut BTreeMap<Tile, Failure>,
    ) -> Vec<(Tile, Attempt)> {
        let requests = want
            .iter()
            .map(|(tile, attempt)| {
                let asked = if attempt.full { tile.full() } else { *tile };
                self.get(asked.path(), asked.max_bytes(), attempt.source)
            })
            .collect();
        let answers = self.ask_database(requests).await;
        let mut again = Vec::new();
        for ((tile, attempt), answer) in want.into_iter().zip(answers) {
            match answer {
                Ok(mut body) => {
                    if attempt.full && body.content.len() as u64 == tile.full().byte_len() {
                        body.content.truncate(tile.byte_len() as usize);
                    }
                    // What was asked of the server is not asked again, wherever the host says it came from.
                    let is_remote = attempt.source == Source::Remote;
                    let origin = if is_remote { Origin::Remote } else { body.origin };
                    bytes.insert(tile, (body.content, origin));
                }
                Err(Failure::Absent) if !attempt.full && !tile.is_full() => {
                    again.push((tile, Attempt { full: true, ..attempt }));
                }
                Err(failure) => {
                    failures.insert(tile, failure);
                }
            }
        }
        again
    }

    /// Allows the record's proof to be kept.
    fn keep_proof(&self, module: &ModuleVersion, record: &Record, proven: &Proven) {
        let head = *proven.newest.head();
        let shape = ProofShape::inclusion(record.id, head.size).ok();
        if let Some(Ok(path)) = shape.map(|shape| shape.assemble(|index| proven.tiles.hash(index))) {
            let proof = Proof { id: record.id, head, path, text: &record.text };
            self.keep(Item::Proof(module.escaped()), proof.render());
        }
    }

    fn keep(&self, item: Item, content: Vec<u8>) {
        self.exchange.keep(Kept::Item(KeptItem { database: self.name(), item, content }));
    }

    fn keep_link(&mut self, link: Link) {
        let item = Item::Link((link.older.size, link.newer.size));
        self.keep(item, link.render());
        self.known.insert(&link.older);
    }

    /// Makes the newest head of a window the one on which all else stands.
    fn adopt(&mut self, proven: &mut Proven) {
        for link in std::mem::take(&mut proven.links) {
            self.keep_link(link);
        }
        self.foreign.clear();
        self.accept(proven.newest.clone(), &proven.tiles);
    }

    fn accept(&mut self, head: AuthenticHead, tiles: &Tiles) {
        let accepted = self.accepted.as_ref().map(AuthenticHead::head);
        if accepted == Some(head.head()) {
            return;
        }
        self.edge = tiles.edge();
        self.known.insert(head.head());
        let edge = self.edge.render();
        if edge.len() <= kept::MAX_EDGE_BYTES as usize {
            self.keep(Item::Edge, edge);
        }
        self.accepted = Some(head);
        self.see_accepted();
    }

    /// Keeps that the accepted head was first seen now.
    fn see_accepted(&mut self) {
        if let Some(accepted) = &self.accepted {
            let first_seen = FirstSeen { head: *accepted.head(), seconds: self.database.now };
            self.keep(Item::FirstSeen, first_seen.render());
            self.first_seen = Some(first_seen);
        }
    }

    /// Makes the accepted head the newest one in the store, and reconciles it with what another run has put there.
    async fn advance(&mut self) -> Result<(), Stop> {
        for _ in 0..MAX_ADVANCES {
            let Some(accepted) = self.accepted.clone() else {
                return Ok(());
            };
            if self.stored.as_deref() == Some(accepted.message()) {
                return Ok(());
            }
            let request = Request::Advance(Advance {
                database: self.name(),
                previous: self.stored.clone(),
                next: accepted.message().to_vec(),
            });
            // Nowhere to keep it: then the next run begins where this one began.
            let Some(Ok(body)) = self.exchange.ask(vec![request]).await.pop() else {
                return Ok(());
            };
            if body.content == accepted.message() {
                self.stored = Some(body.content);
                return Ok(());
            }
            let other = if body.content.is_empty() { None } else { Some(self.open_kept(&body.content, LATEST)?) };
            self.stored = Some(body.content);
            if let Some(other) = other
                && !self.join(accepted, other).await?
            {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Puts the accepted head and that of another run on one timeline; says whether ours is still to be stored.
    async fn join(&mut self, ours: AuthenticHead, other: AuthenticHead) -> Result<bool, Stop> {
        if ours.head() == other.head() {
            return Ok(false);
        }
        let other_is_newer = other.head().size > ours.head().size;
        let (older, newer) = if other_is_newer { (ours, other) } else { (other, ours) };
        if let Some(fork) = same_size_fork(&older, &newer) {
            return Err(Stop::Fork(Box::new(fork)));
        }
        let mut indexes = consistency_indexes(older.head(), newer.head());
        indexes.extend(ProofShape::tree(older.head().size).indexes());
        let tiles = self.read(newer.head(), indexes).await;
        match tiles.relate(older.head()) {
            Prefix::Yes => {}
            Prefix::Fork => match self.fork(&older, &newer, &tiles).await {
                Ok(stop) => return Err(stop),
                Err(why) => {
                    self.obstacle = Some(why.obstacle());
                    return Ok(false);
                }
            },
            // The other run keeps its own word, and this one cannot tell which of the two was shown a fork.
            Prefix::Unclear(why) => {
                self.obstacle = Some(why.obstacle());
                return Ok(false);
            }
        }
        if let Some(link) = tiles.link(older.head(), newer.head()) {
            self.keep_link(link);
        }
        if other_is_newer {
            self.accept(newer, &tiles);
        }
        Ok(!other_is_newer)
    }
}

/// What one window has shown.
struct Proven {
    newest: AuthenticHead,
    tiles: Tiles,
    /// Why the newest head cannot be accepted: a floor that cannot be shown to lie on its timeline.
    obstacle: Option<Answer>,
    /// Heads that cannot be shown to lie on the timeline, by size and root.
    off: BTreeMap<(u64, Hash), Answer>,
    /// From floors to the newest head.
    links: Vec<Link>,
}

impl Proven {
    /// Answers a candidate.
    fn check(&self, candidate: &Candidate) -> Answer {
        if let Some(obstacle) = &self.obstacle {
            return obstacle.clone();
        }
        if let Some(answer) = self.off.get(&(candidate.head.size, candidate.head.root)) {
            return answer.clone();
        }
        let leaf = tlog::record_hash(candidate.text.as_bytes());
        match self.tiles.hash(tlog::stored_hash_index(0, candidate.id)) {
            Ok(hash) if hash == leaf => Answer::Record(Record { id: candidate.id, text: candidate.text.clone() }),
            Ok(_) => Answer::Unbelievable(Unbelievable::Proof(format!(
                "record {} in the log is not the record of the answer",
                candidate.id
            ))),
            Err(why) => why.answer(),
        }
    }

    /// Whether the newest head may be accepted: every floor lies on its timeline, and its right edge was shown.
    fn is_shown(&self) -> bool {
        self.obstacle.is_none() && self.tiles.shows_edge()
    }

    fn link(&mut self, older: &TreeHead) {
        self.links.extend(self.tiles.link(older, self.newest.head()));
    }
}

/// Whether a record has a line for the module. One that has none is no answer, though it may be authentic: whoever put
/// it into a cache under the module's name must not be able to accuse the database, nor to keep it from being asked.
fn speaks_of(record: &str, module: &ModuleVersion) -> bool {
    let lines = lines_for(record, module.path(), module.version());
    lines.zip().is_ok() || lines.go_mod().is_ok()
}

/// The fork that two heads of the same size and with different roots are. No tile is needed to see it.
fn same_size_fork(a: &AuthenticHead, b: &AuthenticHead) -> Option<Fork> {
    let same_size = a.head().size == b.head().size && a.head().root != b.head().root;
    same_size.then(|| Fork::prove(a.clone(), b.clone(), b.head().root, Vec::new()).ok())?
}

/// What the consistency proof from `older` to `newer` is made of; nothing from an empty tree.
fn consistency_indexes(older: &TreeHead, newer: &TreeHead) -> BTreeSet<u64> {
    let shape = ProofShape::consistency(older.size, newer.size);
    set(shape.iter().flat_map(ProofShape::indexes))
}

/// How a tile is asked for.
#[derive(Clone, Copy)]
struct Attempt {
    source: Source,
    /// The full tile in place of the partial one.
    full: bool,
}

impl Attempt {
    const FIRST: Self = Self { source: Source::Any, full: false };
    const REMOTE: Self = Self { source: Source::Remote, full: false };
}
