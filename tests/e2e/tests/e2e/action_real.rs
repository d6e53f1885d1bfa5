//! The Action with the real program, on the simulated runner and offline: what a pull request, a push, a merge queue or
//! a schedule comes to for somebody who has the docs' workflow, and what a hostile pull request gets.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use e2e::runner::{DEFAULT_BRANCH, Ended, Event, From, Job, Machine, Origin, RELEASE, REPOSITORY, WorkflowCommand};
use e2e::{Sandbox, change_hash, files, fixture, has_git, modanchor, recorded_proxy, root, write};
use serde_json::{Map, Value, json};

/// The line of go.sum that [`tampered`] adds with a hash that the database does not have: golang.org/x/sync.
const LINE: usize = 12;

/// The first and last column of the hash on it.
const COLUMNS: (u64, u64) = (27, 73);

/// The size of the tree that was recorded.
const TREE: &str = "69959272";

/// Permissions.
const READS: (&str, &str) = ("contents", "read");
const READS_PULLS: (&str, &str) = ("pull-requests", "read");
const UPLOADS: (&str, &str) = ("security-events", "write");
const CHECKS: (&str, &str) = ("checks", "write");

/// A finding about golang.org/x/sync counts no more.
const IGNORE: &str = "[[ignore]]\nrule = \"gosum-mismatch\"\nmodule = \"golang.org/x/sync\"\nreason = \"it is mine\"\n";

type Files<'a> = Vec<(&'a str, String)>;

fn hello(name: &str) -> String {
    fs::read_to_string(fixture("hello").join(name)).expect("the fixture is there")
}

/// A file of the project, before golang.org/x/sync was added to it.
fn before(name: &str) -> String {
    hello(name).lines().filter(|line| !line.contains("x/sync")).map(|line| format!("{line}\n")).collect()
}

/// The project before that.
fn project() -> Files<'static> {
    vec![("go.mod", before("go.mod")), ("go.sum", before("go.sum")), ("main.go", hello("main.go"))]
}

/// Adds golang.org/x/sync, with a hash in go.sum that is not the database's.
fn tampered() -> Files<'static> {
    vec![("go.mod", hello("go.mod")), ("go.sum", change_hash(&hello("go.sum"), LINE))]
}

/// Adds golang.org/x/sync as it is.
fn good() -> Files<'static> {
    vec![("go.mod", hello("go.mod")), ("go.sum", hello("go.sum"))]
}

fn with<'a>(mut files: Files<'a>, name: &'a str, text: &str) -> Files<'a> {
    files.retain(|(other, _)| *other != name);
    files.push((name, text.to_owned()));
    files
}

fn borrowed<'a>(files: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    files.iter().map(|(name, text)| (*name, text.as_str())).collect()
}

/// A runner that has the program as its release, and a repository.
struct Here {
    machine: Machine,
    origin: Origin,
    /// How deep actions/checkout fetches; 0: all there is.
    depth: u64,
    /// Steps between the checkout and the Action.
    steps: Vec<Value>,
}

impl Here {
    /// None where there is no git.
    fn new() -> Option<Self> {
        Self::of(&project())
    }

    fn of(files: &[(&str, String)]) -> Option<Self> {
        if !has_git() {
            return None;
        }
        let mut machine = Machine::new();
        machine.installed(&fs::read(modanchor()).expect("it is built"));
        for (name, value) in [("GOPROXY", recorded_proxy()), ("GOENV", "off".into()), ("NO_PROXY", "127.0.0.1".into())]
        {
            machine.env.insert(name.into(), value);
        }
        Some(Self { machine, origin: Origin::new(&borrowed(files)), depth: 0, steps: Vec::new() })
    }

    fn pull_request(&self, from: From, files: &[(&str, String)]) -> Event {
        self.origin.pull_request(from, &borrowed(files))
    }

    /// A job of a checkout and these steps, with these permissions.
    fn steps(&mut self, event: &Event, permissions: &[(&str, &str)], steps: &[Value]) -> Job {
        let mut all = vec![json!({"uses": "actions/checkout@main", "with": {"fetch-depth": self.depth}})];
        all.extend_from_slice(&self.steps);
        all.extend_from_slice(steps);
        let permissions: BTreeMap<_, _> = permissions.iter().copied().collect();
        let job = json!({"runs-on": "ubuntu-24.04", "permissions": permissions, "steps": all});
        let workflow = json!({"on": [event.name], "jobs": {"verify": job}}).to_string();
        self.machine.workflow(&self.origin, event, &workflow)
    }

    /// The Action with these inputs.
    fn on(&mut self, event: &Event, permissions: &[(&str, &str)], inputs: &[(&str, &str)]) -> Job {
        // As literals of an expression, so that what looks like an expression arrives as it is.
        let literal = |text: &str| json!(format!("${{{{ '{}' }}}}", text.replace('\'', "''")));
        let with: Map<String, Value> = inputs.iter().map(|(k, v)| ((*k).to_owned(), literal(v))).collect();
        self.steps(event, permissions, &[json!({"uses": "modanchor/modanchor@main", "with": with})])
    }

    /// A command in a step, with the program on the PATH and the token in the environment.
    fn command(&mut self, event: &Event, permissions: &[(&str, &str)], command: &str) -> Job {
        let link = self.machine.bin().join("modanchor");
        if !link.exists() {
            std::os::unix::fs::symlink(fs::canonicalize(modanchor()).expect("it is built"), link).expect("a link");
        }
        let step = json!({"id": "command", "run": command, "env": {"GITHUB_TOKEN": "${{ github.token }}"}});
        self.steps(event, permissions, &[step])
    }

    /// What was uploaded last: the request, and the SARIF in it.
    fn uploaded(&self) -> (Value, Value) {
        let upload = self.machine.github.sarifs().pop().expect("something was uploaded");
        let sarif = unpacked(&upload);
        (upload, sarif)
    }

    fn uploads(&self) -> usize {
        self.machine.github.sarifs().len()
    }
}

/// The SARIF in an upload.
fn unpacked(upload: &Value) -> Value {
    let gzip = base64::prelude::BASE64_STANDARD.decode(upload["sarif"].as_str().expect("a text")).expect("base64");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*gzip).read_to_string(&mut text).expect("gzip");
    serde_json::from_str(&text).expect("JSON")
}

/// A file that an output names.
fn named(job: &Job, output: &str) -> Value {
    let path = job.output(output);
    assert!(Path::new(path).is_absolute(), "{output}: {path}");
    serde_json::from_slice(&fs::read(path).expect("it is there")).expect("JSON")
}

