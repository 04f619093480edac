//! Each construct of a rule, and the condition that says it in each engine. SQLite's are run in `tests/sqlite.rs`.

use sigcast_diagnostics::{Code, SourceMap};
use sigcast_frontend::Kind;

use crate::options::Settings;
use crate::{Backend, Conversion, Status, find};

fn convert(target: &str, options: &[(&str, &str)], items: &str, condition: &str) -> Conversion {
    let items: String = items.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!("title: t\nlogsource:\n  category: c\ndetection:\n  s:\n{items}  condition: {condition}\n");
    let mut sources = SourceMap::new();
    let id = sources.add("rule.yml", text);
    let document = sigcast_frontend::parse(&sources, id).into_iter().next().expect("a document");
    let Kind::Rule(rule) = document.kind else { panic!("no rule: {:?}", document.diagnostics) };
    let settings = Settings::of(options).expect("options");
    Backend::new(find(target).expect("a target"), settings).convert(&rule)
}

#[track_caller]
fn check_with(options: &[(&str, &str)], items: &str, condition: &str, sqlite: &str, postgres: &str, duckdb: &str) {
    for (target, wanted) in [("sqlite", sqlite), ("postgres", postgres), ("duckdb", duckdb)] {
        let known = find(target).expect("a target").options;
        let options: Vec<_> = options.iter().filter(|(key, _)| known.contains(key)).copied().collect();
        let conversion = convert(target, &options, items, condition);
        let [query] = conversion.queries.as_slice() else { panic!("{target}: {:?}", conversion.diagnostics) };
        let (_, found) = query.split_once(" WHERE ").expect("a condition");
        assert_eq!(found, wanted, "{target}");
    }
}

#[track_caller]
fn check(items: &str, sqlite: &str, postgres: &str, duckdb: &str) {
    check_with(&[], items, "s", sqlite, postgres, duckdb);
}

