//! The TUF client's workflow (specification 1.0.34, section 5), over sigstore-tuf's state machine and our own walk of
//! delegations.
//!
//! # Security argument
//!
//! - Nothing that comes in is believed. Bytes are first parsed strictly ([`Signed::parse`]); then
//!   [`TrustedMetadataSet`] checks signatures, versions and digests of the four top-level roles; this module adds what it
//!   leaves out (a floor under snapshot that survives a refresh which broke off, expiry to the very second).
//! - What an earlier run kept is no different: it is verified again, from the root that the job trusts, and where it
//!   does not verify it is as if it was not there. An expired file authorises nothing, but is still a floor against rollback.
//! - A role is trusted by an edge, not by its name: what its delegator says of keys and threshold is checked on each way
//!   on which it is reached, also when its bytes are here already.
//! - One instant, the job's, decides about expiry in the whole run.
//! - An [`Approval`] is only made by a walk that began at a fresh, verified top-level targets role.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use futures_util::FutureExt as _;
use futures_util::future::Shared;
use sha2::{Digest, Sha256, Sha512};
use sigstore_tuf::TrustedMetadataSet;

use super::crypto;
use super::delegation::Edge;
use super::metadata::{
    Delegations, Expires, MetaFile, ROLE_FIELD, Role, Root, Signed, Snapshot, TargetMeta, Targets, Timestamp,
};
use crate::contract::{
    Body, Failure, Kept, KeptMetadata, KeptTarget, MetadataGet, MetadataRecall, Request, TargetFile, TargetGet,
};
use crate::exchange::Exchange;
use crate::hex;
use crate::report::Floor;
use crate::sort::set;

/// How many roots one refresh fetches (section 5.3.3); the next goes on behind them, since what is kept does not count.
pub const MAX_ROOT_ROTATIONS: u64 = 256;
/// How many roles one walk looks into, as in python-tuf.
pub const MAX_ROLES: usize = 32;
/// The largest target, in bytes: a module's zip is at most 500 MB (golang.org/x/mod/zip.MaxZipFile).
pub const MAX_TARGET: u64 = 500 << 20;

/// Before any expiry: for what is kept from earlier runs, which is a floor even when it has expired.
const EARLIEST: jiff::Timestamp = jiff::Timestamp::MIN;

/// Why a repository says nothing. The texts fit behind its name: `corp: timestamp.json could not be had`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TufError {
    /// It could not be had.
    #[error("{file} could not be had: {}", failure_text(*.failure))]
    Unavailable {
        /// Which file.
        file: String,
        /// Why.
        failure: Failure,
    },
    /// It is no metadata of its role, whoever signed it.
    #[error("{file} is no sound metadata: {why}")]
    Malformed {
        /// Which file.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// Not enough of the right signatures.
    #[error("{file} is not signed as it must be: {why}")]
    Signature {
        /// Which file.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// Not the file that the metadata above it names: another version, length or digest.
    #[error("{file} is not what {by} names: {why}")]
    Mismatch {
        /// Which file.
        file: String,
        /// Which metadata says so.
        by: String,
        /// What is wrong.
        why: String,
    },
    /// Older than what was seen before.
    #[error("{what} went back from version {trusted} to {found}")]
    Rollback {
        /// Of what.
        what: String,
        /// Seen before.
        trusted: u64,
        /// Served now; 0: it is gone.
        found: u64,
    },
    /// Its time has come.
    #[error("{role} has expired at {expires}")]
    Expired {
        /// Which role.
        role: String,
        /// When.
        expires: String,
    },
    /// A target that metadata does not vouch for in any way that can be checked.
    #[error("the target {path} {why}")]
    Target {
        /// Its path.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// The search for it ended before it had an answer.
    #[error("more than {MAX_ROLES} roles may name a target, and none of the first does")]
    TooManyRoles,
    /// No role that may say so names it.
    #[error("no role that may name the target {path} does")]
    NotFound {
        /// Its path.
        path: String,
    },
}

/// Why there are no bytes, for people.
#[must_use]
pub fn failure_text(failure: Failure) -> &'static str {
    match failure {
        Failure::Absent => "it is not there",
        Failure::Offline => "the network was not to be used",
        Failure::Unreachable => "no connection",
        Failure::TimedOut => "it took too long",
        Failure::RateLimited => "the server asks to come back later",
        Failure::ServerError => "the server failed",
        Failure::Denied => "the server wants other credentials",
        Failure::UnexpectedStatus => "an unexpected HTTP status",
        Failure::BadRedirect => "a redirect that must not be followed",
        Failure::TooLarge => "it is longer than it may be",
        Failure::Truncated => "it ended too early",
        Failure::NotData => "a web page came instead",
        Failure::Storage => "the local disk",
        Failure::Changed => "it changed while it was read",
    }
}

/// A delegated role that is the file that snapshot names. Whose signatures it needs is for the edge to say.
#[derive(Debug)]
struct Loaded {
    /// For messages.
    file: String,
    metadata: sigstore_tuf::Metadata<sigstore_tuf::Targets>,
    targets: Rc<Targets>,
}

type Load = Shared<Pin<Box<dyn Future<Output = Result<Rc<Loaded>, TufError>>>>>;

/// What a repository says of one target: made by `Client::find` alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    roles: Vec<String>,
    version: u64,
    expires: Expires,
    target: TargetMeta,
}

