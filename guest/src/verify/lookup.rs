//! The task `lookup`: authenticated go.sum lines of module versions that were asked for by name.

use std::borrow::Cow;

use super::asking;
use super::findings::{Draft, Findings};
use super::settings::{Settings, Skip};
use super::text;
use super::{Parts, finish};
use crate::contract::{Outcome, Refusal};
use crate::exchange::Exchange;
use crate::module::ModuleVersion;
use crate::report::{Counts, Grade, ModuleSummary, rules};
use crate::sort::sort_by;
use crate::sumdb::client::{Answer, Client, Record, Unchecked};
use crate::sumdb::lookup::{NoLine, lines_for};

/// What asks for the go.mod alone.
const GO_MOD: &str = "/go.mod";

/// One thing asked for.
struct Query {
    module: ModuleVersion,
    go_mod_only: bool,
}

impl Query {
    fn parse(text: &str) -> Result<Self, Refusal> {
        let (module, go_mod_only) = match text.strip_suffix(GO_MOD) {
            Some(module) => (module, true),
            None => (text, false),
        };
        let module = module.parse::<ModuleVersion>().map_err(|error| Refusal::Query(error.to_string()))?;
        Ok(Self { module, go_mod_only })
    }

    /// The lines of a record that answer it, as golang.org/x/mod/sumdb's Client.Lookup chooses them.
    fn lines(&self, record: &Record) -> Result<Vec<String>, NoLine> {
        let lines = lines_for(&record.text, self.module.path(), self.module.version());
        let lines = if self.go_mod_only { lines.go_mod() } else { lines.zip() }?;
        Ok(lines.iter().map(|line| (*line).to_owned()).collect())
    }
}

pub(super) async fn run(settings: &Settings, queries: Vec<String>, exchange: Exchange) -> Result<Outcome, Refusal> {
    if queries.is_empty() {
        return Err(Refusal::NothingToDo);
    }
    let queries: Vec<Query> = queries.iter().map(|text| Query::parse(text)).collect::<Result<_, _>>()?;
    let mut modules: Vec<&ModuleVersion> = queries.iter().map(|query| &query.module).collect();
    sort_by(&mut modules, Ord::cmp);
    modules.dedup();

    let mut findings = Findings::new(settings);
    let mut answers: Vec<Option<Answer>> = vec![None; modules.len()];
    let ask: Vec<usize> = (0..modules.len()).filter(|at| settings.skips(modules[*at].path()).is_none()).collect();
    let mut client = settings.sumdb.as_ref().map(|sumdb| Client::new(&sumdb.client, exchange.clone()));
    if let Some(client) = &mut client {
        let asked: Vec<&ModuleVersion> = ask.iter().map(|at| modules[*at]).collect();
        let stop = asking::ask_all(client, &exchange, &asked, |position, answer| {
            answers[ask[position]] = Some(answer);
        })
        .await;
        asking::judge_database(settings, client, stop, &exchange, &mut findings);
    }

    let mut lines = Vec::new();
    let mut complete = true;
    for query in &queries {
        let answer = modules.binary_search(&&query.module).ok().and_then(|at| answers[at].as_ref());
        if let Some(Answer::Unchecked(Unchecked::Stopped)) = answer {
            // The finding is the one about the database.
            complete = false;
            findings.set_incomplete();
            continue;
        }
        match judge(settings, query, answer) {
            Ok(found) => lines.extend(found),
            Err(draft) => {
                complete = false;
                // Nothing comes out, whatever the configuration ignores.
                findings.set_incomplete();
                findings.push(*draft);
            }
        }
    }
    let summaries: Vec<ModuleSummary<'_>> = modules
        .iter()
        .zip(&answers)
        .map(|(module, answer)| ModuleSummary {
            path: Cow::Borrowed(module.path()),
            version: Cow::Borrowed(module.version()),
            grade: Grade::Unverified,
            record: match answer {
                Some(Answer::Record(record)) => Some(record.id),
                _ => None,
            },
            lines: Vec::new(),
            bytes: Vec::new(),
            signatures: Vec::new(),
            targets: Vec::new(),
            rulings: Vec::new(),
        })
        .collect();
    let counts = Counts { modules: modules.len() as u64, ..Counts::default() };
    let parts = Parts { client: client.as_ref(), ..Parts::default() };
    let mut outcome = finish(settings, parts, &summaries, counts, findings);
    // All or nothing: half of what was asked for is easily taken for the whole.
    if complete && outcome.status == 0 {
        outcome.lines = lines;
    }
    Ok(outcome)
}

/// The lines for a query, or why there are none.
fn judge(settings: &Settings, query: &Query, answer: Option<&Answer>) -> Result<Vec<String>, Box<Draft>> {
    if let Some(Answer::Record(record)) = answer {
        return query.lines(record).map_err(|NoLine| Box::new(no_line(settings, &query.module, record)));
    }
    Err(Box::new(unanswered(settings, &query.module, answer)))
}

fn database(settings: &Settings) -> &str {
    settings.sumdb.as_ref().map_or("the checksum database", |sumdb| sumdb.name())
}

fn no_line(settings: &Settings, module: &ModuleVersion, record: &Record) -> Draft {
    Draft::new(
        &rules::sumdb_no_line::RULE,
        format!("the record has no line for {module}"),
        "an authentic answer that does not speak of the module proves nothing about it",
    )
    .about(module)
    .by(format!("{} record {}", database(settings), record.id))
}

/// Why a module version that was asked for by name has no lines.
pub(super) fn unanswered(settings: &Settings, module: &ModuleVersion, answer: Option<&Answer>) -> Draft {
    let name = database(settings).to_owned();
    let unchecked = |message: String, help: &str| Draft::new(&rules::unchecked::RULE, message, help).about(module);
    match answer {
        Some(Answer::Record(record)) => no_line(settings, module, record),
        Some(Answer::Unknown) => Draft::new(
            &rules::sumdb_unknown_module::RULE,
            format!("{name} has no record of {module}"),
            "check the name and the version; a private module is in no public database",
        )
        .about(module)
        .by(name),
        Some(Answer::Unbelievable(why)) => asking::unbelievable(why, module, name),
        Some(Answer::Unchecked(why)) => {
            let (cause, help) = text::unchecked(*why);
            unchecked(format!("{module} could not be looked up: {cause}"), help).by(name)
        }
        None => {
            let by = match settings.skips(module.path()) {
                Some(Skip::Pattern(pattern)) => format!("{}: {pattern}", settings.skip_text.set_by),
                Some(Skip::Off(by)) => by.to_owned(),
                None => settings.off_by.clone().unwrap_or_default(),
            };
            unchecked(
                format!("{module} is not asked of any checksum database ({by})"),
                "what the settings keep from the database cannot be looked up in it",
            )
            .by(by)
        }
    }
}
