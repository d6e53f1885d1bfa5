//! What is wrong with a value, in words.
//!
//! What cmd/go does with each setting is in cmd/go/internal/cfg, modfetch/sumdb.go, modfetch/proxy.go, and
//! base/goflags.go; `go help environment`, `go help module-private` and `go help module-auth` say it for people.

use std::ops::Range;

use super::SettingPlace;
use super::glyph::{EXPRESSION, Glyph, is_verbatim, range, shown, text};
use super::shell::Word;
use super::{Assignment, Command, Edit, Problem, settings};
use crate::module::Patterns;
use crate::report::{Rule, Severity, rules};

/// Go's default.
const DATABASE: &str = "sum.golang.org";
const PROXY: &str = "https://proxy.golang.org,direct";

/// One thing that is wrong, before it has a place.
struct Fault {
    rule: &'static Rule,
    message: String,
    found: String,
    expected: String,
    by: &'static str,
    help: String,
    /// What it is about: a part of the value; none: all of it.
    part: Option<Range<usize>>,
    /// What replaces the part, and what that does.
    replacement: Option<(Range<usize>, String)>,
    /// The whole assignment may go.
    removable: bool,
    severity: Severity,
}

impl Fault {
    fn new(rule: &'static Rule, message: String, expected: &str, by: &'static str, help: &str) -> Self {
        Self {
            rule,
            message,
            found: String::new(),
            expected: expected.to_owned(),
            by,
            help: help.to_owned(),
            part: None,
            replacement: None,
            removable: false,
            severity: rule.severity,
        }
    }
}

/// Judges a setting in a file. `push` gets the bytes that a problem is about.
pub(super) fn assignment(assignment: &Assignment, push: &mut dyn FnMut(Range<usize>, Problem)) {
    let Assignment { name, name_at, value, source, alone } = assignment;
    for fault in faults(name, value) {
        let whole = source.clone().unwrap_or_else(|| {
            let end = range(value).map_or(name_at.end, |value| value.end);
            name_at.start..end.max(name_at.end)
        });
        let at = fault.part.clone().unwrap_or(whole);
        let edit = match (fault.replacement, alone) {
            (Some((bytes, new)), _) => {
                let what = match new.as_str() {
                    "" => format!("{name}: {} is taken out", fault.found),
                    new if fault.part.is_none() => format!("{} becomes {name}={new}", fault.found),
                    new => format!("{name}: {} becomes {new}", fault.found),
                };
                Some(Edit { bytes, new, what, statement: false })
            }
            (None, Some(statement)) if fault.removable => Some(Edit {
                bytes: statement.clone(),
                new: String::new(),
                what: format!("{} is taken out", fault.found),
                statement: true,
            }),
            _ => None,
        };
        push(
            at,
            Problem {
                rule: fault.rule,
                severity: fault.severity,
                message: fault.message,
                found: fault.found,
                expected: fault.expected,
                by: fault.by.to_owned(),
                help: fault.help,
                at: None,
                name,
                edit,
            },
        );
    }
}

/// Judges a setting in force where this runs.
pub(super) fn setting(name: &'static str, value: &str, place: SettingPlace, problems: &mut Vec<Problem>) {
    // Its places are those in the value; nothing else is done with them.
    let glyphs = super::glyph::decode(value.as_bytes());
    let (word, undo) = match place {
        SettingPlace::Environment => (
            "environment",
            format!("`unset {name}`, and take it out of what sets it: a profile, an image, a CI's settings"),
        ),
        SettingPlace::UserFile => ("$GOENV", format!("`go env -u {name}`")),
        SettingPlace::GorootFile => {
            ("$GOROOT/go.env", format!("take the line {name}=… out of `$(go env GOROOT)/go.env`"))
        }
    };
    for fault in faults(name, &glyphs) {
        problems.push(Problem {
            rule: fault.rule,
            severity: fault.severity,
            message: fault.message,
            found: fault.found,
            expected: fault.expected,
            by: format!("{name} ({word})"),
            help: undo.clone(),
            at: None,
            name,
            edit: None,
        });
    }
}

