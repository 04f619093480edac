//! A reader of Splunk's configuration files.
//!
//! Source: Splunk Enterprise, Admin Manual, "About configuration files" and "Configuration file structure": stanzas in
//! brackets, `key = value`, lines of comment start with `#`, and a line that ends in a backslash goes on in the next one.

/// A stanza: its name, and its keys with their values in order.
pub(crate) type Stanza = (String, Vec<(String, String)>);

/// The stanzas of a text.
pub(crate) fn read(text: &str) -> Result<Vec<Stanza>, String> {
    let mut stanzas: Vec<Stanza> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(inner) = line.strip_prefix('[') {
            let name = inner.strip_suffix(']').filter(|name| !name.contains([']', '[']));
            stanzas.push((name.ok_or_else(|| format!("no stanza: {line}"))?.to_owned(), Vec::new()));
            continue;
        }
        let (key, value) = line.split_once('=').ok_or_else(|| format!("no key: {line}"))?;
        let mut value = value.trim_start().to_owned();
        while let Some(open) = value.strip_suffix('\\') {
            let next = lines.next().ok_or("the file ends amid a value")?;
            value = format!("{}\n{next}", open.trim_end());
        }
        let (_, keys) = stanzas.last_mut().ok_or_else(|| format!("outside of a stanza: {line}"))?;
        if keys.iter().any(|(known, _)| known == key.trim()) {
            return Err(format!("twice: {key}"));
        }
        keys.push((key.trim().to_owned(), value));
    }
    Ok(stanzas)
}

/// The value of a key, which must be there.
pub(crate) fn value<'s>(stanza: &'s Stanza, key: &str) -> &'s str {
    let found = stanza.1.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str());
    found.unwrap_or_else(|| panic!("[{}] has no {key}", stanza.0))
}

#[test]
fn the_reader_reads_as_splunk_does() {
    let text = "# c\n[a b]\nsearch = x \\\n| y \\\n[z]\nk=v = w\n\n[c]\nk = 1\n";
    let found = read(text).expect("a file");
    assert_eq!(found.len(), 2);
    assert_eq!(value(&found[0], "search"), "x\n| y\n[z]");
    assert_eq!(value(&found[0], "k"), "v = w");
    for wrong in ["k = v", "[a", "[a]\nx", "[a]\nk = v\\", "[a]\nk = 1\nk = 2", "[a]b]"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}
