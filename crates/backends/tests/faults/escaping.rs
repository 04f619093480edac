//! Escaping: what ends a text, begins an operator or eats a wildcard.

use super::*;

/// `\*` at the end of a pattern would be a literal asterisk: the backslash is doubled where the language escapes with it,
/// and stands alone in SQL, where it is a character like others.
#[test]
fn a_trailing_backslash_stays_before_an_added_wildcard() {
    check(
        r"s: {Path|contains: '\Temp\'}",
        "s",
        &[
            ("lucene", Text(r"Path:*\\Temp\\*")),
            ("kibana", Text(r"Path: *\\Temp\\*")),
            ("graylog", Text(r"Path:*\\Temp\\*")),
            ("splunk", Text(r#"Path="*\\Temp\\*""#)),
            ("kusto", Text(r#"Path contains "\\Temp\\""#)),
            ("eql", Text(r#"Path : "*\\Temp\\*""#)),
            ("esql", Text(r#"TO_LOWER(Path) LIKE """*\\temp\\*""""#)),
            ("sqlite", Text(r"`Path` LIKE '%\Temp\%'")),
        ],
    );
    check(
        r"s: {Path|startswith: 'C:\Temp\'}",
        "s",
        &[
            ("lucene", Text(r"Path:C\:\\Temp\\*")),
            ("kibana", Text(r"Path: C\:\\Temp\\*")),
            ("graylog", Text(r"Path:C\:\\Temp\\*")),
            ("splunk", Text(r#"Path="C:\\Temp\\*""#)),
            ("kusto", Text(r#"Path startswith "C:\\Temp\\""#)),
            ("eql", Text(r#"Path : "C:\\Temp\\*""#)),
            ("esql", Text(r#"TO_LOWER(Path) LIKE """c:\\temp\\*""""#)),
            ("sqlite", Text(r"`Path` LIKE 'C:\Temp\%'")),
        ],
    );
}

/// A quote is escaped once for the string that holds the regex and, where it is an operator of the regex language
/// (Lucene, EQL, ES|QL), once for that.
#[test]
fn quotes_inside_a_regex_end_no_string() {
    check(
        r#"s: {CommandLine|re: 'say "a" ''b'' [0-9]+'}"#,
        "s",
        &[
            ("lucene", Text(r#"CommandLine:/.*say \"a\" 'b' [0-9].*/"#)),
            (
                "kibana",
                Approximate(
                    Code::ValueReinterpreted,
                    r#"CommandLine: (*say \"a\" 'b' 0* or *say \"a\" 'b' 1* or *say \"a\" 'b' 2* or *say \"a\" 'b' 3* or *say \"a\" 'b' 4* or *say \"a\" 'b' 5* or *say \"a\" 'b' 6* or *say \"a\" 'b' 7* or *say \"a\" 'b' 8* or *say \"a\" 'b' 9*)"#,
                ),
            ),
            ("graylog", Text(r#"CommandLine:/.*say \"a\" 'b' [0-9].*/"#)),
            (
                "splunk",
                Text("CommandLine=\"*say \\\"a\\\" 'b' *\"\n| where match(CommandLine, \"say \\\"a\\\" 'b' [0-9]+\")"),
            ),
            ("kusto", Text(r#"CommandLine matches regex @"say ""a"" 'b' [0-9]+""#)),
            ("eql", Text(r#"CommandLine regex ".*say \\\"a\\\" 'b' [0-9].*""#)),
            ("esql", Text(r#"CommandLine RLIKE ".*say \\\"a\\\" 'b' [0-9].*""#)),
            (
                "sqlite",
                Text(
                    r#"`CommandLine` GLOB '*say "a" ''b'' 0*' OR `CommandLine` GLOB '*say "a" ''b'' 1*' OR `CommandLine` GLOB '*say "a" ''b'' 2*' OR `CommandLine` GLOB '*say "a" ''b'' 3*' OR `CommandLine` GLOB '*say "a" ''b'' 4*' OR `CommandLine` GLOB '*say "a" ''b'' 5*' OR `CommandLine` GLOB '*say "a" ''b'' 6*' OR `CommandLine` GLOB '*say "a" ''b'' 7*' OR `CommandLine` GLOB '*say "a" ''b'' 8*' OR `CommandLine` GLOB '*say "a" ''b'' 9*'"#,
                ),
            ),
        ],
    );
}

/// A query may span lines only inside quotes; languages with escapes use them.
#[test]
fn newline_and_tab_are_escaped_or_stand_as_they_are() {
    check(
        r#"s: {CommandLine: "a\nb\tc"}"#,
        "s",
        &[
            ("lucene", Text("CommandLine:\"a\nb\tc\"")),
            ("kibana", Text(r#"CommandLine: "a\nb\tc""#)),
            ("graylog", Text("CommandLine:\"a\nb\tc\"")),
            (
                "splunk",
                Text(
                    "CommandLine=\"a*\" CommandLine=\"*b*\" CommandLine=\"*c\"\n| where match(CommandLine, \"(?i)^a\\\\nb\\\\tc\\\\z\")",
                ),
            ),
            ("kusto", Text(r#"CommandLine =~ "a\nb\tc""#)),
            ("eql", Text(r#"CommandLine : "a\nb\tc""#)),
            ("esql", Text(r#"TO_LOWER(CommandLine) == "a\nb\tc""#)),
            ("sqlite", Text("lower(`CommandLine`) = 'a\nb\tc'")),
        ],
    );
    check(
        r#"s: {CommandLine|contains: "a\nb\tc"}"#,
        "s",
        &[
            ("lucene", Text("CommandLine:*a\\\nb\\\tc*")),
            ("kibana", Approximate(Code::ValueReinterpreted, r"CommandLine: *a\nb\tc*")),
            ("graylog", Text("CommandLine:*a\\\nb\\\tc*")),
            (
                "splunk",
                Text(
                    "CommandLine=\"*a*\" CommandLine=\"*b*\" CommandLine=\"*c*\"\n| where match(CommandLine, \"(?i)a\\\\nb\\\\tc\")",
                ),
            ),
            ("kusto", Text(r#"CommandLine contains "a\nb\tc""#)),
            ("eql", Text(r#"CommandLine : "*a\nb\tc*""#)),
            ("esql", Text(r#"TO_LOWER(CommandLine) LIKE "*a\nb\tc*""#)),
            ("sqlite", Text("`CommandLine` LIKE '%a\nb\tc%'")),
        ],
    );
}

/// `AND` bare would be the operator.
#[test]
fn an_operator_as_a_value_is_a_value() {
    check(
        "s: {Verb: AND}",
        "s",
        &[
            ("lucene", Text(r#"Verb:"AND""#)),
            ("kibana", Text(r#"Verb: "AND""#)),
            ("graylog", Text(r#"Verb:"AND""#)),
            ("splunk", Text(r#"Verb="AND""#)),
            ("kusto", Text(r#"Verb =~ "AND""#)),
            ("eql", Text(r#"Verb : "AND""#)),
            ("esql", Text(r#"TO_LOWER(Verb) == "and""#)),
            ("sqlite", Text("lower(`Verb`) = 'and'")),
        ],
    );
    check(
        "s: {Verb: [OR, NOT x]}",
        "s",
        &[
            ("lucene", Text(r#"Verb:("OR" OR "NOT x")"#)),
            ("kibana", Text(r#"Verb: ("OR" or "NOT x")"#)),
            ("graylog", Text(r#"Verb:("OR" OR "NOT x")"#)),
            ("splunk", Text(r#"Verb IN ("OR", "NOT x")"#)),
            ("kusto", Text(r#"Verb in~ ("OR", "NOT x")"#)),
            ("eql", Text(r#"Verb : ("OR", "NOT x")"#)),
            ("esql", Text(r#"TO_LOWER(Verb) IN ("or", "not x")"#)),
            ("sqlite", Text("lower(`Verb`) IN ('or', 'not x')")),
        ],
    );
}

/// `Title:<script>` and `Size:>=5` bare are ranges to Lucene, and no escape changes that: whole values are quoted. In a
/// wildcard term the escape works.
#[test]
fn a_value_that_starts_with_a_comparison_sign_is_a_text() {
    check(
        "s: {Title: '<script>'}",
        "s",
        &[
            ("lucene", Text(r#"Title:"<script>""#)),
            ("kibana", Text(r#"Title: "<script>""#)),
            ("graylog", Text(r#"Title:"<script>""#)),
            ("splunk", Text(r#"Title="<script>""#)),
            ("kusto", Text(r#"Title =~ "<script>""#)),
            ("eql", Text(r#"Title : "<script>""#)),
            ("esql", Text(r#"TO_LOWER(Title) == "<script>""#)),
            ("sqlite", Text("lower(`Title`) = '<script>'")),
        ],
    );
    check(
        "s: {Title|startswith: '<scr'}",
        "s",
        &[
            ("lucene", Text(r"Title:\<scr*")),
            ("kibana", Text(r"Title: \<scr*")),
            ("graylog", Text(r"Title:\<scr*")),
            ("splunk", Text(r#"Title="<scr*""#)),
            ("kusto", Text(r#"Title startswith "<scr""#)),
            ("eql", Text(r#"Title : "<scr*""#)),
            ("esql", Text(r#"TO_LOWER(Title) LIKE "<scr*""#)),
            ("sqlite", Text("`Title` LIKE '<scr%'")),
        ],
    );
    check(
        "s: {Size: '>=5'}",
        "s",
        &[
            ("lucene", Text(r#"Size:">=5""#)),
            ("kibana", Text(r#"Size: ">=5""#)),
            ("graylog", Text(r#"Size:">=5""#)),
            ("splunk", Text(r#"Size=">=5""#)),
            ("kusto", Text(r#"Size =~ ">=5""#)),
        ],
    );
}

/// Graylog takes a name between two `$` for a parameter of the search, in quotes too, and a search with one that is not
/// declared fails.
#[test]
fn dollars_make_no_parameters() {
    check(
        r"s: {f: '$name$', g|contains: 'C$ $d$', h|re: '\$e\$'}",
        "s",
        &[
            ("lucene", Text(r#"f:"$name$" AND g:*C$\ $d$* AND h:/.*\$e\$.*/"#)),
            ("graylog", Text(r#"f:"\$name\$" AND g:*C\$\ \$d\$* AND h:/.*\$e\$.*/"#)),
        ],
    );
}
