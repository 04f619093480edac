//! The files of a git revision, in a folder of their own.
//!
//! Invariant: the repository is only read; nothing of a revision is written outside the temporary folder, which goes away
//! with the run.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::exit::Fault;
use crate::input::{LARGEST, reason};

/// The files of a revision.
#[derive(Debug)]
pub(super) struct Revision {
    /// Where they are, as long as this is kept.
    folder: TempDir,
    /// The name of the commit.
    pub(super) commit: String,
    /// The folder of the configuration, relative to the top of the repository.
    prefix: String,
    /// How many links were not taken over.
    pub(super) links: usize,
}

impl Revision {
    /// Reads a revision of the repository that a folder is in.
    ///
    /// # Errors
    /// git is missing; the folder is in no repository; the revision is unknown.
    pub(super) fn read(folder: &Path, revision: &str) -> Result<Self, Fault> {
        let prefix = ask(folder, &["rev-parse", "--show-prefix"])?;
        let name = format!("{revision}^{{commit}}");
        let commit =
            ask(folder, &["rev-parse", "--verify", "--quiet", "--end-of-options", &name]).map_err(|fault| {
                if fault.message.contains("is not there") {
                    return fault;
                }
                Fault::usage(format!("--base {revision}: git knows no such revision, and there is no such file"))
                    .help("in continuous integration the base may have to be fetched first: `git fetch origin main`")
            })?;
        let (prefix, commit) = (prefix.trim().to_owned(), commit.trim().to_owned());
        let target = tempfile::Builder::new().prefix("sigcast-diff-").tempdir();
        let target =
            target.map_err(|cause| Fault::io(format!("cannot make a temporary folder: {}", reason(&cause))))?;
        let mut read = Self { folder: target, commit, prefix, links: 0 };
        read.files(folder)?;
        Ok(read)
    }

    /// Where a file lies that has this name in the configuration's folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(&self.prefix).join(name)
    }

    /// Writes every file of the commit into the folder.
    fn files(&mut self, folder: &Path) -> Result<(), Fault> {
        let listed = ask(folder, &["ls-tree", "-r", "-z", "-l", "--full-tree", &self.commit])?;
        let mut wanted: Vec<(&str, &str)> = Vec::new();
        for entry in listed.split('\0').filter(|entry| !entry.is_empty()) {
            let Some((about, path)) = entry.split_once('\t') else { continue };
            let about: Vec<&str> = about.split_ascii_whitespace().collect();
            let [mode, kind, hash, size] = about.as_slice() else { continue };
            if *mode == "120000" {
                self.links += 1;
            } else if *kind == "blob" && size.parse().is_ok_and(|size: u64| size <= LARGEST) {
                wanted.push((*hash, path));
            }
        }
        let failed =
            |cause: std::io::Error| Fault::io(format!("cannot read the files of {}: {}", self.commit, reason(&cause)));
        let mut git = command(folder);
        git.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = git.spawn().map_err(failed)?;
        let (Some(mut asked), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Fault::io("git does not answer"));
        };
        let names: String = wanted.iter().map(|(hash, _)| format!("{hash}\n")).collect();
        // git answers while it is asked: both at once.
        let writer = std::thread::spawn(move || asked.write_all(names.as_bytes()));
        let mut answers = BufReader::new(answers);
        for (_, path) in &wanted {
            let bytes = blob(&mut answers).map_err(failed)?;
            self.file(path, &bytes).map_err(failed)?;
        }
        let _ = writer.join();
        let _ = child.wait();
        Ok(())
    }

    fn file(&self, path: &str, bytes: &[u8]) -> std::io::Result<()> {
        // What git itself would not check out.
        if !Path::new(path).components().all(|part| matches!(part, Component::Normal(_))) {
            return Ok(());
        }
        let whole = self.folder.path().join(path);
        if let Some(folder) = whole.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(whole, bytes)
    }
}

/// The next answer of `git cat-file --batch`: `<hash> blob <size>`, the bytes, a line break.
fn blob(answers: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut head = String::new();
    answers.read_line(&mut head)?;
    let size = head.rsplit(' ').next().and_then(|size| size.trim().parse::<usize>().ok());
    let size = size.ok_or_else(|| std::io::Error::other(format!("git answers `{}`", head.trim())))?;
    let mut bytes = vec![0; size];
    answers.read_exact(&mut bytes)?;
    answers.read_exact(&mut [0])?;
    Ok(bytes)
}

/// git in a folder.
fn command(folder: &Path) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    git.env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C").stdin(Stdio::null());
    git
}

/// What git prints.
fn ask(folder: &Path, args: &[&str]) -> Result<String, Fault> {
    let output = command(folder).args(args).output().map_err(|cause| {
        Fault::usage(format!("git is not there, which --base needs for a revision: {}", reason(&cause)))
            .help("a manifest that a build wrote needs no git: `--base sigcast-manifest.json`")
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("it fails").trim_start_matches("fatal: ").to_owned();
        return Err(Fault::usage(format!("git: {said}")));
    }
    // Paths that are no UTF-8 are none of a configuration's.
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
