//! Targets with the options by which they write queries in other ways.

use sigcast_backends::options::Settings;
use sigcast_backends::{Backend, TARGETS};

/// Every target as it is, and with each of these options that it knows.
pub fn backends(pairs: &[(&str, &str)]) -> Vec<Backend> {
    let mut all: Vec<Backend> = TARGETS.iter().map(|target| Backend::new(target, Settings::default())).collect();
    for target in TARGETS {
        for pair in pairs.iter().filter(|(key, _)| target.options.contains(key)) {
            all.push(Backend::new(target, Settings::of(&[*pair]).expect("an option")));
        }
    }
    all
}