fn faults(name: &'static str, value: &[Glyph]) -> Vec<Fault> {
    let judged = text(value);
    let known = !judged.contains(EXPRESSION);
    let found = match name {
        "GOPROXY" => format!("{name}={}", without_credentials(&shown(value))),
        _ => format!("{name}={}", shown(value)),
    };
    let mut faults = match name {
        "GOSUMDB" if judged == "off" => vec![Fault {
            replacement: verbatim(value).map(|bytes| (bytes, DATABASE.to_owned())),
            ..Fault::new(
                &rules::env_sumdb_off::RULE,
                "GOSUMDB=off: what is new in go.sum is compared with nothing".to_owned(),
                &format!("GOSUMDB={DATABASE}, or GOSUMDB not set"),
                "go help module-auth",
                "take it out, and list what is private in GOPRIVATE; without a way out, name a proxy that serves the \
                 checksum database in GOPROXY",
            )
        }],
        "GONOSUMDB" | "GOPRIVATE" => skips_all(name, &judged),
        "GOINSECURE" if known && !judged.trim().is_empty() && judged.trim() != "none" => vec![Fault::new(
            &rules::env_insecure::RULE,
            format!("GOINSECURE: {judged} may be fetched without TLS, by anybody in between"),
            "GOINSECURE not set",
            "go help environment",
            "give the server a certificate that the machines trust (SSL_CERT_FILE), and take the setting out",
        )],
        "GOPROXY" => proxies(&judged),
        "GOFLAGS" => return flags(value),
        _ => match settings::meant(name) {
            Some(meant) => vec![Fault {
                removable: true,
                ..Fault::new(
                    &rules::env_no_such_variable::RULE,
                    format!("{name} is no setting of Go: the go command never reads it"),
                    &format!("{meant}, if anything"),
                    "go help environment",
                    "take it out; it changes nothing. What is private belongs into GOPRIVATE, by its prefix",
                )
            }],
            None => Vec::new(),
        },
    };
    for fault in &mut faults {
        fault.found.clone_from(&found);
    }
    faults
}

fn verbatim(glyphs: &[Glyph]) -> Option<Range<usize>> {
    range(glyphs).filter(|_| is_verbatim(glyphs))
}

fn skips_all(name: &str, value: &str) -> Vec<Fault> {
    // A pattern with an expression in it matches nothing here; the others count.
    let Some(all) = Patterns::new(value).matching_everything() else {
        return Vec::new();
    };
    let more = if name == "GOPRIVATE" { ", and no proxy is used" } else { "" };
    vec![Fault::new(
        &rules::env_sumdb_skips_all::RULE,
        format!("{name}: {all} matches every module: nothing is compared with the checksum database{more}"),
        "the prefixes that are private, such as git.corp.example/*",
        "go help module-private",
        "list the prefixes of what is private, and nothing else",
    )]
}

fn proxies(value: &str) -> Vec<Fault> {
    let entries: Vec<&str> = value.split([',', '|']).map(str::trim).filter(|entry| !entry.is_empty()).collect();
    let plain = entries.iter().filter(|entry| is_plain_http(entry)).map(|entry| {
        Fault::new(
            &rules::env_proxy::RULE,
            format!("GOPROXY: {} is asked without TLS: anybody in between can answer", without_credentials(entry)),
            "an https:// URL",
            "go help goproxy",
            "serve the proxy over https; what the checksum database does not know rests on this connection alone",
        )
    });
    let direct = (entries.first() == Some(&"direct")).then(|| Fault {
        severity: Severity::Low,
        ..Fault::new(
            &rules::env_proxy::RULE,
            "GOPROXY=direct: modules come from their repositories, which may change or vanish".to_owned(),
            PROXY,
            "go help goproxy",
            "let a module proxy come first: it keeps what was published, and serves the checksum database too",
        )
    });
    plain.chain(direct).collect()
}

