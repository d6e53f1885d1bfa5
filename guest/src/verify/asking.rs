//! Asking the database for many module versions, and judging the database itself.

use super::findings::{Draft, Findings};
use super::settings::{Database, Settings};
use super::text;
use crate::contract::{Evidence, Failure, Kept};
use crate::exchange::Exchange;
use crate::module::ModuleVersion;
use crate::report::rules;
use crate::sort::sort_by;
use crate::sumdb::client::{Answer, Client, Stop, Unbelievable, Unchecked, WINDOW};
use crate::sumdb::tlog::TreeHead;

/// Asks for all of `modules`, by the window, and hands on one answer for each, in order.
///
/// When the database has to be given up, what is left is answered as unchecked, and the reason comes back. When a
/// whole window goes without any answer, the rest is not asked: half a million look-ups against a dead network would
/// not make it better.
pub(super) async fn ask_all(
    client: &mut Client<'_>,
    exchange: &Exchange,
    modules: &[&ModuleVersion],
    mut on_answer: impl FnMut(usize, Answer),
) -> Option<Stop> {
    let mut stop = None;
    let mut given_up = None;
    for (number, window) in modules.chunks(WINDOW).enumerate() {
        let start = number * WINDOW;
        exchange.set_settled(start, modules.len());
        let all = |why: Unchecked| vec![Answer::Unchecked(why); window.len()];
        let answers = match (&stop, given_up) {
            (Some(_), _) => all(Unchecked::Stopped),
            (None, Some(failure)) => all(Unchecked::GaveUp(failure)),
            (None, None) => client.answers(window).await.unwrap_or_else(|why| {
                stop = Some(why);
                all(Unchecked::Stopped)
            }),
        };
        given_up = given_up.or_else(|| common_failure(&answers));
        for (position, answer) in answers.into_iter().enumerate() {
            on_answer(start + position, answer);
        }
    }
    exchange.set_settled(modules.len(), modules.len());
    stop
}

/// The failure of the first look-up, if every look-up failed.
fn common_failure(answers: &[Answer]) -> Option<Failure> {
    let failures = answers.iter().map(|answer| match answer {
        Answer::Unchecked(Unchecked::Lookup(failure)) => Some(*failure),
        _ => None,
    });
    failures.collect::<Option<Vec<_>>>()?.first().copied()
}

/// The finding for an answer that must not be believed.
pub(super) fn unbelievable(why: &Unbelievable, module: &ModuleVersion, by: String) -> Draft {
    let help = "do not build with it: a proxy or the database gave a forged or broken answer; \
                run again past the proxy (GOPROXY=direct) and report what differs";
    let draft = match why {
        Unbelievable::Signature(error) => Draft::new(
            &rules::sumdb_bad_signature::RULE,
            format!("the answer about {module} comes with a tree head that the database did not sign: {error}"),
            help,
        ),
        Unbelievable::Proof(error) => Draft::new(
            &rules::sumdb_bad_proof::RULE,
            format!("the answer about {module} is not proven to be in the log: {error}"),
            help,
        ),
    };
    draft.about(module).by(by)
}

/// What there is to say about the database itself, after the asking.
pub(super) fn judge_database(
    settings: &Settings,
    client: &Client<'_>,
    stop: Option<Stop>,
    exchange: &Exchange,
    findings: &mut Findings<'_>,
) {
    let Some(database) = &settings.sumdb else { return };
    match stop {
        Some(stop) => findings.push(stopped(database, stop, exchange)),
        None => {
            quorum(settings, database, client, findings);
            age(settings, database, client, findings);
        }
    }
}

fn head_words(head: &TreeHead) -> String {
    format!("{} records, root {}", head.size, head.root)
}

/// The finding for what ended the asking; a fork's evidence is kept.
fn stopped(database: &Database, stop: Stop, exchange: &Exchange) -> Draft {
    let name = database.name();
    match stop {
        Stop::Fork(fork) => {
            let verifier = &database.client.verifier;
            exchange.keep(Kept::Evidence(Evidence {
                database: name.to_owned(),
                name: fork.file_name(),
                content: fork.render(verifier).into_bytes(),
            }));
            let (older, newer) = (fork.old().head(), fork.newer().head());
            Draft::new(
                &rules::sumdb_fork::RULE,
                format!(
                    "{name} signed two tree heads that cannot both be true: {}; and {}, whose first {} records have \
                     root {}",
                    head_words(older),
                    head_words(newer),
                    older.size,
                    fork.prefix()
                ),
                format!(
                    "stop: somebody shows you another log than others see. The proof is kept as {}; send it to the \
                     operator of {name}, and trust no module that was added since the older head",
                    fork.file_name()
                ),
            )
            .expected(older.root.to_string())
            .found(fork.prefix().to_string())
            .by(format!("two signatures of {name}"))
        }
        Stop::BadHead { which, error } => Draft::new(
            &rules::sumdb_bad_signature::RULE,
            format!("{which} for {name} does not verify: {error}"),
            "find out who wrote that file: it is the memory against forks. Move it away, and the next run begins \
             without memory",
        )
        .by(format!("{} by {}", database.client.verifier.name(), database.set_by)),
    }
}

/// Whether enough witnesses have signed the newest head, where the configuration asks for them.
fn quorum(settings: &Settings, database: &Database, client: &Client<'_>, findings: &mut Findings<'_>) {
    let (Some(witnesses), Some(head)) = (&database.witnesses, client.accepted()) else { return };
    let cosigned = witnesses.check(head.note());
    if !cosigned.quorum_met() {
        let names: Vec<&str> = cosigned.by().iter().map(|cosignature| cosignature.name.as_str()).collect();
        findings.push(
            Draft::new(
                &rules::sumdb_bad_signature::RULE,
                format!(
                    "the newest tree head of {} is cosigned by {} of the configured witnesses",
                    database.name(),
                    names.len()
                ),
                "do not rely on this head: without its witnesses the database could show it to you alone",
            )
            .kind("quorum")
            .expected(format!("{} witnesses", witnesses.quorum()))
            .found(names.join(", "))
            .by("the configuration"),
        );
        return;
    }
    // The newest time by which a quorum had signed: fewer witnesses cannot make the head look younger.
    let mut times: Vec<u64> = cosigned.by().iter().map(|cosignature| cosignature.time).collect();
    sort_by(&mut times, |a, b| b.cmp(a));
    let quorum = witnesses.quorum().checked_sub(1).and_then(|last| times.get(last));
    if let (Some(limit), Some(time)) = (database.max_age, quorum) {
        stale(settings, database, limit, *time, "when its witnesses cosigned it", findings);
    }
}

/// How old the newest head is, by this machine's memory, where no witness says it.
fn age(settings: &Settings, database: &Database, client: &Client<'_>, findings: &mut Findings<'_>) {
    if let (Some(limit), None, Some(time)) = (database.max_age, &database.witnesses, client.first_seen()) {
        stale(settings, database, limit, time, "when it was first seen here", findings);
    }
}

fn stale(settings: &Settings, database: &Database, limit: u64, time: u64, what: &str, findings: &mut Findings<'_>) {
    let age = settings.now.saturating_sub(time);
    if age > limit {
        findings.push(
            Draft::new(
                &rules::sumdb_stale::RULE,
                format!(
                    "the newest tree head of {} is from {} ({what}), older than the configured age",
                    database.name(),
                    text::instant(time)
                ),
                "run with the network; if it stays, the proxy or the database holds back newer heads",
            )
            .expected(format!("at most {limit} seconds"))
            .found(format!("{age} seconds"))
            .by("the configuration"),
        );
    }
}