impl Approval {
    /// The role that names it.
    #[must_use]
    pub fn role(&self) -> &str {
        self.roles.last().map_or("targets", String::as_str)
    }

    /// The roles from `targets` to that one, each delegated to by the one before.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// The version of the role's metadata.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Until when the role's metadata is good.
    #[must_use]
    pub fn expires(&self) -> Expires {
        self.expires
    }

    /// What it says.
    #[must_use]
    pub fn target(&self) -> &TargetMeta {
        &self.target
    }
}

/// Where a chain of roots begins: root metadata that was got on a way that is trusted, and is signed by its own keys.
#[derive(Debug, Clone)]
pub struct TrustedRoot {
    state: TrustedMetadataSet,
    root: Root,
}

impl TrustedRoot {
    /// Reads it (section 5.2). Its expiry does not matter: the chain goes on from it.
    ///
    /// # Errors
    ///
    /// If it is no sound root metadata, or not signed by its own keys.
    pub fn new(bytes: &[u8]) -> Result<Self, TufError> {
        crypto::install();
        let file = "the trusted root";
        let parsed: Signed<Root> = parse(file, bytes)?;
        let state = TrustedMetadataSet::from_root(bytes).map_err(|error| refused(file, file, &error))?;
        Ok(Self { state, root: parsed.signed })
    }
}

/// One repository in one run.
pub struct Client {
    files: Files,
    now: jiff::Timestamp,
    state: TrustedMetadataSet,
    root: Root,
    timestamp: Option<Timestamp>,
    snapshot: Option<Snapshot>,
    targets: Option<Rc<Targets>>,
    delegated: RefCell<BTreeMap<String, Load>>,
    /// Edges, by delegator and role, whose signatures are good. Neither's metadata changes any more, once it is there.
    verified: RefCell<BTreeSet<(String, String)>>,
    floor: Floor,
}

impl Client {
    /// A client that trusts `root`. Nothing is asked for yet.
    pub(crate) fn new(name: &str, root: &TrustedRoot, now: jiff::Timestamp, exchange: Exchange) -> Self {
        Self {
            files: Files { name: name.to_owned(), exchange, requests: Rc::default() },
            now,
            state: root.state.clone(),
            root: root.root.clone(),
            timestamp: None,
            snapshot: None,
            targets: None,
            delegated: RefCell::default(),
            verified: RefCell::default(),
            floor: Floor::None,
        }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.files.name
    }

    /// How many files were asked of its server.
    pub(crate) fn requests(&self) -> u64 {
        self.files.requests.get()
    }

    /// Which memory against rollback there was.
    pub(crate) fn floor(&self) -> Floor {
        self.floor
    }

    /// Name, version and expiry of the top-level roles that are trusted by now.
    pub(crate) fn roles(&self) -> Vec<(&'static str, u64, Expires)> {
        let mut roles = vec![("root", self.root.version, self.root.expires)];
        roles.extend(self.timestamp.iter().map(|role| ("timestamp", role.version, role.expires)));
        roles.extend(self.snapshot.iter().map(|role| ("snapshot", role.version, role.expires)));
        roles.extend(self.targets.iter().map(|role| ("targets", role.version, role.expires)));
        roles
    }