/// A list of URLs, as GOPROXY has it, without what is before an `@`: a name, a password, a token.
pub fn without_credentials(list: &str) -> String {
    let entries = list.split_inclusive([',', '|']).map(|entry| match entry.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find(['/', '?', '#', ',', '|']).unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => entry.to_owned(),
    });
    entries.collect()
}

fn is_plain_http(entry: &str) -> bool {
    let Some(rest) = entry.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://")).map(|_| &entry[7..]) else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.contains(EXPRESSION) {
        return false;
    }
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let host = host.to_ascii_lowercase();
    let loopback = host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    !loopback
}

/// A flag, and where it stands.
struct Flag<'a> {
    glyphs: &'a [Glyph],
    /// The same with a blank to its left or right: what to take out.
    with_blank: &'a [Glyph],
    sole: bool,
}

/// GOFLAGS, split as cmd/internal/quoted.Split does: at white space, and a field may be quoted as a whole.
fn fields(value: &[Glyph]) -> Vec<Flag<'_>> {
    let is_space = |glyph: &Glyph| glyph.is_blank() || glyph.c == '\n';
    let mut ranges: Vec<(Range<usize>, bool)> = Vec::new();
    let mut at = 0;
    while at < value.len() {
        if is_space(&value[at]) {
            at += 1;
            continue;
        }
        let quote = value[at].c;
        let closed = match quote {
            '"' | '\'' => value[at + 1..].iter().position(|glyph| glyph.c == quote),
            _ => None,
        };
        match closed {
            Some(length) => {
                ranges.push((at + 1..at + 1 + length, true));
                at += length + 2;
            }
            None => {
                let length = value[at..].iter().take_while(|glyph| !is_space(glyph)).count();
                ranges.push((at..at + length, false));
                at += length;
            }
        }
    }
    let sole = ranges.len() == 1;
    ranges
        .iter()
        .map(|(range, quoted)| {
            let (start, end) = match quoted {
                true => (range.start - 1, range.end + 1),
                false => (range.start, range.end),
            };
            let with_blank = if start > 0 { start - 1..end } else { start..(end + 1).min(value.len()) };
            Flag { glyphs: &value[range.clone()], with_blank: &value[with_blank], sole }
        })
        .collect()
}

/// `-name` or `--name`, and the value after `=`.
fn parse(flag: &str) -> Option<(&str, Option<&str>)> {
    let flag = flag.strip_prefix("--").or_else(|| flag.strip_prefix('-'))?;
    Some(match flag.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (flag, None),
    })
}

/// Whether a flag that is on or off is on, as Go's package flag reads it.
fn is_on(value: Option<&str>) -> bool {
    !matches!(value, Some("0" | "f" | "F" | "false" | "False" | "FALSE"))
}

fn flags(value: &[Glyph]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for Flag { glyphs, with_blank, sole } in fields(value) {
        let written = text(glyphs);
        let Some((name, given)) = parse(&written) else { continue };
        let Some(mut fault) = flag(name, given, "GOFLAGS") else { continue };
        fault.found = shown(glyphs);
        fault.part = range(glyphs);
        let new = match name {
            "mod" => verbatim(glyphs).map(|bytes| (bytes, "-mod=readonly".to_owned())),
            "modcacherw" if sole => verbatim(glyphs).map(|bytes| (bytes, "-modcacherw=false".to_owned())),
            "modcacherw" | "insecure" if !sole => verbatim(with_blank).map(|bytes| (bytes, String::new())),
            _ => None,
        };
        fault.removable = name == "insecure";
        fault.replacement = new;
        faults.push(fault);
    }
    faults
}

