//! Shell: scripts, and what other files hand to a shell.
//!
//! A reader of commands and words, not an interpreter: it knows quotes, comments, continuation lines, here-documents,
//! pipes, redirections and substitutions as POSIX sh and bash have them, and enough of `$env:NAME = …` (PowerShell),
//! `setenv` (csh) and `set -x` (fish) to see a variable being set. It does not follow variables, functions or
//! conditions: what stands in the text may be run.
//!
//! A mistake here hides a finding or makes one too many; it never touches what modanchor says of bytes. Time is linear
//! in the text, for each of at most [`MAX_DEPTH`] levels of scripts inside of scripts.

use std::ops::Range;

use super::glyph::{EXPRESSION, Ends, Glyph, range, text};
use super::{Assignment, Command, Facts, settings};

/// How deep scripts in scripts are read: `$(…)`, `bash -c '…'`, `echo '…' >> file`, here-documents. What is deeper is
/// taken for text.
pub(super) const MAX_DEPTH: u8 = 8;

/// Words after which a command begins.
const RESERVED: &[&str] = &["!", "{", "do", "elif", "else", "if", "then", "time", "until", "while"];

/// Commands that run the command after them.
const WRAPPERS: &[&str] =
    &["builtin", "command", "doas", "env", "exec", "ionice", "nice", "nohup", "stdbuf", "sudo", "timeout", "xargs"];

/// Options of these that take the next word.
const WRAPPER_OPTIONS: &[&str] = &["-C", "-I", "-L", "-P", "-g", "-n", "-u"];

const EXPORTS: &[&str] = &["declare", "export", "local", "readonly", "typeset"];
const SHELLS: &[&str] = &["ash", "bash", "dash", "eval", "ksh", "powershell", "pwsh", "sh", "ssh", "su", "zsh"];
const CONTAINERS: &[&str] = &["buildah", "compose", "docker", "docker-compose", "nerdctl", "podman"];
const MAKES: &[&str] = &["gmake", "make"];
const PRINTERS: &[&str] = &["Add-Content", "Write-Output", "cat", "echo", "printf"];

/// A word, with its quotes and escapes taken away.
#[derive(Debug, Clone, Default)]
pub(super) struct Word {
    pub(super) glyphs: Vec<Glyph>,
    /// How many of them come before the first that was quoted.
    plain: usize,
    /// Its bytes in the file, quotes included.
    pub(super) source: Option<Range<usize>>,
}

impl Word {
    /// A word that needs no more reading, such as a string in JSON.
    pub(super) fn of(glyphs: Vec<Glyph>) -> Self {
        Self { plain: glyphs.len(), source: range(&glyphs), glyphs }
    }

    pub(super) fn text(&self) -> String {
        text(&self.glyphs)
    }

    fn extend_source(&mut self, glyph: Glyph) {
        match &mut self.source {
            Some(source) => {
                source.start = source.start.min(glyph.at);
                source.end = source.end.max(glyph.end);
            }
            None => self.source = Some(glyph.at..glyph.end),
        }
    }

    /// NAME=VALUE, of a name that is of interest.
    pub(super) fn assignment(&self) -> Option<Assignment> {
        let equals = self.glyphs.iter().position(|glyph| glyph.c == '=')?;
        let name = self.glyphs[..equals].strip_suffix_plus();
        let named = settings::of_interest(&text(name))?;
        let name = range(name)?;
        Some(Assignment::new(named, name, self.glyphs[equals + 1..].to_vec(), self.source.clone()))
    }

    /// The same where the shell itself reads it: the name and the `=` are not quoted.
    fn shell_assignment(&self) -> Option<Assignment> {
        let equals = self.glyphs.iter().position(|glyph| glyph.c == '=')?;
        if equals < self.plain { self.assignment() } else { None }
    }

    /// Whether it is NAME=VALUE, of any name.
    fn assigns(&self) -> bool {
        let equals = self.glyphs.iter().position(|glyph| glyph.c == '=');
        equals.is_some_and(|equals| {
            equals < self.plain && equals > 0 && {
                let name = text(self.glyphs[..equals].strip_suffix_plus());
                name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                    && !name.starts_with(|c: char| c.is_numeric())
            }
        })
    }
}

/// `NAME+=VALUE` adds to a variable.
trait Plus {
    fn strip_suffix_plus(&self) -> &[Glyph];
}