    /// Brings the top-level roles up to date (sections 5.3 to 5.6).
    pub(crate) async fn refresh(&mut self) -> Result<(), TufError> {
        self.update_root().await?;
        let kept_snapshot = self.recall_floors().await;
        self.update_timestamp().await?;
        self.update_snapshot(kept_snapshot).await?;
        self.update_targets().await
    }

    /// Section 5.3: the chain of roots.
    async fn update_root(&mut self) -> Result<(), TufError> {
        let mut fetched = 0;
        loop {
            // 2^53 - 1 at most.
            let next = self.root.version + 1;
            let kept_file = format!("root_history/{next}.root.json");
            if let Some(bytes) = self.files.recall(&kept_file, Root::MAX_BYTES).await
                && self.follow_root(&kept_file, &bytes).is_ok()
            {
                continue;
            }
            if fetched == MAX_ROOT_ROTATIONS {
                break;
            }
            fetched += 1;
            let file = format!("{next}.root.json");
            let bytes = match self.files.get(&file, Root::MAX_BYTES).await {
                Ok(bytes) => bytes,
                Err(Failure::Absent) => break,
                Err(failure) => return Err(TufError::Unavailable { file, failure }),
            };
            let before = self.root.clone();
            self.follow_root(&file, &bytes)?;
            // 5.3.11, before the new root is kept: whoever gets hold of the old keys must not be able to hold us back for ever
            // by having once signed a version that cannot be reached (fast-forward attack).
            let keys = |root: &Root, role: &str| -> BTreeSet<String> {
                set(root.roles.get(role).into_iter().flat_map(|role| role.keyids.iter().cloned()))
            };
            let rotated = |role: &str| keys(&before, role) != keys(&self.root, role);
            if rotated("timestamp") || rotated("snapshot") {
                self.files.keep("timestamp.json", None);
                self.files.keep("snapshot.json", None);
            }
            self.files.keep(&kept_file, Some(bytes.clone()));
            self.files.keep("root.json", Some(bytes));
        }
        self.fresh("root", self.root.expires)
    }

    fn follow_root(&mut self, file: &str, bytes: &[u8]) -> Result<(), TufError> {
        let parsed: Signed<Root> = parse(file, bytes)?;
        self.state.update_root(bytes).map_err(|error| refused(file, "the root before it", &error))?;
        self.root = parsed.signed;
        Ok(())
    }

    /// What earlier runs have seen: the floors under timestamp and snapshot. Gives the bytes of the kept snapshot if it is
    /// signed by its role.
    async fn recall_floors(&mut self) -> Option<Vec<u8>> {
        let timestamp = self.files.recall("timestamp.json", Timestamp::MAX_BYTES).await;
        if let Some(bytes) = timestamp
            && let Ok(parsed) = parse::<Timestamp>("timestamp.json", &bytes)
            && self.state.update_timestamp(&bytes, EARLIEST).is_ok()
        {
            self.timestamp = Some(parsed.signed);
            self.floor = Floor::Cached;
        }
        let bytes = self.files.recall("snapshot.json", Snapshot::MAX_BYTES).await?;
        let parsed = parse::<Snapshot>("snapshot.json", &bytes).ok()?;
        // By its signatures alone: a refresh that broke off after timestamp leaves one that is older than timestamp says.
        let metadata = sigstore_tuf::Metadata::<sigstore_tuf::Snapshot>::from_slice(&bytes).ok()?;
        let trusted = self.state.root();
        metadata.verify_threshold(&trusted.keys, trusted.role("snapshot")?, "snapshot").ok()?;
        self.snapshot = Some(parsed.signed);
        self.floor = Floor::Cached;
        Some(bytes)
    }