/// The verdict is `status`, and the outputs say so.
#[track_caller]
fn came_to(job: Job, status: i32) -> Job {
    let job = job.ended(if status == 0 { Ended::Success } else { Ended::Failure });
    let verdict = ["pass", "fail", "incomplete", "incomplete"][usize::try_from(status).expect("a status")];
    let said = (job.output("status"), job.output("verdict"));
    assert_eq!(said, (&*status.to_string(), verdict), "{}", job.log());
    assert_eq!(job.step("end").status, Some(status));
    assert_eq!(job.step("verify").outcome, Ended::Success, "{}", job.log());
    job
}

/// Where an annotation by workflow command is: file, line, columns.
fn place(command: &WorkflowCommand) -> (String, [u64; 4]) {
    let property = |name: &str| command.properties.get(name).cloned().unwrap_or_default();
    (property("file"), ["line", "endLine", "col", "endColumn"].map(|name| property(name).parse().unwrap_or_default()))
}

/// The lines with annotations by workflow command.
fn lines(job: &Job) -> Vec<String> {
    job.annotations().iter().map(place).map(|(file, [line, ..])| format!("{file}:{line}")).collect()
}

/// How often a text is in another.
fn times(text: &str, what: &str) -> usize {
    text.matches(what).count()
}

/// Without what differs from run to run: the server's port, names of commits and programs, the time.
fn steady(text: &str, here: &Here) -> String {
    let mut out = String::new();
    let text = text.replace(&here.machine.github.url(), "https://github.example");
    let mut rest = text.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_hexdigit()) {
        let length = rest[at..].find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len() - at);
        out += &rest[..at];
        let word = &rest[at..at + length];
        out += if word.len() >= 40 { "[digest]" } else { word };
        rest = &rest[at + length..];
    }
    out += rest;
    let Some((start, end)) = out.split_once("checked at <code>") else { return out };
    let (_, end) = end.split_once("</code>").expect("it ends");
    format!("{start}checked at <code>[time]</code>{end}")
}

/// A tampered line was found, and nothing else.
#[track_caller]
fn found_it(job: Job) -> Job {
    let job = came_to(job, 1);
    for (output, want) in
        [("findings-count", "1"), ("modules-checked", "11"), ("tree-size", TREE), ("version", RELEASE)]
    {
        assert_eq!(job.output(output), want, "{output}");
    }
    let report = named(&job, "report-json");
    assert_eq!((&report["schema"], &report["verdict"]), (&json!("modanchor-report/1"), &json!("fail")));
    let sarif = named(&job, "sarif-file");
    assert_eq!((&sarif["version"], sarif["runs"][0]["results"].as_array().map(Vec::len)), (&json!("2.1.0"), Some(1)));
    job
}

#[test]
fn a_tampered_line_is_annotated_once_by_workflow_commands() {
    let Some(mut here) = Here::new() else { return };
    let event = here.pull_request(From::Own, &tampered());
    let inputs = [("annotations", "workflow"), ("upload-sarif", "false")];
    let job = found_it(here.on(&event, &[READS, UPLOADS, CHECKS], &inputs));
    let commands = job.commands();
    assert_eq!(commands.len(), 1, "{commands:#?}");
    let line = LINE as u64;
    assert_eq!(place(&commands[0]), ("go.sum".into(), [line, line, COLUMNS.0, COLUMNS.1]));
    assert_eq!(
        (&*commands[0].name, &*commands[0].properties["title"]),
        ("error", "modanchor: gosum-mismatch (critical)")
    );
    assert!(commands[0].message.contains("the hash of golang.org/x/sync v0.24.0 is not the one"), "{commands:#?}");
    assert_eq!((here.uploads(), here.machine.github.check_runs().len()), (0, 0));
    insta::assert_snapshot!("summary_of_a_tampered_line", steady(&job.summary, &here));
    insta::assert_snapshot!("log_of_a_tampered_line", steady(&job.step("verify").log, &here));
    let job = found_it(here.on(&event, &[READS], &[("annotations", "off"), ("summary", "false")]));
    assert_eq!((job.commands(), &*job.summary), (Vec::new(), ""));
}

#[test]
fn a_tampered_line_is_annotated_once_by_a_check_run() {
    let Some(mut here) = Here::new() else { return };
    let event = here.pull_request(From::Own, &tampered());
    let inputs = [("annotations", "checks"), ("upload-sarif", "false")];
    let job = found_it(here.on(&event, &[READS, CHECKS], &inputs));
    assert_eq!(job.commands(), [], "not in two ways");
    let runs = here.machine.github.check_runs();
    assert_eq!(runs.len(), 1);
    let run = &runs[0];
    assert_eq!(run["head_sha"], event.payload["pull_request"]["head"]["sha"], "the merge commit is on no page");
    assert_eq!(
        (&run["status"], &run["conclusion"], &run["name"]),
        (&json!("completed"), &json!("failure"), &json!("modanchor"))
    );
    let annotations = run["output"]["annotations"].as_array().expect("annotations");
    assert_eq!(annotations.len(), 1, "{annotations:#?}");
    let want = [
        ("path", json!("go.sum")),
        ("start_line", json!(LINE)),
        ("end_line", json!(LINE)),
        ("start_column", json!(COLUMNS.0)),
        ("end_column", json!(COLUMNS.1)),
        ("annotation_level", json!("failure")),
    ];
    for (key, value) in want {
        assert_eq!(annotations[0][key], value, "{key}");
    }
}

#[test]
fn a_tampered_line_is_annotated_once_by_code_scanning() {
    let Some(mut here) = Here::new() else { return };
    let event = here.pull_request(From::Own, &tampered());
    for (inputs, id) in [(&[][..], "modanchor/"), (&[("path", ".")], "modanchor/"), (&[("category", "mine")], "mine/")]
    {
        let job = found_it(here.on(&event, &[READS, UPLOADS], inputs));
        assert_eq!(job.commands(), [], "not in two ways");
        let (upload, sarif) = here.uploaded();
        assert_eq!((&upload["ref"], &upload["commit_sha"]), (&json!("refs/pull/7/merge"), &json!(event.sha)));
        assert_eq!(sarif, named(&job, "sarif-file"));
        let run = &sarif["runs"][0];
        assert_eq!(run["automationDetails"]["id"], id, "{inputs:?}");
        let locations = run["results"][0]["locations"].as_array().expect("locations");
        assert_eq!(locations.len(), 1);
        let place = &locations[0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "go.sum");
        // SARIF's end column is the one behind.
        let region = json!({"startLine": LINE, "endLine": LINE, "startColumn": COLUMNS.0, "endColumn": COLUMNS.1 + 1});
        assert_eq!(place["region"], region);
    }
    assert_eq!(here.uploads(), 3);
}