impl Plus for [Glyph] {
    fn strip_suffix_plus(&self) -> &[Glyph] {
        match self {
            [name @ .., plus] if plus.c == '+' => name,
            name => name,
        }
    }
}

/// One simple command.
#[derive(Debug, Default)]
struct Statement {
    words: Vec<Word>,
    /// Its output goes to a file.
    redirected: bool,
    /// Its output goes to the next command.
    piped: bool,
    /// Here-documents, as ranges of the text.
    documents: Vec<Range<usize>>,
}

/// Finds what a script sets, and the go commands in it.
pub(super) fn scan(script: &[Glyph], facts: &mut Facts) {
    scan_at(script, 0, facts);
}

fn scan_at(script: &[Glyph], depth: u8, facts: &mut Facts) {
    if depth >= MAX_DEPTH {
        return;
    }
    let mut lexer = Lexer { glyphs: script, at: 0, operators: true, ..Lexer::default() };
    let mut statements = lexer.statements();
    redirect_groups(&mut statements);
    let nested = std::mem::take(&mut lexer.nested);
    for (number, statement) in statements.iter().enumerate() {
        // `echo … | tee -a FILE`: what is printed ends in a file.
        let next = statements.get(number + 1).filter(|_| statement.piped);
        let tee = next.and_then(|next| next.words.first()).is_some_and(|word| {
            matches!(word.text().as_str(), "tee" | "sudo" | "Out-File" | "Add-Content") || is_shell(&word.text())
        });
        let to_file = statement.redirected || tee;
        let name = command(&statement.words, to_file, depth, facts);
        let shows_only = name.is_some_and(|name| PRINTERS.contains(&name.as_str())) && !to_file;
        for document in statement.documents.iter().filter(|_| !shows_only) {
            scan_at(&script[document.clone()], depth + 1, facts);
        }
    }
    for inner in nested {
        scan_at(&script[inner], depth + 1, facts);
    }
}

/// `{ …; } >FILE`, and the same of loops and conditions: the output of every command in between goes to the file.
fn redirect_groups(statements: &mut [Statement]) {
    let mut open = Vec::new();
    for number in 0..statements.len() {
        // `do if true`: what a command begins with may open more than one.
        for word in statements[number].words.iter().map(Word::text).take(2).collect::<Vec<_>>() {
            match word.as_str() {
                "do" | "then" | "else" | "!" => {}
                "{" | "for" | "while" | "until" | "select" | "if" | "case" => open.push(number),
                "}" | "done" | "fi" | "esac" => {
                    let start = open.pop().unwrap_or(number);
                    if statements[number].redirected {
                        statements[start..number].iter_mut().for_each(|statement| statement.redirected = true);
                    }
                    break;
                }
                _ => break,
            }
        }
    }
}

/// Reads a text into words, without commands: quotes and expansions as in a shell, no operators.
pub(super) fn words(text: &[Glyph]) -> Vec<Word> {
    let mut lexer = Lexer { glyphs: text, at: 0, operators: false, ..Lexer::default() };
    lexer.statements().into_iter().flat_map(|statement| statement.words).collect()
}

