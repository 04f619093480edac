//! ATT&CK as templates see it.

use serde::Serialize;
use sigcast_attack::{Attack, Tactic, Technique};
use sigcast_ir::Rule;

/// The tags of a rule in the words of MITRE ATT&CK.
#[derive(Debug, Serialize)]
pub(crate) struct AttackView {
    /// The version of the table.
    version: &'static str,
    /// Tactics with their techniques.
    threats: Vec<ThreatView>,
    /// The techniques and sub-techniques that the rule names, in its order.
    techniques: Vec<TechniqueView>,
    /// Their ids, those that the table does not have behind them.
    technique_ids: Vec<String>,
    /// The ids of the techniques under the tactics, without sub-techniques.
    parents: Vec<&'static str>,
    /// The ids of the sub-techniques under the tactics.
    subtechniques: Vec<&'static str>,
    /// The tactics as products know them that have no newer version: `DefenseEvasion`.
    former_words: Vec<String>,
    groups: Vec<String>,
    software: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ThreatView {
    tactic: TacticView,
    techniques: Vec<PairedView>,
}

#[derive(Debug, Serialize)]
struct TacticView {
    id: &'static str,
    name: &'static str,
    /// `command-and-control`.
    slug: &'static str,
    /// `CommandAndControl`.
    word: String,
    url: String,
    /// The tactic of the earlier version that it was split from, for products that know no other; else itself.
    former: FormerView,
}

#[derive(Debug, Serialize)]
struct FormerView {
    id: &'static str,
    name: &'static str,
    slug: &'static str,
    word: String,
    url: String,
}

#[derive(Debug, Serialize)]
struct TechniqueView {
    id: &'static str,
    name: &'static str,
    url: String,
    revoked: bool,
}

#[derive(Debug, Serialize)]
struct PairedView {
    #[serde(flatten)]
    technique: TechniqueView,
    subtechniques: Vec<TechniqueView>,
}

impl AttackView {
    pub(crate) fn of(rule: &Rule<'_>) -> Self {
        let found = Attack::of(rule.meta.tags.iter().map(AsRef::as_ref));
        let threats = found.threats.iter().map(|threat| ThreatView {
            tactic: TacticView::of(threat.tactic),
            techniques: threat
                .techniques
                .iter()
                .map(|paired| PairedView {
                    technique: TechniqueView::of(paired.technique),
                    subtechniques: paired.subtechniques.iter().map(|sub| TechniqueView::of(sub)).collect(),
                })
                .collect(),
        });
        let threats: Vec<ThreatView> = threats.collect();
        let paired = || threats.iter().flat_map(|threat| &threat.techniques);
        let ids = found.techniques.iter().map(|technique| technique.id.to_owned());
        Self {
            version: sigcast_attack::version(),
            parents: unique(paired().map(|paired| paired.technique.id)),
            subtechniques: unique(paired().flat_map(|paired| &paired.subtechniques).map(|sub| sub.id)),
            former_words: unique(threats.iter().map(|threat| threat.tactic.former.word.clone())),
            threats,
            technique_ids: ids.chain(found.unknown_techniques).collect(),
            techniques: found.techniques.iter().map(|technique| TechniqueView::of(technique)).collect(),
            groups: found.groups,
            software: found.software,
        }
    }
}

/// Each once, in the order in which they come.
fn unique<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut out = Vec::new();
    for value in values {
        if !out.contains(&value) {
            out.push(value);
        }
    }
    out
}

impl AttackView {
    /// A line for each tactic: `Execution (TA0002): T1059.001 PowerShell`.
    pub(crate) fn lines(&self) -> Vec<String> {
        let named = |technique: &TechniqueView| format!("{} {}", technique.id, technique.name);
        let line = |threat: &ThreatView| {
            let techniques = threat.techniques.iter().flat_map(|paired| {
                let alone = paired.subtechniques.is_empty();
                alone.then(|| named(&paired.technique)).into_iter().chain(paired.subtechniques.iter().map(named))
            });
            let techniques: Vec<String> = techniques.collect();
            let sign = if techniques.is_empty() { "" } else { ": " };
            format!("{} ({}){sign}{}", threat.tactic.name, threat.tactic.id, techniques.join(", "))
        };
        self.threats.iter().map(line).collect()
    }
}

impl TacticView {
    fn of(tactic: &Tactic) -> Self {
        let former = match tactic.former() {
            Some(former) => FormerView {
                id: former.id,
                name: former.name,
                slug: former.slug,
                word: former.word(),
                url: former.url(),
            },
            None => FormerView {
                id: tactic.id,
                name: tactic.name,
                slug: tactic.slug,
                word: tactic.word(),
                url: tactic.url(),
            },
        };
        let url = tactic.url();
        Self { id: tactic.id, name: tactic.name, slug: tactic.slug, word: tactic.word(), url, former }
    }
}

impl TechniqueView {
    fn of(technique: &Technique) -> Self {
        Self { id: technique.id, name: technique.name, url: technique.url(), revoked: technique.revoked }
    }
}