/// Under which name something is uploaded; or why not.
type Upload<'a> = Result<&'a str, &'a str>;

#[test]
fn every_event_has_its_status_and_its_way_to_show() {
    let Some(mut here) = Here::new() else { return };
    let all = [READS, UPLOADS, CHECKS];
    let main = format!("refs/heads/{DEFAULT_BRANCH}");
    let bad = tampered();
    let cases: [(Event, i32, Upload<'_>, &[&str]); 7] = [
        (here.origin.schedule(), 0, Ok(&main), &[]),
        (here.origin.pushed("refs/heads/feature"), 0, Ok("refs/heads/feature"), &[]),
        (here.origin.pushed("refs/tags/v1.0.0"), 0, Ok("refs/tags/v1.0.0"), &[]),
        (here.pull_request(From::Own, &bad), 1, Ok("refs/pull/7/merge"), &[]),
        (
            here.pull_request(From::Fork, &bad),
            1,
            Err("a pull request from a fork has a token that can only read"),
            &["go.sum:12"],
        ),
        (
            here.origin.merge_group(&borrowed(&bad)),
            1,
            Err("the branch of a merge queue is gone before anybody looks"),
            &["go.sum:12"],
        ),
        // It judges what is checked out, which is the base.
        (here.origin.pull_request_target(&borrowed(&bad)), 0, Err("pull_request_target runs on the base branch"), &[]),
    ];
    for (event, status, upload, annotated) in &cases {
        let before = here.uploads();
        let job = came_to(here.on(event, &all, &[]), *status);
        let log = job.log();
        assert_eq!(lines(&job), *annotated, "{}: {log}", event.name);
        match upload {
            Ok(name) => {
                assert_eq!(here.uploads(), before + 1, "{}: {log}", event.name);
                let (upload, _) = here.uploaded();
                assert_eq!((&upload["ref"], &upload["commit_sha"]), (&json!(name), &json!(event.sha)));
            }
            Err(why) => {
                assert_eq!(here.uploads(), before, "{}", event.name);
                assert_eq!(times(&log, &format!("note: SARIF is not uploaded: {why}")), 1, "{}: {log}", event.name);
            }
        }
        assert!(here.machine.github.check_runs().is_empty());
        assert!(here.machine.cache_keys().is_empty(), "{}: only a push to the default branch saves", event.name);
        assert_eq!(job.output("cache-hit"), "false");
        assert!(job.summary.contains("modanchor: "), "{}", job.summary);
    }

    // A push to the default branch keeps what it verified, and a second has nothing new to keep.
    let push = here.origin.push();
    let cold = came_to(here.on(&push, &all, &[]), 0);
    let keys = here.machine.cache_keys();
    assert_eq!(keys.len(), 1, "{}", cold.log());
    assert_eq!(keys[0].0, main);
    let warm = came_to(here.on(&push, &all, &[]), 0);
    assert_eq!((cold.output("cache-hit"), warm.output("cache-hit")), ("false", "true"));
    assert_eq!(here.machine.cache_keys(), keys);
    // The others are warm too, remember the tree, and keep nothing.
    for (event, status, ..) in &cases {
        let job = came_to(here.on(event, &all, &[]), *status);
        assert_eq!(job.output("cache-hit"), "true", "{}", event.name);
        let report = named(&job, "report-json");
        assert_ne!(report["sumdbs"][0]["floor"], "none", "{}", event.name);
        assert_eq!(job.output("tree-size"), TREE);
    }
    assert_eq!(here.machine.cache_keys(), keys);
    // A push that is wrong fails, and what was proven is kept all the same.
    here.origin.commit(&borrowed(&bad));
    let push = here.origin.push();
    let job = came_to(here.on(&push, &all, &[]), 1);
    assert_eq!(lines(&job), ["go.sum:12"], "a push has no page where code scanning would show the line");
    assert_eq!(here.machine.cache_keys().len(), 2);
}

/// The block of code of a language, by its number, in a page of the docs.
fn block(page: &str, number: usize) -> String {
    let text = fs::read_to_string(root().join("docs").join(page)).expect("it is committed");
    let mut blocks =
        text.split("\n```yaml\n").skip(1).map(|rest| rest.split("\n```").next().expect("it ends").to_owned() + "\n");
    blocks.nth(number).unwrap_or_else(|| panic!("{page} has no block {number}"))
}

/// The workflow of the Action's page, with lines of a recipe in place of its own from `from` on.
fn recipe(from: &str, number: usize, indent: usize) -> String {
    let workflow = block("action.md", 0);
    let kept = &workflow[..workflow.find(from).expect("it is there")];
    let lines = block("recipes.md", number);
    kept.to_owned() + &lines.lines().map(|line| format!("{:indent$}{line}\n", "")).collect::<String>()
}

#[test]
fn the_workflow_of_the_docs_runs_as_it_is() {
    let Some(mut here) = Here::new() else { return };
    let workflow = block("action.md", 0);
    let event = here.origin.push();
    let job = came_to(here.machine.workflow(&here.origin, &event, &workflow), 0);
    assert_eq!((job.commands(), here.machine.cache_keys().len()), (Vec::new(), 1));
    // A shallow clone, with the permissions that it asks for.
    let event = here.pull_request(From::Own, &with(tampered(), ".modanchor.toml", IGNORE));
    let job = found_it(here.machine.workflow(&here.origin, &event, &workflow));
    assert_eq!((lines(&job), job.output("cache-hit"), here.uploads()), (Vec::new(), "true", 2), "{}", job.log());
    assert_eq!(here.uploaded().0["ref"], "refs/pull/7/merge");
    let event = here.pull_request(From::Fork, &tampered());
    let job = found_it(here.machine.workflow(&here.origin, &event, &workflow));
    assert_eq!((lines(&job), here.uploads()), (vec!["go.sum:12".to_owned()], 2), "{}", job.log());
    let event = here.origin.merge_group(&borrowed(&tampered()));
    let job = found_it(here.machine.workflow(&here.origin, &event, &workflow));
    assert_eq!((lines(&job), here.uploads()), (vec!["go.sum:12".to_owned()], 2), "{}", job.log());
}

/// What a pull request writes into the policy that judges it counts once it is merged.
#[test]
fn a_policy_of_the_pull_request_does_not_count() {
    const STRICT: &str = "schema: modanchor-policy/1\ndefault: { require: verified }\n";
    const LAX: &str = "schema: modanchor-policy/1\ndefault: { require: unverified }\n";
    let base = with(project(), ".modanchor.toml", "[policy]\nfile = \"policy.yaml\"\n");
    let Some(mut here) = Here::of(&with(base, "policy.yaml", STRICT)) else { return };
    let event = here.pull_request(From::Own, &with(good(), "policy.yaml", LAX));
    let job = came_to(here.on(&event, &[READS], &[]), 1);
    let report = named(&job, "report-json");
    let findings = report["findings"].as_array().expect("a list");
    assert!(!findings.is_empty() && findings.iter().all(|one| one["rule"] == "policy-grade"), "{findings:?}");
    // Nor does one that is not named.
    let event = here.pull_request(From::Own, &with(good(), ".modanchor.toml", ""));
    came_to(here.on(&event, &[READS], &[]), 1);
    // Once it is merged, it does.
    here.origin.commit(&borrowed(&with(good(), "policy.yaml", LAX)));
    let event = here.origin.push();
    came_to(here.on(&event, &[READS], &[]), 0);
}

#[test]
fn what_init_writes_runs() {
    let Some(mut here) = Here::new() else { return };
    let s = Sandbox::hello();
    s.write(".git/HEAD", "ref: refs/heads/main\n");
    s.run(["init"]).end().status(0);
    let workflow = s.read(".github/workflows/modanchor.yml");
    assert_eq!(workflow, block("action.md", 0));
    let written = with(tampered(), ".modanchor.toml", &s.read(".modanchor.toml"));
    let event = here.pull_request(From::Own, &written);
    found_it(here.machine.workflow(&here.origin, &event, &workflow));
    // And on the branch that has it, where its configuration counts.
    here.origin.commit(&borrowed(&written));
    let event = here.origin.push();
    let job = found_it(here.machine.workflow(&here.origin, &event, &workflow));
    assert!(job.log().contains("the configuration is .modanchor.toml of commit"), "{}", job.log());
}

#[test]
fn the_recipe_for_several_modules_runs() {
    let module = |dir: &str, files: Files<'_>| -> Vec<(String, String)> {
        files.into_iter().map(|(name, text)| (format!("{dir}/{name}"), text)).collect()
    };
    let all =
        [module("services/api", project()), module("services/web", project()), module("tools", project())].concat();
    let all: Files<'_> = all.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
    let Some(mut here) = Here::of(&all) else { return };
    let bad = module("services/web", tampered());
    let bad: Files<'_> = bad.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
    let event = here.pull_request(From::Own, &bad);
    let workflow = recipe("    steps:", 0, 4);
    let jobs = here.machine.matrix(&here.origin, &event, &workflow);
    let statuses: Vec<&str> = jobs.iter().map(|job| job.output("status")).collect();
    assert_eq!(statuses, ["0", "1", "0"]);
    let ids: Vec<Value> = here
        .machine
        .github
        .sarifs()
        .iter()
        .map(unpacked)
        .map(|s| s["runs"][0]["automationDetails"]["id"].clone())
        .collect();
    assert_eq!(ids, ["modanchor/services/api/", "modanchor/services/web/", "modanchor/tools/"]);
    let event = here.pull_request(From::Fork, &bad);
    let jobs = here.machine.matrix(&here.origin, &event, &workflow);
    assert_eq!(lines(&jobs[1]), ["services/web/go.sum:12"], "from the root of the repository");
    assert_eq!(jobs.iter().map(|job| job.commands().len()).sum::<usize>(), 1);
    // Without any `path`, one run for all.
    let job = came_to(here.machine.workflow(&here.origin, &event, &block("action.md", 0)), 1);
    assert_eq!(lines(&job), ["services/web/go.sum:12"]);
}