/// Reads one simple command. Gives its name.
pub(super) fn command(words: &[Word], to_file: bool, depth: u8, facts: &mut Facts) -> Option<String> {
    let sole = words.len() == 1;
    let mut rest = words;
    let mut wrapped = false;
    let name = loop {
        let (first, after) = rest.split_first()?;
        let text = first.text();
        let base = text.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        // What `env` and `sudo` set may be quoted.
        if first.assigns() || (wrapped && first.assignment().is_some()) {
            let found = if wrapped { first.assignment() } else { first.shell_assignment() };
            facts.assign(found.map(|found| if sole { found.alone(first.source.clone()) } else { found }));
        } else if WRAPPERS.contains(&base.as_str()) {
            wrapped = true;
        } else if wrapped && text.starts_with('-') {
            if WRAPPER_OPTIONS.contains(&text.as_str()) && !after.is_empty() {
                rest = &after[1..];
                continue;
            }
        } else if wrapped && base.starts_with(|c: char| c.is_ascii_digit()) {
            // `timeout 30s go test`
        } else if !RESERVED.contains(&text.as_str()) {
            break base;
        }
        rest = after;
    };
    let (first, args) = rest.split_first()?;
    if to_file && args.is_empty() {
        // PowerShell prints what stands alone: `"NAME=VALUE" >> $env:GITHUB_ENV`.
        facts.assign(first.assignment());
    }
    let option = |word: &Word| word.text().starts_with('-');
    if is_go(&name) {
        if let [env, args @ ..] = args
            && env.text() == "env"
        {
            if args.iter().any(|word| matches!(word.text().as_str(), "-w" | "--w" | "-w=true")) {
                facts.assign(args.iter().map(Word::assignment));
            }
        } else {
            facts.commands.push(Command { words: args.to_vec() });
        }
    } else if EXPORTS.contains(&name.as_str()) {
        let whole = match (words, args) {
            ([export, _], [arg]) => export.source.clone().zip(arg.source.clone()).map(|(a, b)| a.start..b.end),
            _ => None,
        };
        facts.assign(args.iter().map(|word| {
            let found = word.assignment()?;
            Some(match &whole {
                Some(_) => found.alone(whole.clone()),
                None => found,
            })
        }));
    } else if MAKES.contains(&name.as_str()) {
        facts.assign(args.iter().map(Word::assignment));
    } else if CONTAINERS.contains(&name.as_str()) {
        containers(args, facts);
    } else if PRINTERS.contains(&name.as_str()) && to_file {
        args.iter().filter(|word| !option(word)).for_each(|word| scan_at(&printed(&word.glyphs), depth + 1, facts));
    } else if is_shell(&name) {
        // `eval` runs its words, the others the word after `-c`, ssh and su whatever comes last.
        let scripts = args.iter().filter(|word| word.glyphs.iter().any(|glyph| glyph.is_blank() || glyph.c == '='));
        scripts.for_each(|word| scan_at(&word.glyphs, depth + 1, facts));
    } else if name == "setenv" || (name == "set" && args.first().is_some_and(|word| is_fish_export(&word.text()))) {
        let args = if name == "set" { &args[1..] } else { args };
        if let [name, value, ..] = args {
            facts.assign(pair(name, value));
        }
    } else if let Some(value) = powershell(first, args) {
        facts.assign(Some(value));
    }
    Some(name)
}

/// As printf prints it: `\n` is the end of a line.
fn printed(glyphs: &[Glyph]) -> Vec<Glyph> {
    let mut out: Vec<Glyph> = Vec::with_capacity(glyphs.len());
    for glyph in glyphs {
        match out.last_mut() {
            Some(last) if last.c == '\\' && glyph.c == 'n' => {
                *last = Glyph { c: '\n', at: last.at, end: glyph.end };
            }
            _ => out.push(*glyph),
        }
    }
    out
}

/// `-x`, `-gx`, `-Ux`, `--export` of fish's `set`.
fn is_fish_export(option: &str) -> bool {
    option == "--export" || (option.starts_with('-') && !option.starts_with("--") && option.contains('x'))
}

fn is_shell(name: &str) -> bool {
    SHELLS.contains(&name.trim_end_matches(".exe"))
}

