//! What `ci/`, `action.yml` and `.pre-commit-hooks.yaml` give to others: their scripts are run, and what they say of each
//! other and of the program is compared.
#![cfg(unix)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_yaml::Value;
use support::{Folder, GOOD, REFUSED, run};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|cause| panic!("{path}: {cause}"))
}

fn yaml(path: &str) -> Value {
    serde_yaml::from_str(&text(path)).unwrap_or_else(|fault| panic!("{path}: {fault}"))
}

/// A path to look for programs on: the folder of sigcast, then the usual ones.
fn with_program() -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_sigcast")).parent().expect("a folder");
    format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default())
}

/// Runs a script of `ci/` in a folder, with nothing in the environment but this.
fn script(name: &str, folder: &Folder, args: &[&str], environment: &[(&str, &str)]) -> Output {
    let home = folder.path();
    let mut command = Command::new("bash");
    command.arg(root().join("ci").join(name)).args(args).current_dir(folder.path()).env_clear().env("HOME", home);
    command.envs(environment.iter().copied()).output().expect("bash")
}

/// Runs the step of the action.
fn step(folder: &Folder, command: &str, more: &[(&str, &str)]) -> Output {
    let (path, summary, output) =
        (with_program(), format!("{}/summary.md", folder.path()), format!("{}/output", folder.path()));
    let temp = folder.path();
    let mut environment = vec![
        ("PATH", path.as_str()),
        ("GITHUB_STEP_SUMMARY", &summary),
        ("GITHUB_OUTPUT", &output),
        ("RUNNER_TEMP", &temp),
        ("SIGCAST_COMMAND", command),
        ("SIGCAST_CONFIG", "sigcast.yml"),
        ("SIGCAST_BASE", ""),
        ("SIGCAST_BASELINE", ""),
        ("SIGCAST_FAIL_ON", ""),
        ("SIGCAST_PATHS", "rules"),
    ];
    for (name, value) in more {
        environment.retain(|(known, _)| known != name);
        environment.push((name, value));
    }
    script("github/run.sh", folder, &[], &environment)
}

