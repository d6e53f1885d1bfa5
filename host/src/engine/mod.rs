//! wasmtime: the compiled component, its limits, and stepping a session.
//!
//! [`Engine`] holds the component, compiled ahead of time by build.rs and embedded; this program contains no compiler.
//! The component imports one thing, `blob`: bytes that [`hashing`] opened for it. A session is never given one. Nothing
//! else is linked to it: no file, no socket, no clock, no random number. What is left that a faulty core could do is to
//! use memory and time, and both have [`Limits`]. Whatever goes wrong in there is an [`EngineError`], never a verdict.

mod blobs;
mod config;
pub mod drive;
pub mod hashing;
mod ticker;

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{Component, HasSelf, Linker, ResourceAny};
use wasmtime::{ResourceLimiter, Store, Trap};

use crate::contract::{Job, RenderError, Response, SarifOptions, Step, Verifier, VerifierPre};
use blobs::Blobs;
use ticker::Ticker;

/// The SHA-256 of the component that is embedded, 64 hexadecimal digits. It is the digest of the `.wasm` file, which is
/// reproducible, not of the code that was compiled from it.
pub const COMPONENT_SHA256: &str = env!("MODANCHOR_COMPONENT_SHA256");

/// The same as jobs and reports have it, `sha256:HEX`.
#[must_use]
pub fn component_digest() -> String {
    format!("sha256:{COMPONENT_SHA256}")
}

/// The component, compiled for this target.
static COMPILED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/modanchor.cwasm"));

/// The most memory that the core may use, in bytes, if not told otherwise.
pub const MAX_MEMORY: usize = 2 << 30;

/// The longest that one step may take, if not told otherwise. Waiting for answers is not part of a step.
pub const MAX_STEP_TIME: Duration = Duration::from_secs(120);

/// Core instances in one session: the guest, one adapter for every WASI interface that std imports, and what ties them.
const MAX_INSTANCES: usize = 64;

/// Tables in one session: the guest's, and the one that ties it to its adapters.
const MAX_TABLES: usize = 4;

/// Entries of a table. They never grow; this is several times what the guest has.
const MAX_TABLE_ELEMENTS: usize = 1 << 16;

/// Memories in one session: the guest's.
const MAX_MEMORIES: usize = 1;

/// How much one step may hand to the host, in bytes for each byte of [`Limits::memory`]. Pointers are twice as wide here;
/// beyond that, a core would hand over the same memory again and again.
const COPIED_PER_BYTE: usize = 2;

/// What the core may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Memory, in bytes.
    pub memory: usize,
    /// Time for one step. It is watched by ticks, and may be exceeded by two of them, 100 ms each at most.
    pub step_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: MAX_MEMORY, step_time: MAX_STEP_TIME }
    }
}

/// Why the core could not be run to its end. None of these says anything about what was to be judged.
///
/// Steps count from 1; step 0 is handing over the job.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The compiled component does not load: the program was built wrongly, or the processor lacks what it needs.
    #[error("the embedded component does not load: {0}")]
    Load(String),
    /// The operating system gave no memory, address space or thread to start with.
    #[error("no resources to start the core: {0} (is there a limit, such as `ulimit -v`?)")]
    Resources(String),
    /// The core asked for more memory than [`Limits::memory`].
    #[error("the core needs more than {limit} bytes of memory (step {step}): judge fewer files at a time")]
    Memory {
        /// The step.
        step: u64,
        /// [`Limits::memory`].
        limit: usize,
    },
    /// The operating system refused memory within the limit.
    #[error("the system has no more memory for the core (step {step}): {cause}")]
    OutOfMemory {
        /// The step.
        step: u64,
        /// What the system said.
        cause: String,
    },
    /// A step took longer than [`Limits::step_time`].
    #[error("the core took longer than {limit:?} (step {step}): judge fewer files at a time")]
    Time {
        /// The step.
        step: u64,
        /// [`Limits::step_time`].
        limit: Duration,
    },
    /// The core stopped where it must never stop: a panic, which is a bug of modanchor.
    #[error("the core failed (step {step}): {cause}; this is a bug in modanchor, please report it with the command")]
    Trapped {
        /// The step.
        step: u64,
        /// wasmtime's word for it.
        cause: String,
    },
}

/// The core, loaded and ready to start sessions. Cheap to make, and to clone: nothing is compiled.
#[derive(Clone)]
pub struct Engine {
    engine: wasmtime::Engine,
    component: Arc<VerifierPre<State>>,
    ticker: Ticker,
    limits: Limits,
}