    /// Section 5.4.
    async fn update_timestamp(&mut self) -> Result<(), TufError> {
        let file = "timestamp.json";
        let bytes = self.files.must_get(file, Timestamp::MAX_BYTES).await?;
        let parsed = parse::<Timestamp>(file, &bytes)?;
        match self.state.update_timestamp(&bytes, self.now) {
            Ok(()) => {
                self.fresh("timestamp", parsed.signed.expires)?;
                self.timestamp = Some(parsed.signed);
                self.files.keep(file, Some(bytes));
                Ok(())
            }
            // 5.4.3: nothing new. What we have decides, and may have expired meanwhile.
            Err(sigstore_tuf::Error::EqualVersion { .. }) => match &self.timestamp {
                Some(timestamp) => self.fresh("timestamp", timestamp.expires),
                None => Err(TufError::Malformed { file: file.to_owned(), why: "the same version again".to_owned() }),
            },
            Err(error) => Err(refused(file, "root.json", &error)),
        }
    }

    /// Section 5.5. `kept` is what an earlier run left, whose signatures are good.
    async fn update_snapshot(&mut self, kept: Option<Vec<u8>>) -> Result<(), TufError> {
        let pin = self.timestamp.as_ref().and_then(Timestamp::snapshot).cloned();
        let Some(pin) = pin else {
            return Err(TufError::Unavailable { file: "timestamp.json".to_owned(), failure: Failure::Absent });
        };
        // What is in `self.snapshot` until now is what was kept.
        if let (Some(bytes), Some(before)) = (kept, &self.snapshot)
            && before.version == pin.version
            && pinned("snapshot.json", "timestamp.json", &pin, &bytes).is_ok()
            && self.state.update_snapshot(&bytes, self.now).is_ok()
        {
            return self.fresh("snapshot", before.expires);
        }
        let file = self.versioned("snapshot", pin.version);
        let bytes = self.files.must_get(&file, limit(&pin, Snapshot::MAX_BYTES)).await?;
        pinned(&file, "timestamp.json", &pin, &bytes)?;
        let parsed = parse::<Snapshot>(&file, &bytes)?;
        self.state.update_snapshot(&bytes, self.now).map_err(|error| refused(&file, "timestamp.json", &error))?;
        // 5.5.5, with the floor of ours.
        if let Some(before) = &self.snapshot {
            for (name, before) in &before.meta {
                let found = parsed.signed.meta.get(name).map_or(0, |meta| meta.version);
                if found < before.version {
                    return Err(TufError::Rollback { what: name.clone(), trusted: before.version, found });
                }
            }
        }
        self.fresh("snapshot", parsed.signed.expires)?;
        self.snapshot = Some(parsed.signed);
        self.files.keep("snapshot.json", Some(bytes));
        Ok(())
    }

    /// Section 5.6, the top level.
    async fn update_targets(&mut self) -> Result<(), TufError> {
        let pin = self.snapshot.as_ref().and_then(|snapshot| snapshot.meta.get("targets.json")).cloned();
        let Some(pin) = pin else {
            return Err(TufError::Unavailable { file: "snapshot.json".to_owned(), failure: Failure::Absent });
        };
        if let Some(bytes) = self.files.recall("targets.json", Targets::MAX_BYTES).await
            && let Ok(()) = self.accept_targets("targets.json", &pin, &bytes)
        {
            return self.fresh_targets();
        }
        let file = self.versioned("targets", pin.version);
        let bytes = self.files.must_get(&file, limit(&pin, Targets::MAX_BYTES)).await?;
        self.accept_targets(&file, &pin, &bytes)?;
        self.fresh_targets()?;
        self.files.keep("targets.json", Some(bytes));
        Ok(())
    }

    fn fresh_targets(&self) -> Result<(), TufError> {
        self.targets.as_ref().map_or(Ok(()), |targets| self.fresh("targets", targets.expires))
    }

    fn accept_targets(&mut self, file: &str, pin: &MetaFile, bytes: &[u8]) -> Result<(), TufError> {
        pinned(file, "snapshot.json", pin, bytes)?;
        let parsed = parse::<Targets>(file, bytes)?;
        let result = self.state.update_targets(bytes, self.now);
        result.map_err(|error| refused(file, "snapshot.json", &error))?;
        self.targets = Some(Rc::new(parsed.signed));
        Ok(())
    }

