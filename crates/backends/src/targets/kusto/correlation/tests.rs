//! What Kusto gets for each kind of correlation, as a person has read it.

use crate::made::shown;

#[test]
fn each_kind_of_correlation() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../snapshots/correlations"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("kusto", shown("kusto")));
}