impl Engine {
    /// Loads the embedded component.
    ///
    /// # Errors
    /// [`EngineError::Load`].
    pub fn new(limits: Limits) -> Result<Self, EngineError> {
        let load = |e: wasmtime::Error| EngineError::Load(format!("{e:#}"));
        let engine = wasmtime::Engine::new(&config::config()).map_err(load)?;
        let component = deserialize(&engine).map_err(load)?;
        // Nothing else is linked. A component that imported something would be refused here.
        let mut linker = Linker::new(&engine);
        Verifier::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state).map_err(load)?;
        let component = linker.instantiate_pre(&component).and_then(VerifierPre::new).map_err(load)?;
        let ticker = Ticker::new(limits.step_time);
        Ok(Self { engine, component: Arc::new(component), ticker, limits })
    }

    /// Starts a session on `job`, in a memory of its own.
    ///
    /// # Errors
    /// Every variant but [`EngineError::Load`].
    pub fn start(&self, job: &Job) -> Result<Session, EngineError> {
        let (mut store, verifier) = self.instantiate(None)?;
        let verification = verifier
            .modanchor_verifier_verify()
            .verification()
            .call_constructor(&mut store, job)
            .map_err(|e| classify(0, self.limits, &e))?;
        Ok(Session { store, verifier, verification, ticker: self.ticker.clone(), limits: self.limits, steps: 0 })
    }

    /// A report as SARIF, written by the component. The program itself runs the same code natively
    /// ([`modanchor_core::report::sarif`]); this is what a page does, and how a test holds the two equal.
    ///
    /// # Errors
    /// Every variant but [`EngineError::Load`].
    pub fn sarif(&self, report: &[u8], options: &SarifOptions) -> Result<Result<Vec<u8>, RenderError>, EngineError> {
        let (mut store, verifier) = self.instantiate(None)?;
        verifier
            .modanchor_verifier_render()
            .call_sarif(&mut store, report, options)
            .map_err(|e| classify(1, self.limits, &e))
    }

    /// The component in a memory of its own, with the deadline of a step from now on.
    fn instantiate(&self, blobs: Option<Blobs>) -> Result<(Store<State>, Verifier), EngineError> {
        self.ticker.start(&self.engine).map_err(|e| EngineError::Resources(e.to_string()))?;
        let mut store = Store::new(&self.engine, State { memory: self.limits.memory, blobs });
        store.limiter(|state| state);
        store.set_hostcall_fuel(self.limits.memory.saturating_mul(COPIED_PER_BYTE));
        store.set_epoch_deadline(self.ticker.deadline());
        let verifier = self.component.instantiate(&mut store).map_err(|e| match classify(0, self.limits, &e) {
            EngineError::Trapped { cause, .. } => EngineError::Resources(cause),
            other => other,
        })?;
        Ok((store, verifier))
    }
}

/// The embedded component, from compiled code back to something that runs.
#[allow(unsafe_code)]
fn deserialize(engine: &wasmtime::Engine) -> wasmtime::Result<Component> {
    // SAFETY: these bytes must be what wasmtime's compiler wrote. build.rs wrote them, of this same wasmtime (one
    // version in Cargo.lock), and they are embedded in this program: nobody who cannot replace the program can change
    // them.
    unsafe { Component::deserialize(engine, COMPILED) }
}

/// One run of the core.
pub struct Session {
    store: Store<State>,
    verifier: Verifier,
    verification: ResourceAny,
    ticker: Ticker,
    limits: Limits,
    steps: u64,
}

impl Session {
    /// Hands over the answers to the last `need`, in its order, none the first time, and lets the core go on.
    ///
    /// # Errors
    /// [`EngineError::Memory`], [`EngineError::OutOfMemory`], [`EngineError::Time`] or [`EngineError::Trapped`]. The
    /// session is over then: every further step is [`EngineError::Trapped`].
    pub fn step(&mut self, answers: Vec<Response>) -> Result<Step, EngineError> {
        self.steps += 1;
        self.store.set_epoch_deadline(self.ticker.deadline());
        self.verifier
            .modanchor_verifier_verify()
            .verification()
            .call_step(&mut self.store, self.verification, &answers)
            .map_err(|e| classify(self.steps, self.limits, &e))
    }
}

/// What an error of wasmtime means.
fn classify(step: u64, limits: Limits, error: &wasmtime::Error) -> EngineError {
    if let Some(denied) = error.downcast_ref::<Denied>() {
        return match denied {
            Denied::Limit => EngineError::Memory { step, limit: limits.memory },
            Denied::System(cause) => EngineError::OutOfMemory { step, cause: cause.clone() },
        };
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => EngineError::Time { step, limit: limits.step_time },
        _ => EngineError::Trapped { step, cause: format!("{error:#}") },
    }
}

/// What a store knows: how much memory may be used in it, and the files that it may read, none for a session.
struct State {
    memory: usize,
    blobs: Option<Blobs>,
}

/// Why memory did not grow. As an error, and not as the `-1` that a guest could take for something else.
#[derive(Debug, thiserror::Error)]
enum Denied {
    #[error("over the limit")]
    Limit,
    #[error("{0}")]
    System(String),
}

impl ResourceLimiter for State {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        if desired > self.memory { Err(wasmtime::Error::new(Denied::Limit)) } else { Ok(true) }
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(wasmtime::Error::new(Denied::System(format!("{error:#}"))))
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= MAX_TABLE_ELEMENTS)
    }

    fn instances(&self) -> usize {
        MAX_INSTANCES
    }

    fn tables(&self) -> usize {
        MAX_TABLES
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_stop_has_its_own_error() {
        let limits = Limits { memory: 7, step_time: Duration::from_secs(9) };
        let of = |error: wasmtime::Error| classify(3, limits, &error).to_string();
        assert!(of(wasmtime::Error::new(Denied::Limit)).contains("more than 7 bytes of memory (step 3)"));
        assert!(of(wasmtime::Error::new(Denied::System("ENOMEM".into()))).contains("(step 3): ENOMEM"));
        assert!(of(wasmtime::Error::from(Trap::Interrupt)).contains("longer than 9s (step 3)"));
        let trapped = of(wasmtime::Error::from(Trap::UnreachableCodeReached));
        assert!(
            trapped.contains("(step 3)") && trapped.contains("unreachable") && trapped.contains("report"),
            "{trapped}"
        );
    }
}
