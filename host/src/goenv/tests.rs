use std::fs;
use std::process::Command;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// A home folder, a GOROOT, and an environment that knows of nothing else.
struct Machine {
    dir: TempDir,
    environment: Vec<(String, String)>,
}

impl Machine {
    fn new() -> Self {
        let dir = TempDir::new().expect("a folder");
        let (home, root) = (dir.path().join("home"), dir.path().join("goroot"));
        fs::create_dir_all(&root).expect("a folder");
        let environment = vec![
            (if cfg!(windows) { "USERPROFILE" } else { "HOME" }.to_owned(), home.display().to_string()),
            ("APPDATA".to_owned(), home.join("AppData").display().to_string()),
            ("GOROOT".to_owned(), root.display().to_string()),
        ];
        Self { dir, environment }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    fn user_file(self, text: impl AsRef<[u8]>) -> Self {
        let path = Sources::of(self.environment.clone()).user_config_dir().expect("a folder").expect("a home");
        fs::create_dir_all(path.join("go")).expect("a folder");
        fs::write(path.join("go/env"), text).expect("a file");
        self
    }

    fn goroot_file(self, text: impl AsRef<[u8]>) -> Self {
        fs::write(self.path("goroot/go.env"), text).expect("a file");
        self
    }

    fn load(&self) -> Result<GoEnv, GoEnvError> {
        GoEnv::load(Sources::of(self.environment.clone()))
    }

    fn get(&self, var: Var) -> (String, String) {
        let Setting { value, set_by } = self.load().expect("a good environment").get(var);
        (value, set_by.to_string())
    }
}

fn is(value: &str, set_by: &str) -> (String, String) {
    (value.to_owned(), set_by.to_owned())
}

#[test]
fn environment_then_user_file_then_goroot_then_default() {
    let machine = Machine::new();
    assert_eq!(machine.get(Var::GoProxy), is(DEFAULT_GOPROXY, "GOPROXY (default)"));
    assert_eq!(machine.get(Var::GoSumdb), is(DEFAULT_GOSUMDB, "GOSUMDB (default)"));
    assert_eq!(machine.get(Var::GoAuth), is(DEFAULT_GOAUTH, "GOAUTH (default)"));
    let machine = machine.goroot_file("# comment\nGOPROXY=https://root.test\nGOSUMDB=root\n");
    assert_eq!(machine.get(Var::GoProxy), is("https://root.test", "GOPROXY ($GOROOT/go.env)"));
    let machine = machine.user_file("GOPROXY=https://user.test\n");
    assert_eq!(machine.get(Var::GoProxy), is("https://user.test", "GOPROXY ($GOENV)"));
    assert_eq!(machine.get(Var::GoSumdb), is("root", "GOSUMDB ($GOROOT/go.env)"));
    let machine = machine.set("GOPROXY", "https://os.test");
    assert_eq!(machine.get(Var::GoProxy), is("https://os.test", "GOPROXY (environment)"));
    let machine = machine.set("GOPROXY", "");
    assert_eq!(machine.get(Var::GoProxy), is("https://user.test", "GOPROXY ($GOENV)"));
    let machine = machine.set("GOENV", "off");
    assert_eq!(machine.get(Var::GoProxy), is("https://root.test", "GOPROXY ($GOROOT/go.env)"));
}

#[test]
fn patterns_default_to_goprivate() {
    let machine = Machine::new();
    assert_eq!(machine.get(Var::GoNoSumdb), is("", "GONOSUMDB (default)"));
    let machine = machine.user_file("GOPRIVATE=a.test\nGONOSUMDB=\n");
    assert_eq!(machine.get(Var::GoNoSumdb), is("a.test", "GOPRIVATE ($GOENV)"));
    assert_eq!(machine.get(Var::GoNoProxy), is("a.test", "GOPRIVATE ($GOENV)"));
    let machine = machine.set("GONOSUMDB", "none");
    assert_eq!(machine.get(Var::GoNoSumdb), is("none", "GONOSUMDB (environment)"));
    assert_eq!(machine.get(Var::GoNoProxy), is("a.test", "GOPRIVATE ($GOENV)"));
}

#[test]
fn an_empty_value_in_the_users_file_hides_the_default() {
    let machine = Machine::new().user_file("GOSUMDB=\n").goroot_file("GOSUMDB=sum.golang.org\n");
    assert_eq!(machine.get(Var::GoSumdb), is("", "GOSUMDB ($GOENV)"));
}

#[test]
fn paths() {
    let env = Machine::new().load().expect("a good environment");
    let home = env.sources().home().expect("absolute").expect("a home");
    assert_eq!(env.gopath(), Some(home.join("go")));
    assert_eq!(env.modcache(), Some(home.join("go/pkg/mod")));

    let (one, two) = (home.join("one"), home.join("two"));
    let list = std::env::join_paths([&one, &two]).expect("no separator").into_string().expect("UTF-8");
    let env = Machine::new().set("GOPATH", list).load().expect("a good environment");
    assert_eq!((env.gopath(), env.modcache()), (Some(one.clone()), Some(one.join("pkg/mod"))));

    // Go's own files are nowhere where the first element is empty.
    let list = std::env::join_paths([Path::new(""), &two]).expect("no separator").into_string().expect("UTF-8");
    let machine = Machine::new().set("GOPATH", list);
    let env = machine.load().expect("a good environment");
    assert_eq!((env.gopath(), env.modcache()), (None, None));
    let env = machine.set("GOMODCACHE", two.display().to_string()).load().expect("a good environment");
    assert_eq!((env.gopath(), env.modcache()), (None, Some(two)));

    // GOROOT is never the default GOPATH.
    let machine = Machine::new();
    let go = machine.path("home/go").display().to_string();
    assert_eq!(machine.set("GOROOT", go).load().expect("a good environment").gopath(), None);
}

#[test]
fn nothing_depends_on_the_current_folder() {
    for (name, value) in [
        ("GOENV", "env"),
        ("GOENV", "./off"),
        ("GOROOT", "go"),
        ("GOPATH", "go"),
        ("GOMODCACHE", "mod"),
        (if cfg!(windows) { "APPDATA" } else { "HOME" }, "."),
    ] {
        let error = Machine::new().set(name, value).load().expect_err(name).to_string();
        assert!(error.contains("is relative; must be an absolute path"), "{error}");
    }
    assert!(matches!(Machine::new().set("GOPATH", "~/go").load(), Err(GoEnvError::Tilde(_))));
    let error = Machine::new().user_file("GOROOT=here\n").load().expect_err("relative");
    assert!(matches!(error, GoEnvError::Relative { name: "GOROOT", .. }), "{error}");
    // The user's word does not go missing when it cannot be read.
    let machine = Machine::new();
    let folder = machine.path("goroot").display().to_string();
    assert!(matches!(machine.set("GOENV", folder).load(), Err(GoEnvError::Read { .. })));
    let machine = Machine::new().user_file(vec![b'#'; MAX_ENV_FILE as usize + 1]);
    assert!(matches!(machine.load(), Err(GoEnvError::TooLarge { .. })));
    let machine = Machine::new().user_file(vec![b'#'; MAX_ENV_FILE as usize]);
    assert!(machine.load().is_ok());
    assert!(matches!(Machine::new().user_file(b"GOSUMDB=\xff").load(), Err(GoEnvError::NotUtf8 { .. })));
    assert!(Machine::new().user_file(b"OTHER=\xff").load().is_ok());
}

#[cfg(unix)]
#[test]
fn goroot_is_where_go_on_the_path_really_is() {
    let machine = Machine::new().set("GOROOT", "");
    let real = machine.path("sdk/go1");
    fs::create_dir_all(real.join("bin")).expect("a folder");
    fs::create_dir_all(real.join("pkg/tool")).expect("a folder");
    fs::write(real.join("bin/go"), "never run").expect("a file");
    fs::write(real.join("go.env"), "GOPROXY=https://sdk.test\n").expect("a file");
    let bin = machine.path("bin");
    fs::create_dir(&bin).expect("a folder");
    std::os::unix::fs::symlink(real.join("bin/go"), bin.join("go")).expect("a link");
    let root = fs::canonicalize(&real).expect("a folder").display().to_string();

    let machine = machine.set("PATH", format!("relative::{}", bin.display()));
    assert_eq!(machine.get(Var::GoRoot), is(&root, "GOROOT (default)"));
    assert_eq!(machine.get(Var::GoProxy), is("https://sdk.test", "GOPROXY ($GOROOT/go.env)"));

    // A `go` that is in no GOROOT tells nothing.
    fs::remove_dir(real.join("pkg/tool")).expect("removed");
    assert_eq!(machine.get(Var::GoRoot), is("", "GOROOT (default)"));
}

/// A line of an environment file, or its value, as people and programs may leave it there.
fn line() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        prop::sample::select(Var::ALL.map(Var::name).to_vec())
            .prop_filter("flags and paths are checked by go", |name| !matches!(
                *name,
                "GOFLAGS" | "GOROOT" | "GOPATH" | "GOMODCACHE"
            ))
            .prop_map(str::to_owned),
        Just("GOOTHER".to_owned()),
        Just(" GOPROXY".to_owned()),
        Just("goproxy".to_owned()),
        Just("#GOSUMDB".to_owned()),
        Just("export GOSUMDB".to_owned()),
    ];
    let plain = prop_oneof![
        (name, "=?", value()).prop_map(|(name, equals, value)| format!("{name}{equals}{value}")),
        Just(String::new()),
        Just("=".to_owned()),
        Just("GOFLAGS=-mod=mod".to_owned()),
    ];
    (plain, prop_oneof![9 => Just("\n"), 1 => Just("\r\n")]).prop_map(|(line, end)| line + end)
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just(String::new()),
        3 => "[a-z]{1,3}\\.test(,[a-z]\\.test)?",
        1 => Just("off".to_owned()),
        1 => Just("\"quoted\" # not a comment ".to_owned()),
        1 => Just("a=b".to_owned()),
        1 => Just("ü\u{a0}".to_owned()),
    ]
}

