//! The progress bar: on stderr, if that is a terminal and `--quiet` is not given, and only when a run takes longer
//! than [`DELAY`], so that fast runs do not flicker.

use std::{
    io::{self, IsTerminal},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::contract::{Phase, Progress};

/// How long a run stays without a bar.
pub const DELAY: Duration = Duration::from_millis(200);

/// How often the bar is drawn anew while nothing happens.
const TICK: Duration = Duration::from_millis(120);

/// A progress bar, or nothing where none is wanted. It is gone from the terminal when it is dropped.
#[derive(Debug)]
pub struct Bar(Option<Shown>);

#[derive(Debug)]
struct Shown {
    bar: ProgressBar,
    /// Dropping it wakes the thread that waits to show the bar.
    stop: Option<Sender<()>>,
    waiter: Option<JoinHandle<()>>,
}

impl Bar {
    /// A bar on stderr, if that is a terminal.
    pub fn new(quiet: bool) -> Self {
        if quiet || !io::stderr().is_terminal() {
            return Self(None);
        }
        Self::on(ProgressDrawTarget::stderr())
    }

    fn on(target: ProgressDrawTarget) -> Self {
        let bar = ProgressBar::hidden();
        let style = ProgressStyle::with_template("{spinner} {msg} [{bar:30}] {pos}/{len}")
            .expect("a constant that a test covers")
            .progress_chars("=> ");
        bar.set_style(style);
        let (stop, stopped) = mpsc::channel::<()>();
        let later = bar.clone();
        let waiter = thread::Builder::new().spawn(move || {
            if stopped.recv_timeout(DELAY) == Err(RecvTimeoutError::Timeout) {
                later.set_draw_target(target);
                later.enable_steady_tick(TICK);
            }
        });
        // No thread, no bar: it is an ornament.
        Self(waiter.ok().map(|waiter| Shown { bar, stop: Some(stop), waiter: Some(waiter) }))
    }

    /// How far the core says that the run is.
    pub fn update(&self, progress: &Progress) {
        if let Some(Shown { bar, .. }) = &self.0 {
            bar.set_message(phase(progress.phase));
            bar.set_length(progress.total);
            bar.set_position(progress.settled);
        }
    }

    /// How many of the answers to the last request are there: what moves between two steps of the core.
    pub fn answered(&self, done: u64, of: u64) {
        if let Some(Shown { bar, .. }) = &self.0 {
            bar.set_length(of);
            bar.set_position(done);
        }
    }

    /// Runs `print`, which writes to the terminal, with the bar out of the way.
    pub fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(Shown { bar, .. }) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(waiter) = self.waiter.take() {
            // It can only have panicked inside of the bar, which is of no consequence here.
            let _ = waiter.join();
        }
        self.bar.finish_and_clear();
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Recalling => "reading what is kept",
        Phase::LookingUp => "looking up records",
        Phase::Proving => "checking proofs",
        Phase::Reporting => "writing the report",
    }
}

#[cfg(test)]
mod tests {
    use indicatif::{InMemoryTerm, TermLike};

    use super::*;

    #[test]
    fn appears_after_a_while_and_goes() {
        let terminal = InMemoryTerm::new(10, 80);
        let draw_target = || ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        let bar = Bar::on(draw_target());
        bar.update(&Progress { phase: Phase::LookingUp, settled: 3, total: 12 });
        assert_eq!(terminal.contents(), "", "not at once");
        // The waiter ends when it has put the bar on the terminal.
        let waiter = bar.0.as_ref().and_then(|shown| shown.waiter.as_ref()).unwrap();
        while !waiter.is_finished() {
            thread::yield_now();
        }
        bar.answered(4, 12);
        // It is drawn anew by its own thread, a few times a second.
        let drawn = (0..1000).any(|_| {
            thread::sleep(Duration::from_millis(10));
            let text = terminal.contents();
            text.contains("looking up records") && text.contains("4/12")
        });
        assert!(drawn, "{:?}", terminal.contents());
        bar.suspend(|| terminal.write_line("a line").unwrap());
        drop(bar);
        assert_eq!(terminal.contents(), "a line");

        let fast = Bar::on(draw_target());
        fast.answered(1, 1);
        drop(fast);
        assert_eq!(terminal.contents(), "a line", "never shown");
    }

    #[test]
    fn nothing_where_nothing_is_wanted() {
        let bar = Bar::new(true);
        assert!(bar.0.is_none());
        bar.answered(1, 2);
        assert_eq!(bar.suspend(|| 7), 7);
    }
}
