//! Words for people, and the calendar.

use crate::contract::{Failure, Refusal};
use crate::sumdb::client::Unchecked;
use crate::sumdb::cosignature::WitnessError;

const SECONDS_PER_DAY: u64 = 86_400;

/// `YYYY-MM-DD` of an instant in UTC, in the proleptic Gregorian calendar.
pub(super) fn day(seconds: u64) -> String {
    // Years are counted from March, so that a leap day is a year's last; an era is 400 years, which repeat.
    const DAYS_TO_1970: u64 = 719_468;
    const DAYS_PER_ERA: u64 = 146_097;
    let days = seconds / SECONDS_PER_DAY + DAYS_TO_1970;
    let (era, of_era) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// RFC 3339, UTC, whole seconds.
pub(super) fn instant(seconds: u64) -> String {
    let of_day = seconds % SECONDS_PER_DAY;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", day(seconds))
}

/// Whether a text is a day, `YYYY-MM-DD`, that there is.
pub(super) fn is_day(text: &str) -> bool {
    let digits = |range: std::ops::Range<usize>| -> Option<u64> {
        let part = text.get(range)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let (Some(year), Some(month), Some(date)) = (digits(0..4), digits(5..7), digits(8..10)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-' && (1..=days).contains(&date)
}

/// `1 line`, `2 lines`.
pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// A failure, in words that follow "no answer: ".
pub(super) fn failure(failure: Failure) -> &'static str {
    match failure {
        Failure::Absent => "there is no such file on the server",
        Failure::Offline => "the network may not be used",
        Failure::Unreachable => "the server cannot be reached",
        Failure::TimedOut => "the server took too long",
        Failure::RateLimited => "the server asks to come back later",
        Failure::ServerError => "the server failed",
        Failure::Denied => "the server denies access",
        Failure::UnexpectedStatus => "the server gave an unexpected status",
        Failure::BadRedirect => "the server redirects to where it must not be followed",
        Failure::TooLarge => "the answer is too large",
        Failure::Truncated => "the answer ended too early",
        Failure::NotData => "the answer is a web page, not data",
        Failure::Storage => "it could not be read from disk",
        Failure::Changed => "it was written to while it was read",
    }
}

/// What to do about a failure.
pub(super) fn failure_help(failure: Failure) -> &'static str {
    match failure {
        Failure::Offline => "run once with the network, or without --offline; what was verified is kept for later runs",
        Failure::Denied => "check the credentials in netrc or in the proxy's URL",
        Failure::NotData | Failure::BadRedirect => {
            "check GOPROXY and whether a login page stands in front of the network"
        }
        Failure::Absent | Failure::TooLarge | Failure::Truncated | Failure::UnexpectedStatus => {
            "check that GOPROXY's /sumdb/ endpoint is a whole copy of the checksum database"
        }
        Failure::Storage => "check the permissions and the free space of the cache folder",
        Failure::Changed => "run again when nothing writes to it",
        Failure::Unreachable | Failure::TimedOut | Failure::RateLimited | Failure::ServerError => {
            "check the network, GOPROXY and HTTPS_PROXY, and run again; this says nothing about the module"
        }
    }
}

/// Why something could not be checked: a sentence, and what to do.
pub(super) fn unchecked(why: Unchecked) -> (String, &'static str) {
    match why {
        Unchecked::Lookup(why) => (format!("no answer to the look-up: {}", failure(why)), failure_help(why)),
        Unchecked::Tile(why) => (format!("the proof is missing a tile: {}", failure(why)), failure_help(why)),
        Unchecked::Timeline(why) => (
            format!("the newest tree cannot be compared with the one that was seen before: {}", failure(why)),
            "a copy of the database that is behind does this, and so does one that hides a fork: run again past the \
             proxy (`GOPROXY=direct`)",
        ),
        Unchecked::GaveUp(why) => {
            (format!("not asked, since nothing before it was answered: {}", failure(why)), failure_help(why))
        }
        Unchecked::NotARecord => (
            "the answer to the look-up is not a record".into(),
            "check that GOPROXY's /sumdb/ endpoint is a copy of the checksum database",
        ),
        Unchecked::Stopped => (
            "not asked: the checksum database must not be believed".into(),
            "see the critical finding about the checksum database",
        ),
    }
}

/// The refusal for a set of witnesses that cannot be.
pub(super) fn refuse_witnesses(error: WitnessError) -> Refusal {
    match error {
        WitnessError::Quorum { .. } => Refusal::Quorum(error.to_string()),
        _ => Refusal::WitnessKey(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_instants() {
        for (seconds, want) in [
            (0, "1970-01-01T00:00:00Z"),
            (68_255_999, "1972-02-29T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_795_305_600, "2026-11-22T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(instant(seconds), want);
        }
    }

    #[test]
    fn what_is_a_day() {
        for good in ["2026-11-22", "2024-02-29", "2000-02-29"] {
            assert!(is_day(good), "{good}");
        }
        for bad in [
            "",
            "2026-11",
            "2026-11-31",
            "2023-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "2026/01/01",
            "+026-01-01",
            "2026-01-011",
            "２026-01-01",
        ] {
            assert!(!is_day(bad), "{bad}");
        }
    }
}