proptest! {
    #[test]
    fn any_file_is_read(data: Vec<u8>) {
        parse(&data, Repeated::LastWins);
    }
}

/// Against `go env -json`, on generated environments.
#[test]
fn agrees_with_go() {
    let find = || {
        let out = Command::new("go").arg("env").arg("GOROOT").output().ok().filter(|out| out.status.success())?;
        Some(PathBuf::from(String::from_utf8(out.stdout).ok()?.trim()).join("bin").join("go"))
    };
    let Some(go) = find() else {
        return anstream::eprintln!("skipped: there is no go command to compare with");
    };
    let set = prop::collection::vec(
        (
            prop::sample::select(vec![
                "GOPROXY",
                "GOSUMDB",
                "GOPRIVATE",
                "GONOSUMDB",
                "GONOPROXY",
                "GOINSECURE",
                "GOAUTH",
            ]),
            value(),
        ),
        0..4,
    );
    let file = || prop::collection::vec(line(), 0..8).prop_map(|lines| lines.concat());
    let gopath = prop_oneof![2 => Just(None), 1 => Just(Some("a")), 1 => Just(Some("a:b")), 1 => Just(Some(":b"))];
    let case = (set, prop::option::of(file()), prop::option::of(file()), gopath, 0..3_u8);
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let outcome = runner.run(&case, |(set, user, root, gopath, goenv)| {
        let mut machine = Machine::new();
        if let Some(text) = user {
            machine = machine.user_file(text);
        }
        if let Some(text) = root {
            machine = machine.goroot_file(text);
        }
        for (name, value) in set {
            machine = machine.set(name, value);
        }
        if let Some(list) = gopath {
            let list = list.split(':').map(|e| if e.is_empty() { PathBuf::new() } else { machine.path(e) });
            let list = std::env::join_paths(list).expect("no separator").into_string().expect("UTF-8");
            machine = machine.set("GOPATH", list);
        }
        machine = match goenv {
            0 => machine.set("GOENV", "off"),
            1 => {
                let other = machine.path("other");
                fs::write(&other, "GOPROXY=https://other.test\nGOMODCACHE=\n").expect("a file");
                machine.set("GOENV", other.display().to_string())
            }
            _ => machine,
        };
        let out = Command::new(&go)
            .args(["env", "-json"])
            .args(Var::ALL.map(Var::name))
            .env_clear()
            .envs(machine.environment.iter().cloned())
            .env("GOTOOLCHAIN", "local")
            .current_dir(machine.dir.path())
            .output()
            .expect("go runs");
        prop_assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let theirs: HashMap<String, String> = serde_json::from_slice(&out.stdout).expect("JSON");
        let ours = machine.load().expect("a good environment");
        for var in Var::ALL {
            let setting = ours.get(var);
            // A Go whose go.env says nothing knows no proxy and no database; we have the defaults of its distribution.
            if matches!(var, Var::GoProxy | Var::GoSumdb) && setting.set_by.place == Place::Default {
                prop_assert_eq!(&theirs[var.name()], "");
                continue;
            }
            prop_assert_eq!(&theirs[var.name()], &setting.value, "{}", setting.set_by);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|e| panic!("{e}"));
}
