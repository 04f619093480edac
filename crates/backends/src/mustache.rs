//! Queries inside of texts that a server renders as Mustache templates.
//!
//! Invariant: no query opens a tag, and each means what it did.

/// A Lucene query that holds no Mustache tag: Watcher renders the body of a search as a template before it is parsed.
///
/// `{{` stands in a query only inside quotes or a class of a regular expression: elsewhere braces are escaped. There,
/// a backslash before the second brace changes nothing for Lucene, and leaves Mustache no tag to find.
///
/// Source: Elasticsearch reference, "How Watcher works" (templates).
#[must_use]
pub fn without_tags(query: &str) -> String {
    let mut out = String::with_capacity(query.len());
    let mut after_brace = false;
    for c in query.chars() {
        if c == '{' && after_brace {
            out.push('\\');
        }
        after_brace = c == '{';
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_tag_is_left_in_a_query() {
        let check = |query: &str, expected: &str| {
            let found = without_tags(query);
            assert_eq!(found, expected);
            assert!(!found.contains("{{"));
            // Lucene drops the backslash again.
            assert_eq!(found.replace("\\{", "{"), query.replace("\\{", "{"));
        };
        check(r#"f:"{{ctx}}""#, r#"f:"{\{ctx}}""#);
        check(r#"f:"{{{{{""#, r#"f:"{\{\{\{\{""#);
        check(r"f:a\{\{b", r"f:a\{\{b");
        check("f:{5 TO *]", "f:{5 TO *]");
    }
}