    /// Looks for `path` through the delegations: pre-order, lazily, each role once (section 5.6.7). None: nobody who may
    /// names it.
    ///
    /// Call [`Self::refresh`] first. Several walks may go on at once: roles that they share are fetched once.
    pub(crate) async fn find(&self, path: &str) -> Result<Option<Approval>, TufError> {
        let Some(top) = self.targets.clone() else { return Ok(None) };
        let mut visited: BTreeSet<String> = BTreeSet::from(["targets".to_owned()]);
        // The next to visit at its end: the edge, who delegates, and the way there.
        let mut open: Vec<(Edge, Rc<Targets>, Vec<String>)> = Vec::new();
        let (mut here, mut way) = (top, vec!["targets".to_owned()]);
        loop {
            if let Some(target) = here.targets.get(path) {
                let Targets { version, expires, .. } = *here;
                return Ok(Some(Approval { roles: way, version, expires, target: target.clone() }));
            }
            let edges = here.delegations.as_ref().map(|all| all.edges(path)).unwrap_or_default();
            if edges.iter().any(|edge| edge.terminating) {
                open.clear();
            }
            // No more than these can ever be visited, however many a role delegates to.
            let mut edges: Vec<Edge> = edges.into_iter().filter(|edge| !visited.contains(&edge.name)).collect();
            edges.truncate(MAX_ROLES);
            open.extend(edges.into_iter().rev().map(|edge| (edge, here.clone(), way.clone())));
            (here, way) = loop {
                let Some((edge, delegator, mut way)) = open.pop() else { return Ok(None) };
                if visited.len() >= MAX_ROLES {
                    return Err(TufError::TooManyRoles);
                }
                if !visited.insert(edge.name.clone()) {
                    continue;
                }
                let by = way.last().map_or("targets", String::as_str);
                if let Some(role) = self.load(&edge, by, &delegator).await? {
                    way.push(edge.name);
                    break (role, way);
                }
            };
        }
    }

    /// A delegated role, by an edge that begins at `by`. None: snapshot does not name it, so it does not exist.
    async fn load(&self, edge: &Edge, by: &str, delegator: &Targets) -> Result<Option<Rc<Targets>>, TufError> {
        // Thousands of walks go over the same edge, most of them after its signatures were verified.
        let key = (by.to_owned(), edge.name.clone());
        let verified = self.verified.borrow().contains(&key);
        let loaded = match self.delegated.borrow().get(&edge.name).cloned() {
            Some(load) if verified => Ok(load),
            load => Err(load),
        };
        let loaded = match loaded {
            Ok(load) => load.await?,
            Err(load) => {
                let snapshot = self.snapshot.as_ref();
                let pin = snapshot.and_then(|snapshot| snapshot.meta.get(&format!("{}.json", edge.name)));
                let (Some(pin), Some(delegations)) = (pin, &delegator.delegations) else { return Ok(None) };
                let authority = Authority::new(edge, delegations)?;
                let load = load.unwrap_or_else(|| self.begin(edge, pin.clone(), authority.clone()));
                let loaded = load.await?;
                authority.verify(&loaded)?;
                self.verified.borrow_mut().insert(key);
                loaded
            }
        };
        self.fresh(&edge.name, loaded.targets.expires)?;
        Ok(Some(loaded.targets.clone()))
    }

    /// Fetches a delegated role, once for all walks.
    fn begin(&self, edge: &Edge, pin: MetaFile, authority: Authority) -> Load {
        let fetch = fetch_role(self.files.clone(), edge.name.clone(), self.root.consistent_snapshot, pin, authority);
        let load = (Box::pin(fetch) as Pin<Box<dyn Future<Output = _>>>).shared();
        self.delegated.borrow_mut().insert(edge.name.clone(), load.clone());
        load
    }

    /// Whether top-level targets itself delegates to `role`.
    pub(crate) fn delegates_to(&self, role: &str) -> bool {
        let delegations = self.targets.as_ref().and_then(|top| top.delegations.as_ref());
        delegations.into_iter().flat_map(|all| all.roles.iter().flatten()).any(|edge| edge.name == role)
    }