#[test]
fn the_recipe_for_private_modules_runs() {
    let private = "corp.example/lib v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    let Some(mut here) = Here::of(&with(project(), "go.sum", &(before("go.sum") + private))) else { return };
    let event = here.origin.push();
    let job = here.machine.workflow(&here.origin, &event, &recipe("      - uses: modanchor", 1, 6));
    let job = came_to(job, 0);
    assert!(
        job.summary.contains("corp&#46;example&#44;github&#46;com&#47;corp&#47;"),
        "it names the patterns: {}",
        job.summary
    );
    assert!(job.log().contains("1 skipped"), "{}", job.log());
}

#[test]
fn the_recipe_for_changed_lines_runs() {
    let Some(mut here) = Here::of(&with(project(), "go.sum", &change_hash(&before("go.sum"), 1))) else { return };
    let bad = with(tampered(), "go.sum", &change_hash(&change_hash(&hello("go.sum"), LINE), 1));
    let event = here.pull_request(From::Fork, &bad);
    let workflow = recipe("      - uses: modanchor", 3, 6);
    // A shallow clone: by the API, for which a private repository asks for one permission more.
    let job = came_to(here.machine.workflow(&here.origin, &event, &workflow), 1);
    assert_eq!(lines(&job), ["go.sum:1", "go.sum:12"], "{}", job.log());
    let more = workflow.replace("      contents: read", "      pull-requests: read\n      contents: read");
    let job = came_to(here.machine.workflow(&here.origin, &event, &more), 1);
    assert_eq!(lines(&job), ["go.sum:12"], "{}", job.log());
    let deep =
        workflow.replace("          persist-credentials", "          fetch-depth: 0\n          persist-credentials");
    let job = came_to(here.machine.workflow(&here.origin, &event, &deep), 1);
    assert_eq!(lines(&job), ["go.sum:12"], "{}", job.log());
}

/// All files of go.sum's kind with every line's hash changed.
fn all_wrong() -> Files<'static> {
    let lines = hello("go.sum").lines().count();
    let text = (1..=lines).fold(hello("go.sum"), |text, line| change_hash(&text, line));
    vec![("go.mod", hello("go.mod")), ("go.sum", text)]
}

