//! When to try again: which failures, how often, after how long.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};

use crate::contract::Failure;

/// The schedule of retries. Without jitter: one client with bounded parallelism is no herd, and a run can be told in
/// advance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often one thing is asked for in all; 1: no retry.
    pub attempts: u32,
    /// The pause after the first attempt. It doubles with every further one.
    pub first_pause: Duration,
    /// No pause of the schedule is longer.
    pub longest_pause: Duration,
}

impl Default for RetryPolicy {
    /// 4 attempts, with 0.25, 0.5 and 1 seconds between them.
    fn default() -> Self {
        Self { attempts: 4, first_pause: Duration::from_millis(250), longest_pause: Duration::from_secs(8) }
    }
}

impl RetryPolicy {
    /// The pause after attempt number `attempt` (from 1); none: that was the last.
    pub(crate) fn pause_after(&self, attempt: u32) -> Option<Duration> {
        let doubled = self.first_pause.saturating_mul(1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX));
        (attempt < self.attempts).then(|| doubled.min(self.longest_pause))
    }
}

/// Time, as retries see it: so that tests need not wait.
pub trait Clock: Send + Sync {
    /// For deadlines.
    fn monotonic(&self) -> Instant;
    /// For a Retry-After that is a date.
    fn wall(&self) -> SystemTime;
    /// Wait.
    fn sleep(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn monotonic(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(pause))
    }
}

/// Whether the same request may succeed a moment later.
pub(crate) fn is_transient(failure: Failure) -> bool {
    match failure {
        Failure::Unreachable | Failure::TimedOut | Failure::Truncated | Failure::RateLimited | Failure::ServerError => {
            true
        }
        Failure::Absent
        | Failure::Offline
        | Failure::Denied
        | Failure::UnexpectedStatus
        | Failure::BadRedirect
        | Failure::TooLarge
        | Failure::NotData
        | Failure::Storage
        | Failure::Changed => false,
    }
}

/// Retry-After (RFC 9110, section 10.2.3): seconds, or a date. What is neither is not there.
pub(crate) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::from(u32::MAX))));
    }
    httpdate::parse_http_date(value).ok().map(|at| at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedule() {
        let policy =
            RetryPolicy { attempts: 6, first_pause: Duration::from_millis(250), longest_pause: Duration::from_secs(1) };
        let pauses: Vec<_> = (1..=6).map(|n| policy.pause_after(n).map(|d| d.as_millis())).collect();
        assert_eq!(pauses, [Some(250), Some(500), Some(1000), Some(1000), Some(1000), None]);
        let endless = RetryPolicy { attempts: u32::MAX, ..policy };
        assert_eq!(endless.pause_after(100), Some(Duration::from_secs(1)));
        assert_eq!(RetryPolicy { attempts: 0, ..policy }.pause_after(1), None);
    }

    #[test]
    fn retry_after_values() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        for (value, want) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("99999999999999999999999", Some(u64::from(u32::MAX))),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(7)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(value, now).map(|d| d.as_secs()), want, "{value:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_value_parses(value: String) {
            retry_after(&value, SystemTime::UNIX_EPOCH);
        }
    }
}