/// What is wrong with a flag of the go command.
fn flag(name: &str, value: Option<&str>, place: &str) -> Option<Fault> {
    Some(match (name, value) {
        ("mod", Some("mod")) => Fault::new(
            &rules::env_mod_mod::RULE,
            format!("{place}: -mod=mod lets every build add to go.mod and go.sum instead of checking against them"),
            "-mod=readonly, the default",
            "https://go.dev/ref/mod#build-commands",
            "take it out; run `go mod tidy` by hand, and look at what it changes",
        ),
        ("insecure", value) if is_on(value) => Fault::new(
            &rules::env_insecure::RULE,
            format!("{place}: -insecure fetches without TLS, and in old versions of Go without the checksum database"),
            "no -insecure",
            "https://go.dev/doc/go1.16#go-command",
            "take it out: since Go 1.17 the go command refuses it",
        ),
        ("modcacherw", value) if is_on(value) => Fault::new(
            &rules::env_modcacherw::RULE,
            format!("{place}: -modcacherw leaves the module cache writable: later steps can change what is built"),
            "no -modcacherw",
            "go help build",
            "take it out; `go clean -modcache` empties a cache that is read-only",
        ),
        ("overlay", Some(value)) if !value.is_empty() => Fault::new(
            &rules::env_overlay::RULE,
            format!("{place}: -overlay builds other files than those that were checked"),
            "no -overlay",
            "go help build",
            "keep it to editors and tests; what is released is built from the files that lie there",
        ),
        ("modfile", Some(value)) if !value.is_empty() => Fault::new(
            &rules::env_modfile::RULE,
            format!("{place}: -modfile builds by another go.mod and go.sum than those beside it"),
            "no -modfile, or a run of modanchor on that file",
            "go help build",
            "name that file: `modanchor verify NAME.mod`",
        ),
        _ => return None,
    })
}

/// Flags of build commands that take the next word where they have no `=` (`go help build`, `go help testflag`).
const WITH_VALUE: &[&str] = &[
    "C",
    "asmflags",
    "bench",
    "benchtime",
    "blockprofile",
    "buildmode",
    "compiler",
    "count",
    "covermode",
    "coverpkg",
    "coverprofile",
    "cpu",
    "cpuprofile",
    "exec",
    "fuzz",
    "fuzztime",
    "gccgoflags",
    "gcflags",
    "installsuffix",
    "ldflags",
    "list",
    "memprofile",
    "mod",
    "modfile",
    "o",
    "outputdir",
    "overlay",
    "p",
    "parallel",
    "pgo",
    "pkgdir",
    "run",
    "shuffle",
    "skip",
    "tags",
    "timeout",
    "toolexec",
    "trace",
    "vet",
];

/// Judges a `go …` in a script.
pub(super) fn command(command: &Command, push: &mut dyn FnMut(Range<usize>, Problem)) {
    let mut words = command.words.iter().peekable();
    let mut flags: Vec<(&Word, String, Option<String>)> = Vec::new();
    let mut arguments: Vec<String> = Vec::new();
    while let Some(word) = words.next() {
        let written = word.text();
        let Some((name, given)) = parse(&written) else {
            let is_program = arguments.first().is_some_and(|run| run == "run") && !written.contains(EXPRESSION);
            arguments.push(written);
            // What comes after the program of `go run` belongs to it.
            if is_program {
                break;
            }
            continue;
        };
        if name.is_empty() || name == "args" {
            break;
        }
        let given = match given {
            // `-mod mod` is `-mod=mod`.
            None if WITH_VALUE.contains(&name) => words.next().map(Word::text),
            given => given.map(str::to_owned),
        };
        flags.push((word, name.to_owned(), given));
    }
    let subcommand = arguments.first().map_or("", String::as_str);
    // `go get` is there to change go.sum, and a program of a version of its own has no go.sum that it could change.
    let alone = matches!(subcommand, "install" | "run") && arguments[1..].iter().any(|package| package.contains('@'));
    for (word, name, given) in flags {
        if name == "mod" && (subcommand == "get" || alone) {
            continue;
        }
        if let Some(fault) = flag(&name, given.as_deref(), "go command")
            && let Some(at) = word.source.clone()
        {
            let problem = Problem {
                rule: fault.rule,
                severity: fault.severity,
                message: fault.message,
                found: shown(&word.glyphs),
                expected: fault.expected,
                by: fault.by.to_owned(),
                help: fault.help,
                at: None,
                name: "go",
                edit: None,
            };
            push(at, problem);
        }
    }
}