fn project(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.file("sigcast.yml", "rules: [rules]\noutputs: [{target: lucene, output: 'dist/{slug}.{ext}'}]\n");
    folder.file("rules/good.yml", GOOD);
    folder
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

#[test]
fn the_step_of_the_action_builds_checks_and_tests() {
    let folder = project("ci-step");
    let check = |command: &str, more: &[(&str, &str)], expected: i32| {
        let ended = step(&folder, command, more);
        assert_eq!(code(&ended), expected, "{command}: {}", String::from_utf8_lossy(&ended.stderr));
    };
    check("check", &[], 1);
    check("build", &[], 0);
    check("check", &[], 0);
    check("nonsense", &[], 2);
    check("diff", &[], 2);
    check("test", &[], 1);
    folder.file("rules/good.match.jsonl", "{\"Image\": \"a.exe\"}\n");
    check("test", &[], 0);
    folder.file("rules/refused.yml", REFUSED);
    check("build", &[], 1);
    assert_eq!(
        run(&[
            "build",
            "-c",
            &format!("{}/sigcast.yml", folder.path()),
            "--write-baseline",
            "--baseline",
            &format!("{}/b.json", folder.path())
        ])
        .code,
        0
    );
    check("build", &[("SIGCAST_BASELINE", "b.json")], 0);
    // An input is never part of a script.
    check("build", &[("SIGCAST_CONFIG", "$(touch pwned)")], 3);
    assert!(!Path::new(&format!("{}/pwned", folder.path())).exists());
}

#[test]
fn the_step_of_the_action_reports_differences() {
    let folder = project("ci-diff");
    for args in [
        &["init", "-q"][..],
        &["add", "."],
        &["-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-qm", "base"],
    ] {
        let done = Command::new("git").arg("-C").arg(folder.path()).args(args).status().expect("git");
        assert!(done.success());
    }
    folder.file("rules/good.yml", &GOOD.replace("{Image: a.exe}", "{Image: a.exe, User: x}"));
    let ended = step(&folder, "diff", &[("SIGCAST_BASE", "HEAD"), ("SIGCAST_FAIL_ON", "narrower")]);
    assert_eq!(code(&ended), 1, "{}", String::from_utf8_lossy(&ended.stderr));
    let summary = fs::read_to_string(format!("{}/summary.md", folder.path())).expect("a summary");
    assert!(summary.contains("| narrower | <code>Good</code><br><code>rules/good&#46;yml</code>"), "{summary}");
    let output = fs::read_to_string(format!("{}/output", folder.path())).expect("outputs");
    let report = output.trim().strip_prefix("report=").expect("a report");
    assert_eq!(fs::read_to_string(report).expect("the report"), summary);
}

/// A base is a revision, never an option of git: `--upload-pack` would run a command.
#[test]
fn the_base_of_the_action_is_no_option() {
    let folder = project("ci-base");
    let elsewhere = Folder::new("ci-base-origin");
    let git = |folder: &Folder, args: &[&str]| {
        let done = Command::new("git").arg("-C").arg(folder.path()).args(args).status().expect("git");
        assert!(done.success());
    };
    git(&elsewhere, &["init", "-q", "--bare"]);
    git(&folder, &["init", "-q"]);
    git(&folder, &["remote", "add", "origin", &elsewhere.path()]);
    let pwned = format!("{}/pwned", folder.path());
    for base in [&*format!("--upload-pack=touch {pwned};git-upload-pack"), "+main:main", "a:refs/heads/b"] {
        let ended = step(&folder, "diff", &[("SIGCAST_BASE", base)]);
        let stderr = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(code(&ended) == 2 && stderr.contains("is no revision"), "{base}: {stderr}");
        assert!(!Path::new(&pwned).exists(), "{base} ran a command");
    }
    // A revision that neither the folder nor its origin has.
    assert_ne!(code(&step(&folder, "diff", &[("SIGCAST_BASE", "nowhere")])), 0);
}

/// The download, with a stand-in for GitHub's program that takes a release from a folder.
#[test]
fn the_action_installs_a_release_whose_checksum_is_right() {
    let folder = Folder::new("ci-install");
    // A small stand-in for the program: that of a test build has hundreds of megabytes.
    let program = folder.file("built/sigcast", "#!/bin/sh\necho \"sigcast 0.0.0\"\n");
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("made a program");
    let built = format!("{}/built", folder.path());
    let (system, machine) = (std::env::consts::OS, std::env::consts::ARCH);
    let target = match (system, machine) {
        ("linux", "x86_64" | "aarch64") => format!("{machine}-unknown-linux-musl"),
        ("macos", "x86_64" | "aarch64") => format!("{machine}-apple-darwin"),
        _ => return,
    };
    let packed = script("pack.sh", &folder, &[&built, &target], &[("PATH", &with_program())]);
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    let archive = format!("sigcast-{target}.tar.gz");
    let listed = Command::new("tar").args(["-tzf", &archive]).current_dir(folder.path()).output().expect("tar");
    assert_eq!(String::from_utf8_lossy(&listed.stdout), "sigcast\nLICENSE\nREADME.md\n");
    // The stand-in copies what is asked for from the release to the folder that is asked for.
    let stand_in = format!(
        "#!/bin/sh\nwhile [ $# -gt 0 ]; do\n  case \"$1\" in --dir) to=\"$2\"; shift ;; --pattern) files=\"$files $2\"; shift ;; esac\n  \
         shift\ndone\nfor file in $files; do cp \"{}/$file\" \"$to/\"; done\n",
        folder.path()
    );
    let gh = folder.file("bin/gh", &stand_in);
    fs::set_permissions(gh, fs::Permissions::from_mode(0o755)).expect("made a program");
    let path = format!("{}/bin:/usr/bin:/bin", folder.path());
    let paths = format!("{}/github-path", folder.path());
    let temp = folder.folder("temp");
    let environment = [
        ("PATH", path.as_str()),
        ("RUNNER_TEMP", &temp),
        ("GITHUB_PATH", &paths),
        ("SIGCAST_REPOSITORY", "someone/sigcast"),
        ("SIGCAST_VERSION", "latest"),
    ];
    let sums = |hash: &str| folder.file("SHA256SUMS", &format!("{hash}  {archive}\n"));
    sums(&"0".repeat(64));
    let wrong = script("github/install.sh", &folder, &[], &environment);
    assert!(!wrong.status.success(), "a wrong checksum passes");
    assert!(!Path::new(&paths).exists());
    let summed = Command::new("sh")
        .args(["-c", &format!("sha256sum {archive} || shasum -a 256 {archive}")])
        .current_dir(folder.path())
        .output()
        .expect("a shell");
    sums(String::from_utf8_lossy(&summed.stdout).split(' ').next().expect("a hash"));
    let right = script("github/install.sh", &folder, &[], &environment);
    assert!(right.status.success(), "{}", String::from_utf8_lossy(&right.stderr));
    assert!(String::from_utf8_lossy(&right.stdout).contains("sigcast 0.0.0"));
    assert_eq!(fs::read_to_string(&paths).expect("a path").trim(), format!("{temp}/sigcast"));
}

/// Names that stand behind a prefix in a text.
fn names(text: &str, prefix: &str) -> BTreeSet<String> {
    let rest = text.match_indices(prefix).map(|(at, _)| &text[at..]);
    rest.map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()).collect()
}

