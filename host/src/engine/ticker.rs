//! The clock that stops a runaway step.
//!
//! Compiled code compares a counter, the engine's epoch, with its deadline at every loop and call. A thread moves the
//! counter: it starts with the first session and ends with the last user of the engine.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The longest time between two ticks.
const MAX_TICK: Duration = Duration::from_millis(100);

/// The shortest.
const MIN_TICK: Duration = Duration::from_millis(1);

/// Ticks in one time limit, between those two.
const TICKS: u32 = 16;

/// The ticking thread, shared by an engine and its sessions.
#[derive(Clone)]
pub(super) struct Ticker {
    tick: Duration,
    deadline: u64,
    /// Present while the thread runs: it ends when this is dropped.
    running: Arc<Mutex<Option<Sender<()>>>>,
}

impl Ticker {
    /// A ticker that is fine enough for `limit`, and does not tick yet.
    pub(super) fn new(limit: Duration) -> Self {
        let tick = (limit / TICKS).clamp(MIN_TICK, MAX_TICK);
        let ticks = limit.as_nanos().div_ceil(tick.as_nanos());
        // One more, because the tick that is under way has begun before the step.
        let deadline = u64::try_from(ticks).unwrap_or(u64::MAX / 2).saturating_add(1);
        Self { tick, deadline, running: Arc::default() }
    }

    /// How many ticks from now a step must end.
    pub(super) fn deadline(&self) -> u64 {
        self.deadline
    }

    /// The same for a step that may take so much longer.
    pub(super) fn deadline_with(&self, more: Duration) -> u64 {
        let ticks = u64::try_from(more.as_nanos().div_ceil(self.tick.as_nanos())).unwrap_or(u64::MAX / 2);
        self.deadline.saturating_add(ticks)
    }

    /// Starts the thread, once.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn start(&self, engine: &wasmtime::Engine) -> std::io::Result<()> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_some() {
            return Ok(());
        }
        let (stop, stopped) = channel::<()>();
        let engine = engine.clone();
        let tick = self.tick;
        std::thread::Builder::new().name("modanchor-ticker".into()).stack_size(64 << 10).spawn(move || {
            while stopped.recv_timeout(tick) == Err(RecvTimeoutError::Timeout) {
                engine.increment_epoch();
            }
        })?;
        *running = Some(stop);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deadline_covers_the_limit() {
        for millis in [0, 1, 15, 16, 17, 1_600, 1_601, 120_000] {
            let limit = Duration::from_millis(millis);
            let ticker = Ticker::new(limit);
            assert!((MIN_TICK..=MAX_TICK).contains(&ticker.tick));
            let whole = ticker.tick * u32::try_from(ticker.deadline() - 1).unwrap();
            assert!(whole >= limit && whole < limit + ticker.tick, "{millis} ms");
        }
        assert!(Ticker::new(Duration::MAX).deadline() > 1 << 40);
        let ticker = Ticker::new(Duration::from_secs(120));
        assert_eq!(ticker.deadline_with(Duration::from_millis(150)), ticker.deadline() + 2);
    }
}
