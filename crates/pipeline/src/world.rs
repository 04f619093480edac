//! What a pipeline may ask of the world outside, which this crate never touches itself.

use std::time::Duration;

/// A request over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST` and the like.
    pub method: String,
    /// Where.
    pub url: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// The body with its content type, if there is one.
    pub body: Option<(String, &'static str)>,
    /// The longest it may take.
    pub timeout: Duration,
    /// The most bytes that an answer may have.
    pub most: usize,
}

/// A command to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments; never empty. A text alone is for a shell, which is then the program.
    pub arguments: Vec<String>,
    /// The longest it may take.
    pub timeout: Duration,
    /// The most bytes that it may print.
    pub most: usize,
}

/// Sources of values outside the pipeline.
///
/// Errors are sentences for the user, without a full stop.
pub trait World {
    /// The text of a file beside the pipeline. The path is relative, without `..`.
    ///
    /// # Errors
    /// The file cannot be read, or is too large.
    fn file(&self, path: &str) -> Result<String, String>;

    /// Whether requests and commands are allowed.
    fn allows_external(&self) -> bool {
        false
    }

    /// The answer to a request.
    ///
    /// # Errors
    /// No answer, not in time, too long, or one that says failure.
    fn fetch(&self, request: &Request) -> Result<String, String>;

    /// What a command prints.
    ///
    /// # Errors
    /// It cannot be run, fails, takes too long or prints too much.
    fn run(&self, command: &Command) -> Result<String, String>;
}

/// Whether a path names a file beside the pipeline or below it: relative, and never upwards.
pub(crate) fn is_beside(path: &str) -> bool {
    let outside =
        path.starts_with(['/', '\\']) || path.contains(':') || path.split(['/', '\\']).any(|step| step == "..");
    !path.is_empty() && !outside
}

/// A world with nothing in it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nowhere;

impl World for Nowhere {
    fn file(&self, path: &str) -> Result<String, String> {
        Err(format!("there is no folder to read `{path}` from"))
    }

    fn fetch(&self, _: &Request) -> Result<String, String> {
        Err("requests are not allowed".to_owned())
    }

    fn run(&self, _: &Command) -> Result<String, String> {
        Err("commands are not allowed".to_owned())
    }
}