#[test]
fn texts() {
    check(
        "f:\n  - 'It''s'\n  - B_\\c",
        r"lower(`f`) IN ('it''s', 'b_\c')",
        r#"lower("f") IN ('it''s', 'b_\c')"#,
        r#"lower("f") IN ('it''s', 'b_\c')"#,
    );
    check(r"f: 'C:\x*'", r"`f` LIKE 'C:\x%'", r#""f" ILIKE 'C:\\x%' ESCAPE '\'"#, r#""f" ILIKE 'C:\\x%' ESCAPE '\'"#);
    check(
        r"f|cased:
  - A*b?
  - '*'
  - 'c'",
        "`f` GLOB 'A*b?' OR `f` IS NOT NULL OR `f` GLOB 'c'",
        r#""f" LIKE 'A%b_' OR "f" IS NOT NULL OR "f" = 'c'"#,
        r#""f" LIKE 'A%b_' OR "f" IS NOT NULL OR "f" = 'c'"#,
    );
    check("f|startswith: 'É.'", "`f` GLOB '[Éé].*'", r#""f" ~ '^[éÉ]\.'"#, r#"regexp_matches("f", '(?i)^É\.')"#);
}

#[test]
fn regular_expressions() {
    check_with(
        &[("regexp", "function")],
        r"f|re|i: '^a\d{2,}[^\n].\\\[$'",
        "s",
        r"`f` REGEXP '(?i)^a[0-9]{2,}..\\\[\n?$'",
        r#""f" ~ '(?i)^a[0-9]{2,}[^\n][^\n]\\\[\n?$'"#,
        r#"regexp_matches("f", '(?i)^a[0-9]{2,}..\\\[\n?$')"#,
    );
    check_with(
        &[("regexp", "function")],
        r"f|re: 'a\bb|x\b'",
        "s",
        r"`f` REGEXP 'x($|[^0-9A-Z_a-z])'",
        r#""f" ~ 'x($|[^0-9A-Z_a-z])'"#,
        r#"regexp_matches("f", 'x($|[^0-9A-Z_a-z])')"#,
    );
    for (items, code) in [
        ("f|re|m: 'a^b'", Code::RegexConstruct),
        ("f|re: 'a{300}'", Code::RegexConstruct),
        ("f|re: '(?=a)b'", Code::RegexConstruct),
    ] {
        let conversion = convert("postgres", &[], items, "s");
        assert_eq!(conversion.status, Status::Refused, "{items}: {:?}", conversion.queries);
        assert_eq!(conversion.diagnostics[0].code, code, "{items}");
    }
}

#[test]
fn numbers_booleans_and_presence() {
    check("f:\n  - 1\n  - -2", "`f` IN (1, '1', -2, '-2')", r#""f" IN (1, -2)"#, r#""f" IN (1, -2)"#);
    // A column has one type: text, where the rule tests it as text elsewhere.
    check(
        "f:\n  - 1\n  - a",
        "`f` IN (1, '1') OR lower(`f`) = 'a'",
        r#"lower("f") IN ('1', 'a')"#,
        r#"lower("f") IN ('1', 'a')"#,
    );
    check(
        "f|gt: 5",
        "CASE WHEN `f` < CAST(9e999 AS REAL) THEN `f` > CAST(5 AS NUMERIC) ELSE FALSE END",
        r#""f" > 5"#,
        r#""f" > 5"#,
    );
    check(
        "f: true",
        "lower(`f`) IN ('true', '1')",
        r#"lower(CAST("f" AS VARCHAR)) = 'true'"#,
        r#"lower(CAST("f" AS VARCHAR)) = 'true'"#,
    );
    check("f|exists: true", "`f` IS NOT NULL", r#""f" IS NOT NULL"#, r#""f" IS NOT NULL"#);
    check_with(
        &[],
        "f|lt: 5",
        "not s",
        "NOT (`f` IS NOT NULL AND `f` < CAST(5 AS NUMERIC))",
        r#"NOT ("f" IS NOT NULL AND "f" < 5)"#,
        r#"NOT ("f" IS NOT NULL AND "f" < 5)"#,
    );
}

#[test]
fn networks() {
    check("f|cidr: 10.0.0.0/8", "`f` LIKE '10.%'", r#""f" ILIKE '10.%'"#, r#""f" ILIKE '10.%'"#);
    let conversion = convert("postgres", &[("cidr", "native")], "f|cidr: 10.0.0.0/8", "s");
    assert_eq!(conversion.queries, [r#"SELECT * FROM "logs" WHERE "f" <<= inet '10.0.0.0/8'"#]);
    assert!(conversion.assumptions.contains(&Code::AssumeAddress), "{:?}", conversion.assumptions);
}

#[test]
fn fields_and_times() {
    check(
        "f|fieldref|cased|endswith: g",
        "substr(substr(`f`, 1), length(substr(`f`, 1)) - length(substr(`g`, 1)) + 1) = substr(`g`, 1)",
        r#"right("f", length("g")) = "g""#,
        r#"right("f", length("g")) = "g""#,
    );
    check(
        "f|hour|gte: 22",
        "CAST(strftime('%H', `f`) AS INTEGER) >= 22",
        r#"EXTRACT(HOUR FROM "f") >= 22"#,
        r#"EXTRACT(HOUR FROM "f") >= 22"#,
    );
    let long = "x".repeat(64);
    assert_eq!(convert("postgres", &[], &format!("{long}: 1"), "s").diagnostics[0].code, Code::FieldNameUnsupported);
}

#[test]
fn tables_and_ranges() {
    let options = [("table", "a.b"), ("time_range", "90m"), ("keyword_columns", "f")];
    let conversion = convert("duckdb", &options, "- x", "s");
    let wanted = r#"SELECT * FROM "a"."b" WHERE "timestamp" >= now() - INTERVAL '90 minutes' AND "f" IS NOT NULL AND "f" ILIKE '%x%'"#;
    assert_eq!(conversion.queries, [wanted]);
    assert_eq!(conversion.assumptions, [Code::AssumeTextFields, Code::AssumeSingleValues]);
}