#[test]
fn auto_annotates_once_by_the_best_way_there_is() {
    let Some(mut here) = Here::new() else { return };
    let event = here.pull_request(From::Own, &tampered());
    let accepted = found_it(here.on(&event, &[READS, UPLOADS], &[]));
    assert_eq!(accepted.commands(), []);
    assert_eq!(times(&accepted.log(), "note: code scanning annotates the findings"), 1);
    // Refused: by workflow commands, and one line says why.
    for permissions in [&[READS][..], &[READS, CHECKS]] {
        let refused = found_it(here.on(&event, permissions, &[]));
        assert_eq!(lines(&refused), ["go.sum:12"]);
        let log = refused.log();
        assert_eq!(times(&log, "SARIF is not uploaded"), 1, "{log}");
        assert!(log.contains("it takes `security-events: write`"), "{log}");
    }
    assert!(here.machine.github.check_runs().is_empty(), "one fits among the workflow commands");
    // Asked for, and refused: that fails too, with the verdict that there was.
    let asked = [("upload-sarif", "true")];
    let said = "upload-sarif is true, and SARIF was not uploaded: code scanning refused the SARIF file";
    for (files, status) in [(tampered(), 1), (good(), 3)] {
        let event = here.pull_request(From::Own, &files);
        let job = came_to(here.on(&event, &[READS], &asked), status);
        assert_eq!(times(&job.step("verify").log, &format!("\nerror: {said}")), 1, "{}", job.log());
        // And it is shown in all the other ways.
        let line = "go.sum:12".to_owned();
        assert!(status == 3 || lines(&job).contains(&line), "{}", job.log());
        assert_eq!(job.output("findings-count"), if status == 1 { "1" } else { "0" });
        named(&job, "report-json");
        assert!(job.summary.contains("could not do all of this") && job.summary.contains("### Checksum database"));
    }

    // A file that cannot be written: the same.
    let event = here.pull_request(From::Own, &tampered());
    let job = came_to(here.on(&event, &[READS], &[("sarif-file", "main.go/x.sarif")]), 1);
    assert!(job.log().contains("error: ") && job.log().contains("main.go/x.sarif"), "{}", job.log());
    assert!(lines(&job).contains(&"go.sum:12".to_owned()));
    assert_eq!(job.output("sarif-file"), "");
    let job = found_it(here.on(&event, &[READS], &[("sarif-file", "x.sarif")]));
    assert!(Path::new(job.output("sarif-file")).starts_with(here.machine.workspace()));
    let job = came_to(here.on(&event, &[READS], &[("record", "no/such/folder")]), 1);
    assert!(lines(&job).contains(&"go.sum:12".to_owned()) && job.log().contains("--record"), "{}", job.log());
    found_it(here.on(&event, &[READS], &[("record", "run.evidence")]));
    assert!(here.machine.workspace().join("run.evidence").is_file());

    // More than GitHub shows of one step.
    let event = here.pull_request(From::Own, &all_wrong());
    let job = came_to(here.on(&event, &[READS, CHECKS], &[]), 1);
    let found: usize = job.output("findings-count").parse().expect("a number");
    assert!(found > 10, "{found}");
    let runs = here.machine.github.check_runs();
    assert_eq!((runs.len(), job.commands()), (1, Vec::new()));
    assert_eq!(runs[0]["output"]["annotations"].as_array().map(Vec::len), Some(found));
    // The check run is refused: one warning, and as many as there is room for.
    let job = came_to(here.on(&event, &[READS], &[]), 1);
    let log = job.log();
    assert_eq!(times(&log, "warning: no check run, workflow commands in its place"), 1, "{log}");
    assert_eq!((job.commands().len(), job.annotations().len()), (10, 10));
    assert!(log.contains(&format!("{} more errors are not annotated", found - 10)), "{log}");
    assert_eq!(job.output("findings-count"), found.to_string());
    // A token that is none.
    let job = came_to(here.on(&event, &[READS, UPLOADS, CHECKS], &[("token", "wrong")]), 1);
    assert_eq!(job.annotations().len(), 10);
    assert!(!job.log().contains("wrong\n") && !job.log().contains("ghs_"), "{}", job.log());
}

#[test]
fn changed_only_hides_no_verdict() {
    // Line 1 was wrong before; the pull request adds line 12.
    let Some(mut here) = Here::of(&with(project(), "go.sum", &change_hash(&before("go.sum"), 1))) else { return };
    let bad = with(tampered(), "go.sum", &change_hash(&change_hash(&hello("go.sum"), LINE), 1));
    // What tries to hide the change from git.
    let bad = with(bad, ".gitattributes", "* -diff binary diff=x\n*.sum linguist-generated filter=x merge=x\n");
    let event = here.pull_request(From::Own, &bad);
    let elsewhere = "1 finding is not annotated: on lines that the change does not touch; the verdict counts them";
    let only = [("changed-only", "true"), ("annotations", "workflow")];
    let hides = |job: Job, hides: bool| -> Job {
        let job = came_to(job, 1);
        let want: &[&str] = if hides { &["go.sum:12"] } else { &["go.sum:1", "go.sum:12"] };
        assert_eq!(lines(&job), want, "{}", job.log());
        assert_eq!(times(&job.log(), elsewhere), usize::from(hides), "{}", job.log());
        assert_eq!(job.output("findings-count"), "2");
        let results = named(&job, "sarif-file")["runs"][0]["results"].as_array().map(Vec::len);
        assert_eq!(results, Some(2), "SARIF has all");
        for line in ["go&#46;sum&#58;1</code>", "go&#46;sum&#58;12</code>"] {
            assert!(job.summary.contains(line), "the summary has all: {}", job.summary);
        }
        job
    };
    hides(here.on(&event, &[READS], &[("annotations", "workflow")]), false);
    // By git.
    hides(here.on(&event, &[], &only), true);
    // Shallow: by the API.
    here.depth = 1;
    let job = hides(here.on(&event, &[READS, READS_PULLS], &only), true);
    assert_eq!(times(&job.log(), "note: the changed lines are those that the API gives"), 1, "{}", job.log());
    // By neither: everything is shown, and said.
    let job = hides(here.on(&event, &[READS], &only), false);
    assert_eq!(times(&job.log(), "note: which lines are changed is not known, so all are shown"), 1, "{}", job.log());
    // Enough for git: the commit and its parents.
    here.depth = 2;
    hides(here.on(&event, &[], &only), true);
    // The check run too.
    let checks = [("changed-only", "true"), ("annotations", "checks")];
    let job = came_to(here.on(&event, &[READS, CHECKS], &checks), 1);
    let runs = here.machine.github.check_runs();
    let annotations = runs[0]["output"]["annotations"].as_array().expect("annotations");
    assert_eq!((annotations.len(), &annotations[0]["start_line"]), (1, &json!(12)), "{}", job.log());
}

