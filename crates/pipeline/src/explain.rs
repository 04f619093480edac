//! What each item did to a rule: the rows of `sigcast pipeline explain`.

/// What an item did, to the rule as a whole or to one detection item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The pipeline's name.
    pub pipeline: String,
    /// The item's number in the run, from 0.
    pub number: u32,
    /// The item, by its id, or by its number in the pipeline and its type.
    pub item: String,
    /// The item's type.
    pub kind: &'static str,
    /// The name of the detection; none for the rule as a whole.
    pub detection: Option<String>,
    /// The detection item as it was, as a rule writes it.
    pub before: Option<String>,
    /// What was done.
    pub effect: Outcome,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Whether the conditions on the rule hold.
    Rule(bool),
    /// The conditions on the detection item or its field do not hold.
    Passed,
    /// They hold, but there is nothing to change.
    Unchanged,
    /// This stands for it now, as a rule writes it.
    Changed(String),
    /// It was dropped.
    Dropped,
}
