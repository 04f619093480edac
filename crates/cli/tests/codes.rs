//! The page on codes: it has every code, and what its examples say comes out does.

mod support;

use std::path::PathBuf;

use serde_json::Value;
use sigcast_diagnostics::{Class, Code};
use support::{Ran, run_with};

/// Codes that no rule alone can cause: a filter, a pipeline or a schema is needed too, or a fault.
const WITHOUT_EXAMPLE: [Code; 13] = [
    Code::BrokenFilter,
    Code::PipelineFailure,
    Code::UnmappedField,
    Code::NothingLeft,
    Code::UnknownField,
    Code::ValueNotInSchema,
    Code::ItemDropped,
    Code::QueryTooLarge,
    Code::FormatFailed,
    Code::InternalError,
    Code::CaseWidened,
    Code::AnalysedText,
    Code::AssumeIndexedValues,
];

/// The line that runs an example.
const COMMAND: &str = "$ sigcast convert ";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/codes.md")
}

fn text() -> String {
    std::fs::read_to_string(path()).expect("docs/codes.md is there")
}

/// Whether a code has a section of its own, and not a line in a table.
fn has_section(code: Code) -> bool {
    matches!(code.class(), Class::Refusal | Class::Approximation | Class::Assumption)
}

/// Runs the rule of an example, completed as the page says.
fn run_example(rule: &str, args: &str, more: &[&str]) -> Ran {
    let head = if rule.contains("title:") { "" } else { "title: Example\nlogsource: {product: windows}\n" };
    let args: Vec<&str> = ["convert"].into_iter().chain(args.split(' ')).chain(more.iter().copied()).collect();
    run_with(&[args, vec!["-"]].concat(), format!("{head}{rule}").as_bytes(), &[])
}

/// What a run shows of a code: its queries, and the first line of the first message with the code.
fn shown(ran: &Ran, code: &str) -> String {
    let starts = ["error", "warning"].map(|severity| format!("{severity}[{code}]: "));
    let message = ran.stderr.lines().find(|line| starts.iter().any(|start| line.starts_with(start)));
    let query = ran.stdout.trim_end();
    let lines = (!query.is_empty()).then_some(query).into_iter().chain(message);
    lines.map(|line| format!("{line}\n")).collect()
}

/// The example in a section: the rule, the arguments, and what comes out.
fn example(section: &str) -> Option<(&str, &str, &str)> {
    let (_, rest) = section.split_once("```yaml\n")?;
    let (rule, rest) = rest.split_once("```")?;
    let (_, rest) = rest.split_once(COMMAND)?;
    let (args, rest) = rest.split_once('\n')?;
    let (output, _) = rest.split_once("```")?;
    Some((rule, args, output))
}

/// The section of a code, to the next heading.
fn section(page: &str, code: Code) -> &str {
    let heading = format!("\n### `{}`\n", code.as_str());
    let (_, rest) = page.split_once(&heading).unwrap_or_else(|| panic!("docs/codes.md has no section {heading}"));
    rest.split("\n#").next().unwrap_or(rest)
}

#[test]
fn every_code_is_on_the_page() {
    let page = text();
    for code in Code::ALL.iter().copied() {
        // Sections are broken into lines; a line of a table is one.
        let joined = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        if has_section(code) {
            let section = section(&page, code);
            assert!(joined(section).starts_with(code.meaning()), "{}: {section}", code.as_str());
            let expected = !WITHOUT_EXAMPLE.contains(&code);
            assert_eq!(example(section).is_some(), expected, "{}: {section}", code.as_str());
        } else {
            let meaning = code.meaning().replace('|', "\\|");
            let row = format!("\n| `{}` | {meaning} | ", code.as_str());
            let (_, rest) = page.split_once(&row).unwrap_or_else(|| panic!("docs/codes.md has no line {row}"));
            assert!(rest.trim_start_matches([' ', '|']).chars().next().is_some_and(|c| c != '\n'), "{row}");
        }
    }
    let names: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    for heading in page.lines().filter_map(|line| line.strip_prefix("### ")) {
        assert!(names.contains(&heading.trim_matches('`')), "{heading} is no code");
    }
}

#[test]
fn examples_give_their_codes_and_what_the_page_shows() {
    let page = text();
    let mut updated = page.clone();
    let mut stale = Vec::new();
    for code in Code::ALL.iter().copied().filter(|code| has_section(*code)) {
        let Some((rule, args, output)) = example(section(&page, code)) else { continue };
        let rows = run_example(rule, args, &["--jsonl", "-q"]).stdout;
        // The last document: one before it lends it something.
        let row = rows.lines().last().unwrap_or_default();
        let row: Value = serde_json::from_str(row).unwrap_or_else(|fault| panic!("{rule}: {fault}"));
        let has = |list: &str| {
            row[list].as_array().is_some_and(|all| {
                all.iter().any(|one| one.as_str().or_else(|| one["code"].as_str()) == Some(code.as_str()))
            })
        };
        let list = match code.class() {
            Class::Refusal => "errors",
            Class::Approximation => "warnings",
            _ => "assumptions",
        };
        assert!(has(list), "{} is not among the {list} of its example: {row}", code.as_str());
        let found = shown(&run_example(rule, args, &[]), code.as_str());
        if found != output {
            stale.push(format!("{}: the page shows\n{output}and what comes out is\n{found}", code.as_str()));
            updated = updated.replacen(
                &format!("{rule}```\n\n```text\n{COMMAND}{args}\n{output}```"),
                &format!("{rule}```\n\n```text\n{COMMAND}{args}\n{found}```"),
                usize::MAX,
            );
        }
    }
    if !stale.is_empty() && std::env::var_os("SIGCAST_UPDATE").is_some() {
        std::fs::write(path(), updated).expect("docs/codes.md can be written");
    } else {
        assert!(stale.is_empty(), "{}", stale.join("\n"));
    }
}
