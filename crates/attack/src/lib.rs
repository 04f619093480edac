//! MITRE ATT&CK: what the tags of a rule name, and which technique belongs to which tactic.
//!
//! Invariant: everything comes from one table that is compiled in (`data/attack.tsv`, with its version and MITRE's notice);
//! it is read once, when it is first asked, and never fetched.
//!
//! | stage | module | input | output |
//! |---|---|---|---|
//! | table | [`table`] | the compiled text | [`Tactic`], [`Technique`], [`Former`] |
//! | tag | [`tag`] | `attack.t1059.001` | [`Named`] |
//! | pairing | [`pair`] | the tags of a rule | [`Attack`]: tactics with their techniques |

mod pair;
mod table;
mod tag;

pub use pair::{Attack, Paired, Threat};
pub use table::{Former, NOTICE, Tactic, Technique, tactics, techniques, version};
pub use tag::{Named, nearest_words, resolve};