#[test]
fn the_action_gives_its_scripts_what_they_ask_for() {
    let action = yaml("action.yml");
    let steps = action["runs"]["steps"].as_sequence().expect("steps");
    for (step, name) in steps.iter().zip(["install.sh", "run.sh"]) {
        let given: BTreeSet<String> = step["env"]
            .as_mapping()
            .expect("an environment")
            .keys()
            .filter_map(|key| key.as_str())
            .filter(|key| key.starts_with("SIGCAST_"))
            .map(str::to_owned)
            .collect();
        assert_eq!(names(&text(&format!("ci/github/{name}")), "SIGCAST_"), given, "{name}");
        let run = step["run"].as_str().expect("a script");
        assert!(run.contains(&format!("ci/github/{name}")) && !run.contains("${{"), "{run}");
    }
    let inputs: BTreeSet<&str> =
        action["inputs"].as_mapping().expect("inputs").keys().filter_map(Value::as_str).collect();
    let text = text("action.yml");
    for (at, _) in text.match_indices("inputs.") {
        let name: String = text[at + 7..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        assert!(inputs.contains(name.as_str()), "{name} is no input");
    }
    let workflow = yaml("ci/github/sigcast.yml");
    for job in ["build", "diff"] {
        for step in workflow["jobs"][job]["steps"].as_sequence().expect("steps") {
            let uses = step["uses"].as_str().unwrap_or_default();
            let with = step["with"].as_mapping().filter(|_| uses.starts_with("OWNER/sigcast"));
            for key in with.iter().flat_map(|with| with.keys()).filter_map(Value::as_str) {
                assert!(inputs.contains(key), "{key} is no input");
            }
        }
    }
}

#[test]
fn releases_have_every_program_that_the_action_looks_for() {
    let matrix = &yaml("ci/github/release.yml")["jobs"]["build"]["strategy"]["matrix"]["include"];
    let built: BTreeSet<String> = matrix
        .as_sequence()
        .expect("a matrix")
        .iter()
        .map(|one| one["target"].as_str().expect("a target").to_owned())
        .collect();
    let wanted: BTreeSet<String> = text("ci/github/install.sh")
        .lines()
        .filter_map(|line| Some(line.split_once(") target=")?.1.split(' ').next()?.to_owned()))
        .collect();
    assert_eq!(built, wanted);
}

/// The hooks, and what the first job types, pass on a copy of the sample repository.
#[test]
fn hooks_and_jobs_pass_on_the_sample_repository() {
    let folder = Folder::new("ci-examples");
    let sample = root().join("examples");
    for entry in walk(&sample) {
        let name = entry.strip_prefix(&sample).expect("under it").to_str().expect("UTF-8").to_owned();
        if !name.starts_with("dist/") {
            folder.bytes(&name, &fs::read(&entry).expect("a file"));
        }
    }
    let check = |line: &str| {
        let mut command = Command::new("sh");
        let ended =
            command.args(["-c", line]).current_dir(folder.path()).env("PATH", with_program()).output().expect("sh");
        assert_eq!(code(&ended), 0, "{line}: {}", String::from_utf8_lossy(&ended.stderr));
    };
    let job = yaml("ci/gitlab-ci.yml");
    for line in job["detections"]["script"].as_sequence().expect("a script") {
        check(line.as_str().expect("a line"));
    }
    for hook in yaml(".pre-commit-hooks.yaml").as_sequence().expect("hooks") {
        let args = hook["args"].as_sequence().into_iter().flatten().filter_map(Value::as_str);
        check(&std::iter::once(hook["entry"].as_str().expect("an entry")).chain(args).collect::<Vec<_>>().join(" "));
    }
    for command in ["test", "build", "check"] {
        let ended = step(&folder, command, &[]);
        assert_eq!(code(&ended), 0, "{command}: {}", String::from_utf8_lossy(&ended.stderr));
    }
}

/// Every file under a folder.
fn walk(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found
}

/// What hooks and jobs type is known to the program.
#[test]
fn hooks_and_jobs_type_what_the_program_knows() {
    let check = |line: &str| {
        let words: Vec<&str> =
            line.split_whitespace().take_while(|word| *word != ">").filter(|word| *word != "sigcast").collect();
        let ran = run(&[&words[..], &["--help"]].concat());
        assert_eq!(ran.code, 0, "{line}: {}", ran.stderr);
    };
    for hook in yaml(".pre-commit-hooks.yaml").as_sequence().expect("hooks") {
        check(hook["entry"].as_str().expect("an entry"));
    }
    let jobs = yaml("ci/gitlab-ci.yml");
    let mut found = 0;
    for job in ["detections", "detections-diff"] {
        let script = jobs[job]["script"].as_sequence().expect("a script");
        for line in script.iter().filter_map(Value::as_str).filter(|line| line.starts_with("sigcast ")) {
            check(line);
            found += 1;
        }
    }
    assert_eq!(found, 3);
    let dockerfile = text("ci/Dockerfile");
    assert!(dockerfile.contains("ENTRYPOINT [\"sigcast\"]"));
}