    /// What to ask for, to have the target at `path`.
    fn locate(&self, path: &str, target: &TargetMeta) -> Result<TargetGet, TufError> {
        let wrong = |why: String| TufError::Target { path: path.to_owned(), why };
        if !is_relative(path) {
            return Err(wrong("has a path that could leave its folder".to_owned()));
        }
        if target.length > MAX_TARGET {
            return Err(wrong(format!("is {} bytes long; at most {MAX_TARGET} are fetched", target.length)));
        }
        let digest = target.hashes.get("sha256").or_else(|| target.hashes.get("sha512"));
        let Some(digest) = digest else {
            return Err(wrong("has neither a sha256 nor a sha512, so that nothing could be checked".to_owned()));
        };
        let file = match path.rsplit_once('/') {
            _ if !self.root.consistent_snapshot => path.to_owned(),
            // The hash is before the name, not before the path: go-tuf, python-tuf and tuf-js agree on that.
            Some((folder, name)) => format!("{folder}/{digest}.{name}"),
            None => format!("{digest}.{path}"),
        };
        if !is_relative(&file) {
            return Err(wrong(format!("has {digest:?} for a digest")));
        }
        let (repository, path) = (self.files.name.clone(), path.to_owned());
        Ok(TargetGet { repository, path, file, max_bytes: target.length, held: false })
    }

    /// Has a target measured, and allows it to be kept if it is what `approval` says (section 5.7).
    pub(crate) async fn download(&self, path: &str, approval: &Approval) -> Result<(), TufError> {
        let target = approval.target();
        let get = self.locate(path, target)?;
        if let Ok(found) = self.files.exchange.target(TargetGet { held: true, ..get.clone() }).await
            && judge(target, &found).is_ok()
        {
            self.keep_target(path, found);
            return Ok(());
        }
        self.files.count();
        let file = get.file.clone();
        let found = self.files.exchange.target(get).await;
        let found = found.map_err(|failure| TufError::Unavailable { file, failure })?;
        judge(target, &found).map_err(|why| TufError::Target { path: path.to_owned(), why })?;
        self.keep_target(path, found);
        Ok(())
    }

    /// The bytes of a target of at most `max_bytes`, if they are what `approval` says.
    pub(crate) async fn content(&self, path: &str, approval: &Approval, max_bytes: u64) -> Result<Vec<u8>, TufError> {
        let target = approval.target();
        let wrong = |why: String| TufError::Target { path: path.to_owned(), why };
        if target.length > max_bytes {
            return Err(wrong(format!("is {} bytes long; at most {max_bytes} are read", target.length)));
        }
        let get = self.locate(path, target)?;
        self.files.count();
        let file = get.file.clone();
        let answer = self.files.exchange.ask(vec![Request::TufContent(get)]).await.pop();
        let body = answer.unwrap_or(Err(Failure::NotData));
        let Body { content, origin } = body.map_err(|failure| TufError::Unavailable { file, failure })?;
        let found = TargetFile {
            length: content.len() as u64,
            sha256: Sha256::digest(&content).to_vec(),
            sha512: Sha512::digest(&content).to_vec(),
            origin,
        };
        judge(target, &found).map_err(wrong)?;
        Ok(content)
    }

    fn keep_target(&self, path: &str, found: TargetFile) {
        let repository = self.files.name.clone();
        self.files.exchange.keep(Kept::TufTarget(KeptTarget {
            repository,
            path: path.to_owned(),
            sha256: found.sha256,
        }));
    }

    fn fresh(&self, role: &str, expires: Expires) -> Result<(), TufError> {
        if expires.is_past(self.now) {
            return Err(TufError::Expired { role: role.to_owned(), expires: expires.to_string() });
        }
        Ok(())
    }

    fn versioned(&self, role: &str, version: u64) -> String {
        if self.root.consistent_snapshot { format!("{version}.{role}.json") } else { format!("{role}.json") }
    }
}

/// Files of one repository, on the server and kept.
#[derive(Clone)]
struct Files {
    name: String,
    exchange: Exchange,
    requests: Rc<Cell<u64>>,
}

impl Files {
    async fn recall(&self, file: &str, max_bytes: u32) -> Option<Vec<u8>> {
        let recall = MetadataRecall { repository: self.name.clone(), file: file.to_owned(), max_bytes };
        only(self.exchange.ask(vec![Request::TufRecall(recall)]).await).ok()
    }

    async fn get(&self, file: &str, max_bytes: u32) -> Result<Vec<u8>, Failure> {
        self.count();
        let get = MetadataGet { repository: self.name.clone(), file: file.to_owned(), max_bytes };
        only(self.exchange.ask(vec![Request::TufMetadata(get)]).await)
    }