/// `go`, `go1.27`, `go.exe`, and what a variable of that name is taken for.
fn is_go(name: &str) -> bool {
    let name = name.trim_end_matches(".exe");
    name == "go" || name.strip_prefix("go1.").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

fn pair(name: &Word, value: &Word) -> Option<Assignment> {
    let named = settings::of_interest(&name.text())?;
    Some(Assignment::new(named, range(&name.glyphs)?, value.glyphs.clone(), None))
}

/// `-e NAME=VALUE`, `--env=NAME=VALUE`, `--build-arg NAME=VALUE`.
pub(super) fn containers(args: &[Word], facts: &mut Facts) {
    for (number, word) in args.iter().enumerate() {
        let text = word.text();
        if matches!(text.as_str(), "-e" | "--env" | "--build-arg") {
            facts.assign(args.get(number + 1).map(Word::assignment));
        } else if let Some(rest) = ["--env=", "--build-arg="].iter().find(|option| text.starts_with(**option)) {
            let inner =
                Word { glyphs: word.glyphs[rest.chars().count()..].to_vec(), plain: 0, source: word.source.clone() };
            facts.assign(inner.assignment());
        }
    }
}

/// `$env:NAME = 'value'`, which begins with what looks like the variable `env`.
fn powershell(first: &Word, args: &[Word]) -> Option<Assignment> {
    let [env, colon, rest @ ..] = first.glyphs.as_slice() else {
        return None;
    };
    if env.c != EXPRESSION || env.end - env.at != "$env".len() || colon.c != ':' {
        return None;
    }
    let equals = rest.iter().position(|glyph| glyph.c == '=');
    let name = equals.map_or(rest, |equals| &rest[..equals]);
    let named = settings::of_interest(&text(name))?;
    let value = match equals {
        Some(equals) if equals + 1 < rest.len() => rest[equals + 1..].to_vec(),
        Some(_) => args.first()?.glyphs.clone(),
        None if args.first()?.text() == "=" => args.get(1)?.glyphs.clone(),
        None => return None,
    };
    Some(Assignment::new(named, range(name)?, value, None))
}

#[derive(Default)]
struct Lexer<'a> {
    glyphs: &'a [Glyph],
    at: usize,
    /// Whether `;`, `|`, `>` and the like mean something.
    operators: bool,
    ends: Ends,
    /// Quotes and backquotes that are never closed are characters like others.
    unclosed: Vec<char>,
    /// Scripts in `$(…)` and backquotes.
    nested: Vec<Range<usize>>,
    /// Here-documents that begin on the next line: their end, whether tabs before it count, and their statement.
    awaited: Vec<(String, bool, usize)>,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.glyphs.get(self.at + ahead).map(|glyph| glyph.c)
    }

    fn statements(&mut self) -> Vec<Statement> {
        let mut done: Vec<Statement> = Vec::new();
        let mut now = Statement::default();
        // What the next word is, if it is no word of the command.
        let mut target = Target::None;
        while let Some(c) = self.peek(0) {
            match c {
                '\n' => {
                    self.at += 1;
                    if self.operators {
                        target = Target::None;
                        done.push(std::mem::take(&mut now));
                        self.documents(&mut done);
                    }
                }
                ' ' | '\t' | '\r' => self.at += 1,
                '\\' if self.continues() => {}
                '#' if self.operators => self.at += self.glyphs[self.at..].iter().take_while(|g| g.c != '\n').count(),
                ';' | '(' | ')' if self.operators => {
                    self.at += 1;
                    done.push(std::mem::take(&mut now));
                }
                '|' | '&' if self.operators => {
                    let double = self.peek(1) == Some(c);
                    if c == '&' && self.peek(1) == Some('>') {
                        self.at += 1;
                        continue;
                    }
                    now.piped = c == '|' && !double;
                    self.at += 1 + usize::from(double);
                    done.push(std::mem::take(&mut now));
                }
                '<' if self.operators => {
                    let count = self.glyphs[self.at..].iter().take(3).take_while(|g| g.c == '<').count();
                    self.at += count;
                    target = match count {
                        2 if self.peek(0) == Some('-') => {
                            self.at += 1;
                            Target::Document { tabs: true }
                        }
                        2 => Target::Document { tabs: false },
                        _ => Target::Input,
                    };
                }
                '>' if self.operators => {
                    self.at += 1 + usize::from(matches!(self.peek(1), Some('>' | '|')));
                    if self.peek(0) == Some('&') {
                        self.at += 1;
                        target = Target::Input;
                    } else {
                        target = Target::Output;
                    }
                }
                _ => {
                    let word = self.word();
                    match std::mem::replace(&mut target, Target::None) {
                        Target::Document { tabs } => self.awaited.push((word.text(), tabs, done.len())),
                        Target::Input => {}
                        Target::Output => now.redirected |= !word.text().starts_with("/dev/"),
                        Target::None => {
                            // `2>file`: the number belongs to the redirection.
                            let number = self.peek(0) == Some('>')
                                && word.plain > 0
                                && word.glyphs.iter().all(|glyph| glyph.c.is_ascii_digit());
                            if !(number && self.operators) {
                                now.words.push(word);
                            }
                        }
                    }
                }
            }
        }
        done.push(now);
        self.documents(&mut done);
        done.retain(|statement| !statement.words.is_empty() || !statement.documents.is_empty());
        done
    }

    /// Steps over a backslash at the end of a line.
    fn continues(&mut self) -> bool {
        let width = match (self.peek(1), self.peek(2)) {
            (Some('\n'), _) => 2,
            (Some('\r'), Some('\n')) => 3,
            _ => return false,
        };
        self.at += width;
        true
    }

    /// Takes the here-documents that begin here.
    fn documents(&mut self, done: &mut [Statement]) {
        for (end, tabs, statement) in std::mem::take(&mut self.awaited) {
            let start = self.at;
            let mut until = self.glyphs.len();
            while self.at < self.glyphs.len() {
                let line_start = self.at;
                let line = self.glyphs[self.at..].split(|glyph| glyph.c == '\n').next().unwrap_or_default();
                self.at = (self.at + line.len() + 1).min(self.glyphs.len());
                let line = text(line);
                let line = line.trim_end_matches('\r');
                if (if tabs { line.trim_start_matches('\t') } else { line }) == end {
                    until = line_start;
                    break;
                }
            }
            if let Some(statement) = done.get_mut(statement) {
                statement.documents.push(start..until.max(start));
            }
        }
    }

    /// The word that begins here: at least one character is taken.
    fn word(&mut self) -> Word {
        let mut word = Word::default();
        let mut quoted = false;
        let start = self.at;
        while let Some(c) = self.peek(0) {
            match c {
                ' ' | '\t' | '\r' | '\n' => break,
                ';' | '|' | '&' | '(' | ')' | '<' | '>' if self.operators && self.at > start => break,
                '\\' if self.continues() => continue,
                '\\' => {
                    word.extend_source(self.glyphs[self.at]);
                    self.at += 1;
                    quoted = true;
                    if self.peek(0).is_some() {
                        self.take(&mut word);
                    }
                    continue;
                }
                '\'' | '"' if !self.unclosed.contains(&c) => {
                    if self.quoted(&mut word, c) {
                        quoted = true;
                        continue;
                    }
                    self.unclosed.push(c);
                }
                '$' | '`' if self.expression(&mut word) => {}
                _ => self.take(&mut word),
            }
            if !quoted {
                word.plain = word.glyphs.len();
            }
        }
        word
    }

    /// Takes one character as it is.
    fn take(&mut self, word: &mut Word) {
        let glyph = self.glyphs[self.at];
        word.glyphs.push(glyph);
        word.extend_source(glyph);
        self.at += 1;
    }

    /// Takes what is in quotes, if they are closed.
    fn quoted(&mut self, word: &mut Word, quote: char) -> bool {
        let (start, nested, glyphs) = (self.at, self.nested.len(), word.glyphs.len());
        self.at += 1;
        while let Some(c) = self.peek(0) {
            match c {
                _ if c == quote => {
                    word.extend_source(self.glyphs[start]);
                    word.extend_source(self.glyphs[self.at]);
                    self.at += 1;
                    return true;
                }
                '\\' if quote == '"' && self.continues() => {}
                '\\' if quote == '"' && matches!(self.peek(1), Some('"' | '\\' | '$' | '`')) => {
                    self.at += 1;
                    self.take(word);
                }
                '$' | '`' if quote == '"' && self.expression(word) => {}
                _ => self.take(word),
            }
        }
        self.at = start;
        self.nested.truncate(nested);
        word.glyphs.truncate(glyphs);
        false
    }

    /// Takes an expansion, if here is one. Scripts in it are read later; `$GO` and `${GO}` are taken for the go command.
    fn expression(&mut self, word: &mut Word) -> bool {
        let rest = &self.glyphs[self.at..];
        let length = match rest[0].c {
            '`' if !self.unclosed.contains(&'`') => {
                let end = rest[1..].iter().position(|glyph| glyph.c == '`');
                if end.is_none() {
                    self.unclosed.push('`');
                }
                end.map(|end| end + 2)
            }
            '$' => self.ends.expansion(rest),
            _ => None,
        };
        let Some(length) = length else { return false };
        let inner = &rest[..length];
        match text(&inner[..length.min(6)]).as_str() {
            "$GO" | "${GO}" => {
                word.glyphs.extend([inner[0].as_char('g'), inner[1].as_char('o')]);
            }
            start => {
                if start.starts_with('`') {
                    self.nested.push(self.at + 1..self.at + length - 1);
                } else if start.starts_with("$(") {
                    self.nested.push(self.at + 2..self.at + length - 1);
                }
                word.glyphs.push(Glyph { c: EXPRESSION, at: inner[0].at, end: inner[length - 1].end });
            }
        }
        word.extend_source(inner[0]);
        word.extend_source(inner[length - 1]);
        self.at += length;
        true
    }
}

/// What a word after an operator is.
enum Target {
    /// A word of the command.
    None,
    /// The end of a here-document.
    Document { tabs: bool },
    /// A file that is read, or a descriptor.
    Input,
    /// A file that is written.
    Output,
}