#[test]
fn a_pull_request_does_not_soften_its_own_judgement() {
    let Some(mut here) = Here::new() else { return };
    let event = here.pull_request(From::Own, &with(tampered(), ".modanchor.toml", IGNORE));
    let not_yet = "note: there is no configuration .modanchor.toml in commit";
    for (depth, permissions, said) in
        [(0, &[][..], not_yet), (1, &[READS][..], not_yet), (1, &[][..], "error: whether commit")]
    {
        here.depth = depth;
        let job = found_it(here.on(&event, permissions, &[]));
        assert_eq!(times(&job.log(), said), 1, "{depth} {permissions:?}: {}", job.log());
        // Where it is not known whether there is one, that is an annotation of its own, on no line.
        let lines = lines(&job);
        assert!(lines == ["go.sum:12"] || (said != not_yet && lines == ["go.sum:12", ":0"]), "{lines:?}");
    }
    // Named: the same, but what cannot be read is no reason to go on.
    let named = [("config", ".modanchor.toml")];
    for (depth, permissions) in [(0, &[][..]), (1, &[READS])] {
        here.depth = depth;
        let job = found_it(here.on(&event, permissions, &named));
        assert_eq!(times(&job.log(), not_yet), 1, "{}", job.log());
    }
    let job = came_to(here.on(&event, &[], &named), 2);
    assert!(job.log().contains("cannot be read") && job.log().contains("`fetch-depth: 0`"), "{}", job.log());
    assert_eq!(job.commands().len(), 1, "{:?}", job.commands());
    assert!(job.summary.contains("modanchor cannot run"), "{}", job.summary);
}

#[test]
fn nor_where_a_workflow_checks_it_out_with_the_rights_of_the_base() {
    let Some(mut here) = Here::new() else { return };
    let event = here.origin.pull_request_target(&borrowed(&with(tampered(), ".modanchor.toml", IGNORE)));
    here.steps = vec![json!({
        "run": "git fetch --quiet origin \"$HEAD\" && git checkout --quiet --force \"$HEAD\"",
        "env": {"HEAD": "${{ github.event.pull_request.head.sha }}"},
    })];
    for depth in [0, 1] {
        here.depth = depth;
        for changed_only in ["false", "true"] {
            let inputs = [("changed-only", changed_only)];
            let job = found_it(here.on(&event, &[READS, READS_PULLS, UPLOADS, CHECKS], &inputs));
            assert_eq!((lines(&job), here.uploads()), (vec!["go.sum:12".to_owned()], 0), "{}", job.log());
            assert_eq!(times(&job.log(), "note: there is no configuration .modanchor.toml in commit"), 1);
        }
    }
    assert!(here.machine.cache_keys().is_empty());
}

#[test]
fn the_configuration_of_the_base_counts() {
    let Some(mut here) = Here::of(&with(project(), ".modanchor.toml", IGNORE)) else { return };
    // What the base ignores is ignored, also where the pull request takes it away or makes it no configuration.
    for change in [None, Some(""), Some("exclude = 1")] {
        let files = change.map_or_else(tampered, |text| with(tampered(), ".modanchor.toml", text));
        let event = here.pull_request(From::Fork, &files);
        for (depth, permissions) in [(0, &[][..]), (1, &[READS])] {
            here.depth = depth;
            let job = came_to(here.on(&event, permissions, &[]), 0);
            let said = format!(
                "note: the configuration is .modanchor.toml of commit {}",
                event.payload["pull_request"]["base"]["sha"].as_str().expect("a text")
            );
            assert_eq!(times(&job.log(), &said), 1, "{}", job.log());
            assert_eq!(named(&job, "report-json")["counts"]["ignored"], 1);
        }
    }
    // An ignore that the pull request widens.
    let Some(mut here) = Here::of(&with(project(), ".modanchor.toml", "exclude = [\"old\"]\n")) else { return };
    for text in [IGNORE, "exclude = [\"go.sum\", \"/*\"]\n"] {
        let event = here.pull_request(From::Own, &with(tampered(), ".modanchor.toml", text));
        for depth in [0, 1] {
            here.depth = depth;
            found_it(here.on(&event, &[READS], &[]));
        }
    }
    // A configuration of the base that is wrong.
    let Some(mut here) = Here::of(&with(project(), ".modanchor.toml", "exclude = 1\n")) else { return };
    let event = here.pull_request(From::Own, &with(tampered(), ".modanchor.toml", ""));
    let job = came_to(here.on(&event, &[], &[]), 2);
    assert!(job.log().contains(".modanchor.toml:1:"), "{}", job.log());
}

#[test]
fn links_lead_nowhere() {
    let Some(mut here) = Here::new() else { return };
    let outside = tempfile::NamedTempFile::new().expect("a temporary file");
    fs::write(outside.path(), before("go.sum")).expect("ours");
    let go_sum = here.origin.path().join("go.sum");
    for target in [outside.path(), Path::new("../../../../outside/go.sum"), Path::new("/proc/self/environ")] {
        fs::remove_file(&go_sum).expect("it is there");
        std::os::unix::fs::symlink(target, &go_sum).expect("a link");
        let event = here.pull_request(From::Own, &[]);
        let job = came_to(here.on(&event, &[READS, UPLOADS], &[]), 2);
        assert!(job.log().contains("go.sum"), "{}", job.log());
        assert!(!job.log().contains("MODANCHOR_"), "nothing of it is shown: {}", job.log());
        assert_eq!((here.uploads(), job.commands().len()), (0, 1), "{}", job.log());
    }
}

#[test]
fn nothing_is_written_through_a_link() {
    let Some(mut here) = Here::new() else { return };
    let outside = tempfile::tempdir().expect("a temporary folder");
    let kept = outside.path().join("kept");
    write(&kept, "kept");
    std::os::unix::fs::symlink(&kept, here.origin.path().join("x.sarif")).expect("a link");
    std::os::unix::fs::symlink(outside.path(), here.origin.path().join("out")).expect("a link");
    let event = here.pull_request(From::Own, &tampered());
    for (input, file) in [("sarif-file", "x.sarif"), ("sarif-file", "out/kept"), ("record", "x.sarif")] {
        let job = here.on(&event, &[READS], &[(input, file)]);
        assert_eq!(fs::read(&kept).expect("it is there"), b"kept", "{file}: {}", job.log());
        assert_eq!(job.output("status"), "2", "{}", job.log());
        assert!(job.log().contains("leads out of it"), "{}", job.log());
    }
}

