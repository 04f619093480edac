//! Encoding: what is encoded, in which bytes, and how many variants that makes.

use super::*;

/// `a\?b` is the text `a?b`, whose base64 is `YT9i`.
#[test]
fn base64_encodes_what_an_escape_stands_for() {
    check(
        r"s: {Data|base64|contains: 'a\?b'}",
        "s",
        &[
            ("lucene", Text("Data:*YT9i*")),
            ("kibana", Text("Data: *YT9i*")),
            ("graylog", Text("Data:*YT9i*")),
            ("splunk", Text(r#"Data="*YT9i*""#)),
            ("kusto", Text(r#"Data contains "YT9i""#)),
            ("eql", Text(r#"Data : "*YT9i*""#)),
            ("esql", Text(r#"TO_LOWER(Data) LIKE "*yt9i*""#)),
            ("sqlite", Text("`Data` LIKE '%YT9i%'")),
        ],
    );
}

/// `é!` has three bytes, c3 a9 21: at the offsets 0, 1 and 2, without the characters that neighbours share in.
#[test]
fn base64offset_counts_bytes() {
    check(
        "s: {Data|base64offset|contains: 'é!'}",
        "s",
        &[
            ("lucene", Text("Data:(*w6kh* OR *OpI* OR *DqS*)")),
            ("kibana", Text("Data: (*w6kh* or *OpI* or *DqS*)")),
            ("graylog", Text("Data:(*w6kh* OR *OpI* OR *DqS*)")),
            ("splunk", Text(r#"Data IN ("*w6kh*", "*OpI*", "*DqS*")"#)),
            ("kusto", Text(r#"Data contains "w6kh" or Data contains "OpI" or Data contains "DqS""#)),
            ("eql", Text(r#"Data : ("*w6kh*", "*OpI*", "*DqS*")"#)),
            (
                "esql",
                Text(r#"TO_LOWER(Data) LIKE "*w6kh*" OR TO_LOWER(Data) LIKE "*opi*" OR TO_LOWER(Data) LIKE "*dqs*""#),
            ),
            ("sqlite", Text("`Data` LIKE '%w6kh%' OR `Data` LIKE '%OpI%' OR `Data` LIKE '%DqS%'")),
        ],
    );
}

/// ff fe 61 00 62 00: the mark of UTF-16 in its own bytes, not that of UTF-8 (ef bb bf).
#[test]
fn utf16_has_the_mark_of_utf16() {
    check(
        "s: {Data|utf16|base64offset|contains: 'ab'}",
        "s",
        &[
            ("lucene", Text(r"Data:(*\/\/5hAGIA* OR *\/\+YQBiA* OR *\/\/mEAYg*)")),
            ("kibana", Text("Data: (*//5hAGIA* or */+YQBiA* or *//mEAYg*)")),
            ("graylog", Text(r"Data:(*\/\/5hAGIA* OR *\/\+YQBiA* OR *\/\/mEAYg*)")),
            ("splunk", Text(r#"Data IN ("*//5hAGIA*", "*/+YQBiA*", "*//mEAYg*")"#)),
            ("kusto", Text(r#"Data contains "//5hAGIA" or Data contains "/+YQBiA" or Data contains "//mEAYg""#)),
            ("eql", Text(r#"Data : ("*//5hAGIA*", "*/+YQBiA*", "*//mEAYg*")"#)),
            (
                "esql",
                Text(
                    r#"TO_LOWER(Data) LIKE "*//5hagia*" OR TO_LOWER(Data) LIKE "*/+yqbia*" OR TO_LOWER(Data) LIKE "*//meayg*""#,
                ),
            ),
            ("sqlite", Text("`Data` LIKE '%//5hAGIA%' OR `Data` LIKE '%/+YQBiA%' OR `Data` LIKE '%//mEAYg%'")),
        ],
    );
}

/// Only the dash that begins the flag changes: not those in `a-b`, and not the slashes of the address.
#[test]
fn windash_leaves_addresses_alone() {
    check(
        "s: {CommandLine|windash|contains: ' -u http://a-b/c'}",
        "s",
        &[
            (
                "lucene",
                Text(
                    r"CommandLine:(*\ \-u\ http\:\/\/a\-b\/c* OR *\ \/u\ http\:\/\/a\-b\/c* OR *\ –u\ http\:\/\/a\-b\/c* OR *\ —u\ http\:\/\/a\-b\/c* OR *\ ―u\ http\:\/\/a\-b\/c*)",
                ),
            ),
            (
                "kibana",
                Approximate(
                    Code::ValueReinterpreted,
                    r"CommandLine: (* -u http\://a-b/c* or * /u http\://a-b/c* or * –u http\://a-b/c* or * —u http\://a-b/c* or * ―u http\://a-b/c*)",
                ),
            ),
            (
                "graylog",
                Text(
                    r"CommandLine:(*\ \-u\ http\:\/\/a\-b\/c* OR *\ \/u\ http\:\/\/a\-b\/c* OR *\ –u\ http\:\/\/a\-b\/c* OR *\ —u\ http\:\/\/a\-b\/c* OR *\ ―u\ http\:\/\/a\-b\/c*)",
                ),
            ),
            (
                "splunk",
                Text(
                    r#"CommandLine IN ("* -u http://a-b/c*", "* /u http://a-b/c*", "* –u http://a-b/c*", "* —u http://a-b/c*", "* ―u http://a-b/c*")"#,
                ),
            ),
            (
                "kusto",
                Text(
                    r#"CommandLine contains " -u http://a-b/c" or CommandLine contains " /u http://a-b/c" or CommandLine matches regex @"(?i) –u http://a-b/c" or CommandLine matches regex @"(?i) —u http://a-b/c" or CommandLine matches regex @"(?i) ―u http://a-b/c""#,
                ),
            ),
            (
                "eql",
                Text(
                    r#"CommandLine : ("* -u http://a-b/c*", "* /u http://a-b/c*", "* –u http://a-b/c*", "* —u http://a-b/c*", "* ―u http://a-b/c*")"#,
                ),
            ),
            (
                "esql",
                Text(
                    r#"TO_LOWER(CommandLine) LIKE "* -u http://a-b/c*" OR TO_LOWER(CommandLine) LIKE "* /u http://a-b/c*" OR TO_LOWER(CommandLine) LIKE "* –u http://a-b/c*" OR TO_LOWER(CommandLine) LIKE "* —u http://a-b/c*" OR TO_LOWER(CommandLine) LIKE "* ―u http://a-b/c*""#,
                ),
            ),
            (
                "sqlite",
                Text(
                    "`CommandLine` LIKE '% -u http://a-b/c%' OR `CommandLine` LIKE '% /u http://a-b/c%' OR `CommandLine` LIKE '% –u http://a-b/c%' OR `CommandLine` LIKE '% —u http://a-b/c%' OR `CommandLine` LIKE '% ―u http://a-b/c%'",
                ),
            ),
        ],
    );
}

/// Five ways to write each of nine flags would be 1,953,125 patterns.
#[test]
fn variants_are_capped() {
    check_invalid("s: {A|windash: ' -a -b -c -d -e -f -g -h -i'}", "s", Code::TooManyVariants);
}