    async fn must_get(&self, file: &str, max_bytes: u32) -> Result<Vec<u8>, TufError> {
        self.get(file, max_bytes).await.map_err(|failure| TufError::Unavailable { file: file.to_owned(), failure })
    }

    /// One more file is asked of the server.
    fn count(&self) {
        self.requests.set(self.requests.get() + 1);
    }

    fn keep(&self, file: &str, content: Option<Vec<u8>>) {
        let kept = KeptMetadata { repository: self.name.clone(), file: file.to_owned(), content };
        self.exchange.keep(Kept::TufMetadata(kept));
    }
}

fn only(answers: Vec<Result<Body, Failure>>) -> Result<Vec<u8>, Failure> {
    answers.into_iter().next().unwrap_or(Err(Failure::NotData)).map(|body| body.content)
}

/// Whose signatures make a delegated role trusted, on one edge.
#[derive(Clone)]
struct Authority {
    role: String,
    keys: Rc<BTreeMap<String, sigstore_tuf::Key>>,
    role_keys: sigstore_tuf::RoleKeys,
}

impl Authority {
    fn new(edge: &Edge, delegations: &Delegations) -> Result<Self, TufError> {
        let malformed = |error: serde_json::Error| TufError::Malformed {
            file: format!("the delegation to {}", edge.name),
            why: error.to_string(),
        };
        let mut keys = BTreeMap::new();
        for keyid in &edge.keyids {
            if let Some(key) = delegations.keys.get(keyid) {
                let key = serde_json::to_value(key).and_then(serde_json::from_value).map_err(malformed)?;
                keys.insert(keyid.clone(), key);
            }
        }
        let role_keys = serde_json::json!({ "keyids": edge.keyids, "threshold": edge.threshold });
        let role_keys = serde_json::from_value(role_keys).map_err(malformed)?;
        Ok(Self { role: edge.name.clone(), keys: Rc::new(keys), role_keys })
    }

    fn verify(&self, loaded: &Loaded) -> Result<(), TufError> {
        let Loaded { file, metadata, .. } = loaded;
        metadata
            .verify_threshold(&self.keys, &self.role_keys, &self.role)
            .map_err(|error| refused(file, "its delegation", &error))
    }
}

/// A delegated role, pinned by snapshot. Every edge verifies the signatures that it wants by itself: whoever delegates to
/// somebody else's role with keys of his own must not be able to spoil it for those who delegate to it rightly.
///
/// `authority` is that of the edge on which the role was first reached. A copy that is here already has to satisfy it, and
/// only then is a new one kept.
async fn fetch_role(
    files: Files,
    role: String,
    consistent: bool,
    pin: MetaFile,
    authority: Authority,
) -> Result<Rc<Loaded>, TufError> {
    let encoded = encode(&role);
    let kept_file = format!("{encoded}.json");
    let check = |file: &str, bytes: &[u8]| {
        pinned(file, "snapshot.json", &pin, bytes)?;
        let parsed = parse::<Targets>(file, bytes)?;
        if parsed.signed.version != pin.version {
            let why = format!("version {}, not {}", parsed.signed.version, pin.version);
            return Err(TufError::Mismatch { file: file.to_owned(), by: "snapshot.json".to_owned(), why });
        }
        // Bins have the same keys and, often, the same version: without this, one could be served as another.
        if let Some(named) = parsed.signed.extra.get(ROLE_FIELD)
            && named.as_str() != Some(&role)
        {
            let why = format!("its {ROLE_FIELD} is {named}");
            return Err(TufError::Mismatch { file: file.to_owned(), by: "its delegation".to_owned(), why });
        }
        let metadata =
            sigstore_tuf::Metadata::from_slice(bytes).map_err(|error| refused(file, "its delegation", &error))?;
        Ok(Rc::new(Loaded { file: file.to_owned(), metadata, targets: Rc::new(parsed.signed) }))
    };
    if let Some(bytes) = files.recall(&kept_file, Targets::MAX_BYTES).await
        && let Ok(loaded) = check(&kept_file, &bytes)
        && authority.verify(&loaded).is_ok()
    {
        return Ok(loaded);
    }
    let file = if consistent { format!("{}.{encoded}.json", pin.version) } else { kept_file.clone() };
    let bytes = files.must_get(&file, limit(&pin, Targets::MAX_BYTES)).await?;
    let loaded = check(&file, &bytes)?;
    if authority.verify(&loaded).is_ok() {
        files.keep(&kept_file, Some(bytes));
    }
    Ok(loaded)
}