/// Every command of a log is the program's own, every line is a whole one, and nothing is a command of the old kind.
#[track_caller]
fn tame(job: &Job, here: &Here) {
    for command in job.commands() {
        assert!(["error", "warning", "notice"].contains(&command.name.as_str()), "{command:?}");
        let title = command.properties.get("title").cloned().unwrap_or_default();
        assert!(title.starts_with("modanchor"), "{command:?}");
        let known = ["file", "line", "endLine", "col", "endColumn", "title"];
        assert!(command.properties.keys().all(|key| known.contains(&key.as_str())), "{command:?}");
    }
    let log = job.log();
    for line in log.lines() {
        // What the runner takes as a command of the new kind it does not read as one of the old kind, and it copies no
        // `file=` to the log: a path there stays what it is.
        let shown = line.strip_prefix("::").and_then(|line| line.split_once(",title=")).map_or(line, |(_, rest)| rest);
        assert!(!shown.contains("##[") && !shown.contains("##vso["), "{line}");
    }
    let unseen = |c: char| c.is_control() || ['\u{202e}', '\u{feff}', '\u{200b}'].contains(&c);
    // `format: json` is the report as it is: data, whose strings hide nothing from what reads them.
    for line in log.lines().chain(job.summary.lines()).filter(|line| !line.starts_with("{\"schema\"")) {
        assert!(!line.contains(unseen), "{line:?}");
    }
    for output in job.outputs.values() {
        assert!(!output.contains('\n'), "{:?}", job.outputs);
    }
    assert!(job.environment.is_empty(), "{:?}", job.environment);
    // No link but to the repository on the server, no element but those of the page.
    let server = format!("\"{}/gopher/project/blob/", here.machine.github.url());
    for (at, _) in job.summary.match_indices("href=") {
        assert!(job.summary[at + 5..].starts_with(&server), "{}", &job.summary[at..]);
    }
    for (at, _) in job.summary.match_indices('<') {
        let name = job.summary[at + 1..].trim_start_matches('/');
        let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        assert!(
            ["p", "code", "table", "tr", "th", "td", "details", "summary", "a", "sub", "br", "ul", "li"]
                .contains(&name),
            "<{name}"
        );
    }
    assert!(!job.summary.contains("]("), "{}", job.summary);
}

/// Names that want to be more than a text.
const HOSTILE: [&str; 20] = [
    "::error::pwned",
    "::error file=go.mod,line=1::pwned",
    "::stop-commands::x",
    "::add-mask::a",
    "%0A::error::pwned",
    "\n::error::pwned",
    "\r::error::pwned",
    "##[error]pwned",
    "##vso[task.setvariable variable=x]pwned",
    "]([x](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "<img src=x onerror=pwned>",
    "</code></td></table><a href=https://evil.example>x</a>",
    "<!--",
    "```",
    "@gopher #1 https://evil.example",
    "\u{202e}mus.og\u{feff}\u{200b}",
    "\u{1b}[31mx\u{1b}]8;;https://evil.example\u{7}",
    "${{ github.token }}$(touch pwned)`touch pwned`",
    "' \" \\ | & ;",
];

/// A go.sum with a name as a module, a version and a hash, and with a line that is tampered.
fn with_name(name: &str) -> String {
    let hash = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    format!(
        "{}example.com/{name} v1.0.0 {hash}\n{name} v1.0.0/go.mod {hash}\nexample.com/x v1.0.0-{name} {hash}\n\
         example.com/x v1.0.0 h1:{name}\n{name}\n",
        change_hash(&hello("go.sum"), LINE)
    )
}

#[test]
fn hostile_names_are_text() {
    let Some(mut here) = Here::new() else { return };
    // In one go.sum each, in a folder of that name; a name of a folder has no slash.
    let folders = HOSTILE.iter().map(|name| (format!("{}/go.sum", name.replace('/', "-")), with_name(name)));
    let long = ("go.sum".to_owned(), with_name(&"x".repeat(100_000)));
    let bad: Vec<(String, String)> = folders.chain([long]).collect();
    let bad: Files<'_> = bad.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
    let event = here.pull_request(From::Own, &bad);
    for (inputs, permissions) in [
        (&[][..], &[READS][..]),
        (&[("changed-only", "true")], &[READS, READS_PULLS]),
        (&[("annotations", "checks")], &[READS, CHECKS, UPLOADS]),
        (&[("format", "markdown")], &[READS, UPLOADS]),
        (&[("format", "json")], &[READS, UPLOADS]),
    ] {
        let job = came_to(here.on(&event, permissions, inputs), 1);
        tame(&job, &here);
        assert!(named(&job, "report-json")["findings"].as_array().is_some_and(|found| found.len() > HOSTILE.len()));
        let sarif = named(&job, "sarif-file");
        let results = sarif["runs"][0]["results"].as_array().expect("results");
        assert!(results.len() > HOSTILE.len(), "{}", results.len());
    }
    let runs = here.machine.github.check_runs();
    assert!(runs[0]["output"]["annotations"].as_array().is_some_and(|all| all.len() > HOSTILE.len()));
    let workspace = here.machine.workspace();
    assert!(!files(workspace.parent().expect("a parent")).iter().any(|(path, _)| path.ends_with("pwned")));
}

