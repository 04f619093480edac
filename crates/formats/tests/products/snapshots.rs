//! What the formats of Splunk, Sentinel, Defender and Graylog make of some sample rules: `snapshots/formats/`.

use std::fmt::Write as _;

use crate::{Maker, sample};

/// Rules of several kinds: one query, two, several documents, a second stage.
const RULES: [&str; 4] = [
    "windows/process_creation/certutil_download_flags.yml",
    "windows/process_creation/two_questions_one_rule.yml",
    "windows/process_creation/awkward_titles.yml",
    "windows/registry/keyboard_layout_preload.yml",
];

fn check(target: &str, format: &str, pipeline: &str) {
    let pipelines: Vec<&str> = [pipeline].into_iter().filter(|name| !name.is_empty()).collect();
    let maker = Maker::new(target, format, &[], &pipelines);
    let mut out = String::new();
    for path in RULES {
        let _ = writeln!(out, "======== {path}\n");
        match maker.texts(&sample(path)) {
            Ok(texts) => texts.iter().for_each(|text| out.push_str(text)),
            Err(why) => {
                let _ = writeln!(out, "refused: {why}");
            }
        }
        out.push('\n');
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../../snapshots/formats");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(format!("{target}-{format}"), out));
}

#[test]
fn formats_of_products() {
    check("splunk", "savedsearches", "splunk_windows");
    check("splunk", "es-correlation", "splunk_windows");
    check("splunk", "data-model", "splunk_cim");
    check("kusto", "sentinel-yaml", "sentinel_asim");
    check("kusto", "sentinel-arm", "microsoft_xdr");
    check("kusto", "defender", "microsoft_xdr");
    check("graylog", "event-definition", "");
    check("graylog", "content-pack", "");
}