/// At most so many bytes: what the metadata above says, within what we take.
fn limit(pin: &MetaFile, max: u32) -> u32 {
    pin.length.and_then(|length| u32::try_from(length).ok()).map_or(max, |length| length.min(max))
}

fn parse<T: Role>(file: &str, bytes: &[u8]) -> Result<Signed<T>, TufError> {
    Signed::parse(bytes).map_err(|error| TufError::Malformed { file: file.to_owned(), why: error.to_string() })
}

/// Length and digests of metadata, where the metadata above it names them.
fn pinned(file: &str, by: &str, pin: &MetaFile, bytes: &[u8]) -> Result<(), TufError> {
    let digest = |algorithm: &str| match algorithm {
        "sha256" => Some(Sha256::digest(bytes).to_vec()),
        "sha512" => Some(Sha512::digest(bytes).to_vec()),
        _ => None,
    };
    let mismatch = |why| TufError::Mismatch { file: file.to_owned(), by: by.to_owned(), why };
    compare(pin.length, pin.hashes.as_ref(), bytes.len() as u64, digest).map_err(mismatch)
}

fn judge(target: &TargetMeta, found: &TargetFile) -> Result<(), String> {
    let digest = |algorithm: &str| match algorithm {
        "sha256" => Some(found.sha256.clone()),
        "sha512" => Some(found.sha512.clone()),
        _ => None,
    };
    compare(Some(target.length), Some(&target.hashes), found.length, digest)
}

/// Compares all that is named and known; if there are digests, one at least must be of an algorithm that we know, which is
/// one that `digest` gives.
fn compare(
    length: Option<u64>,
    hashes: Option<&BTreeMap<String, String>>,
    found: u64,
    digest: impl Fn(&str) -> Option<Vec<u8>>,
) -> Result<(), String> {
    if let Some(length) = length
        && length != found
    {
        return Err(format!("is {found} bytes long, not {length}"));
    }
    let Some(hashes) = hashes else { return Ok(()) };
    let mut known = false;
    for (algorithm, expected) in hashes {
        let Some(digest) = digest(algorithm) else { continue };
        known = true;
        if hex::decode(expected).as_ref() != Some(&digest) {
            return Err(format!("has the {algorithm} {}, not {expected}", hex::encode(&digest)));
        }
    }
    if known { Ok(()) } else { Err("has no digest of an algorithm that is known".to_owned()) }
}

fn refused(file: &str, by: &str, error: &sigstore_tuf::Error) -> TufError {
    use sigstore_tuf::Error;
    let file = file.to_owned();
    match error {
        Error::ThresholdNotMet { found, threshold, .. } => {
            TufError::Signature { file, why: format!("{found} of the {threshold} signatures that it needs are good") }
        }
        Error::DuplicateSignature { key_id, .. } => {
            TufError::Signature { file, why: format!("the key {key_id} has signed twice") }
        }
        Error::Rollback { role, trusted, new } => {
            TufError::Rollback { what: role.clone(), trusted: *trusted, found: *new }
        }
        Error::BadRootVersion { trusted, new } => TufError::Mismatch {
            file,
            by: by.to_owned(),
            why: format!("version {new} where {} must follow {trusted}", trusted + 1),
        },
        Error::IntegrityMismatch(why) => TufError::Mismatch { file, by: by.to_owned(), why: why.clone() },
        Error::Expired { role, expires, .. } => {
            TufError::Expired { role: role.clone(), expires: format!("{expires:.0}") }
        }
        other => TufError::Malformed { file, why: other.to_string() },
    }
}

/// A role's name as part of a file name: python's `urllib.parse.quote(role, safe="")`.
#[must_use]
pub fn encode(role: &str) -> String {
    role.bytes().fold(String::with_capacity(role.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

/// Whether a path stays below where it begins.
fn is_relative(path: &str) -> bool {
    !path.contains('\\') && path.split('/').all(|element| !matches!(element, "" | "." | ".."))
}