#[test]
fn a_runner_that_is_broken_is_told_and_is_no_pass() {
    let Some(mut here) = Here::new() else { return };
    let event = here.pull_request(From::Own, &good());
    // The event file.
    for (breaks, message) in [
        ("printf '{' >\"$GITHUB_EVENT_PATH\"", "event.json"),
        ("rm \"$GITHUB_EVENT_PATH\"", "event.json"),
        ("printf '{}' >\"$GITHUB_EVENT_PATH\"", "pull_request"),
        ("printf '[1]' >\"$GITHUB_EVENT_PATH\"", "pull_request"),
        (
            "printf '%s' \"${EVENT/[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]/--help}\" >\"$GITHUB_EVENT_PATH\"",
            "pull_request",
        ),
    ] {
        here.steps = vec![json!({"run": breaks, "shell": "bash", "env": {"EVENT": event.payload.to_string()}})];
        let job = came_to(here.on(&event, &[READS, UPLOADS], &[]), 2);
        assert!(job.log().contains(message), "{breaks}: {}", job.log());
        assert_eq!(job.commands().len(), 1, "{breaks}: {}", job.log());
        assert!(job.summary.contains("modanchor cannot run"), "{}", job.summary);
        assert_eq!(here.uploads(), 0);
    }
    here.steps = Vec::new();

    // A base commit that is nowhere any more: nothing of it counts, and the lines are those of the merge.
    let mut moved = here.pull_request(From::Own, &with(tampered(), ".modanchor.toml", IGNORE));
    moved.payload["pull_request"]["base"]["sha"] = json!("0123456789012345678901234567890123456789");
    let job = found_it(here.on(&moved, &[READS], &[("changed-only", "true")]));
    assert_eq!(lines(&job), ["go.sum:12", ":0"]);
    assert_eq!(times(&job.log(), "error: whether commit"), 1, "{}", job.log());

    // No git: the API knows.
    let bad = here.pull_request(From::Own, &tampered());
    fs::remove_file(here.machine.bin().join("git")).expect("it is there");
    let job = found_it(here.on(
        &bad,
        &[READS, READS_PULLS, UPLOADS],
        &[("changed-only", "true"), ("annotations", "workflow")],
    ));
    assert_eq!((lines(&job), here.uploads()), (vec!["go.sum:12".to_owned()], 1), "{}", job.log());
    let job = found_it(here.on(&bad, &[], &[("changed-only", "true")]));
    assert_eq!(lines(&job), ["go.sum:12", ":0"], "all are shown, and that the configuration is not known");

    // Nobody can be told the status: then the process ends with it.
    let s = Sandbox::hello();
    s.write("go.sum", change_hash(&hello("go.sum"), LINE));
    let push = here.origin.push();
    write(&s.path("event.json"), push.payload.to_string());
    let run = || {
        let run = s.run(["action"]).env("GITHUB_EVENT_NAME", "push").env("GITHUB_EVENT_PATH", s.path("event.json"));
        let run =
            run.env("GITHUB_REPOSITORY", REPOSITORY).env("GITHUB_SHA", &push.sha).env("GITHUB_REF", &push.ref_name);
        let run = run.env("GITHUB_API_URL", "http://127.0.0.1:9").env("GITHUB_SERVER_URL", "http://127.0.0.1:9");
        run.env("GITHUB_WORKSPACE", s.checkout())
            .env("GITHUB_RUN_ID", "1")
            .env("GITHUB_RUN_ATTEMPT", "1")
            .env("GITHUB_ACTOR", "gopher")
            .env("GITHUB_ACTIONS", "true")
    };
    let output = s.path("no/such/folder/output");
    for (text, status) in [(s.read("go.sum"), 1), (hello("go.sum"), 3)] {
        s.write("go.sum", text);
        let out = run().env("GITHUB_OUTPUT", &output).end().status(status);
        let said = format!("writing to {} (GITHUB_OUTPUT): No such file or directory (os error 2)\n", output.display());
        assert!(out.stderr.ends_with(&said), "{}", out.stderr);
    }
    run().env("GITHUB_OUTPUT", "relative").end().status(2);
    assert!(s.run(["action"]).end().status(2).stderr.contains("GITHUB_OUTPUT is not set"));
}

#[test]
fn inputs_are_no_shell() {
    let Some(mut here) = Here::new() else { return };
    let event = here.pull_request(From::Own, &tampered());
    let hostile =
        ["$(touch pwned)", "`touch pwned`; exit 0", "a\ntouch pwned", "--no-config", "::error::x\n::add-mask::a"];
    let inputs = [
        ("path", 2),
        ("config", 1),
        ("fail-on", 2),
        ("format", 2),
        ("annotations", 2),
        ("upload-sarif", 2),
        ("summary", 2),
        ("changed-only", 2),
        ("allow-incomplete", 2),
        ("cache", 2),
        ("offline", 2),
        ("modcache", 2),
        ("zips", 2),
        ("vendor", 2),
        ("timeout", 2),
        ("max-wait", 2),
        ("gosumdb", 2),
        ("goproxy", 2),
        ("exclude", 1),
        ("category", 1),
    ];
    // Each input with two of them: that all arrive as they are written is for the tests of the steps.
    for (at, (input, status)) in inputs.into_iter().enumerate() {
        for text in [hostile[at % hostile.len()], hostile[(at + 2) % hostile.len()]] {
            let job = here.on(&event, &[READS], &[(input, text)]);
            tame(&job, &here);
            assert_eq!(job.output("status"), status.to_string(), "{input}={text:?}: {}", job.log());
            came_to(job, status);
        }
    }
    let dir = here.machine.workspace();
    let made = files(dir.ancestors().nth(2).expect("a parent"));
    assert!(!made.iter().any(|(path, _)| path.ends_with("pwned")));
}

#[test]
fn verify_alone_prints_workflow_commands() {
    let Some(mut here) = Here::new() else { return };
    let event = here.pull_request(From::Fork, &with(tampered(), ".modanchor.toml", IGNORE));
    let job = here.command(&event, &[], "modanchor verify --format github").ended(Ended::Failure);
    assert_eq!((job.step("command").status, lines(&job)), (Some(1), vec!["go.sum:12".to_owned()]), "{}", job.log());
    assert_eq!(times(&job.log(), "\nfail: "), 1, "{}", job.log());
    let event = here.pull_request(From::Fork, &good());
    let job = here.command(&event, &[], "modanchor verify --format github").ended(Ended::Success);
    assert_eq!(job.commands(), []);
}

#[test]
fn verify_alone_makes_a_check_run() {
    let Some(mut here) = Here::new() else { return };
    let event = here.pull_request(From::Own, &tampered());
    let job = here.command(&event, &[READS, CHECKS], "modanchor verify --check-run mine").ended(Ended::Failure);
    assert_eq!((job.step("command").status, job.commands()), (Some(1), Vec::new()), "{}", job.log());
    let runs = here.machine.github.check_runs();
    assert_eq!((runs.len(), &runs[0]["name"]), (1, &json!("mine")));
    assert_eq!(runs[0]["output"]["annotations"][0]["start_line"], json!(LINE));
    // Refused: workflow commands, and said once.
    let job = here.command(&event, &[READS], "modanchor verify --check-run mine").ended(Ended::Failure);
    assert_eq!(lines(&job), ["go.sum:12"]);
    assert_eq!(times(&job.log(), "warning: no check run"), 1, "{}", job.log());
}

#[test]
fn verify_alone_annotates_changed_lines() {
    let Some(mut here) = Here::of(&with(project(), "go.sum", &change_hash(&before("go.sum"), 1))) else { return };
    let bad = with(tampered(), "go.sum", &change_hash(&change_hash(&hello("go.sum"), LINE), 1));
    let event = here.pull_request(From::Fork, &bad);
    let command = "modanchor verify --changed-only --format github";
    let job = here.command(&event, &[READS], command).ended(Ended::Failure);
    assert_eq!((job.step("command").status, lines(&job)), (Some(1), vec!["go.sum:12".to_owned()]), "{}", job.log());
    assert!(job.log().contains("1 finding is not annotated"), "{}", job.log());
}
