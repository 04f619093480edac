//! The types of fields, by what rules ask of them, and batches of rules that agree on those.
//!
//! Invariant: in a batch every field has one type, and no name is another's with a dot and more behind it.

use std::collections::BTreeMap;

use serde_json::Value;
use sigcast_ir::model::DataModel;
use sigcast_ir::schema::{FieldKind, FieldType, Normalised, Schema};

use crate::corpus::{Case, Corpus};
use crate::mapped::Reasons;
use crate::project;

/// What rules ask of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// Text, or what any type answers.
    Text,
    /// Whether it is an address in a network.
    Network,
    /// Whether it is a number.
    Equal,
    /// How it compares with a number.
    Number,
    /// What a correlation makes of its numbers.
    Decimal,
    /// Whether it is a boolean.
    Boolean,
    /// A part of a time.
    Time,
    /// Things that no one type answers.
    Mixed,
}

/// What an engine keeps of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// Documents of fields with any number of values, by dotted names.
    Documents,
    /// Rows of a table, with one value a column.
    Rows,
    /// Fields with any number of values, each of them text.
    Fields,
}

/// How the fields of an index or table are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// What is kept of events.
    pub model: Model,
    /// Whether text is held without regard to case.
    pub caseless: bool,
    /// Whether fields asked for networks hold addresses, else text.
    pub addresses: bool,
    /// Whether fields that are only asked for numbers hold numbers, else their text where order is not asked.
    pub numbers: bool,
    /// Whether rules and events are those that a pipeline makes.
    pub mapped: bool,
}

/// Documents in which all is text that minds case.
const DOCUMENTS: Setting = Setting {
    name: "cased",
    model: Model::Documents,
    caseless: false,
    addresses: false,
    numbers: false,
    mapped: false,
};

/// Rows in which numbers are numbers, and all else is text that minds case.
const ROWS: Setting = Setting { name: "texts", model: Model::Rows, numbers: true, ..DOCUMENTS };

/// A setting whose types are those of a pipeline's schema.
const fn mapped(name: &'static str, model: Model) -> Setting {
    let addresses = matches!(model, Model::Documents);
    Setting { name, model, addresses, numbers: true, mapped: true, ..DOCUMENTS }
}

/// The settings of search engines.
pub const INDICES: &[Setting] = &[
    Setting { name: "caseless", caseless: true, ..DOCUMENTS },
    DOCUMENTS,
    Setting { name: "addresses", caseless: true, addresses: true, ..DOCUMENTS },
    mapped("ECS", Model::Documents),
];

/// The settings of Elasticsearch, whose ES|QL takes no text for a number.
pub const NUMBERED: &[Setting] = &[
    Setting { name: "caseless", caseless: true, numbers: true, ..DOCUMENTS },
    Setting { numbers: true, ..DOCUMENTS },
    Setting { name: "addresses", caseless: true, addresses: true, numbers: true, ..DOCUMENTS },
];

/// The settings of databases.
pub const TABLES: &[Setting] = &[
    ROWS,
    Setting { name: "addresses", addresses: true, ..ROWS },
    mapped("Defender", Model::Rows),
    mapped("Azure Monitor", Model::Rows),
    mapped("ASIM", Model::Rows),
];

/// The settings of Splunk: fields are texts.
pub const FIELDS: &[Setting] =
    &[Setting { name: "fields", model: Model::Fields, ..DOCUMENTS }, mapped("add-on for Windows", Model::Fields)];

/// The settings of what holds documents and minds case.
pub const EVENTS: &[Setting] = &[DOCUMENTS, Setting { name: "addresses", addresses: true, ..DOCUMENTS }];

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text held whole.
    Keyword,
    /// Text held whole, of addresses.
    AddressText,
    /// Addresses.
    Address,
    /// Integers of 64 bits.
    Integer,
    /// Numbers, also with fractions.
    Decimal,
    /// Booleans.
    Boolean,
    /// Times in UTC.
    Time,
}

impl Model {
    /// The model, as a target states it that stands for its kind.
    #[must_use]
    pub fn data(self) -> Option<&'static DataModel> {
        let target = match self {
            Self::Documents => "es-dsl",
            Self::Rows => "postgres",
            Self::Fields => "splunk",
        };
        sigcast_backends::find(target).map(|target| &target.model)
    }
}

impl Setting {
    /// The type of a field of which this is asked.
    #[must_use]
    pub const fn type_of(self, asked: Asked) -> Type {
        match asked {
            Asked::Number => Type::Integer,
            Asked::Decimal => Type::Decimal,
            _ if matches!(self.model, Model::Fields) => Type::Keyword,
            Asked::Network if self.addresses => Type::Address,
            Asked::Network => Type::AddressText,
            Asked::Equal if self.numbers => Type::Integer,
            Asked::Boolean => Type::Boolean,
            Asked::Time => Type::Time,
            Asked::Equal | Asked::Text | Asked::Mixed => Type::Keyword,
        }
    }

    /// The schema of the fields, for the backends.
    #[must_use]
    pub fn schema(self, fields: &BTreeMap<String, Asked>) -> Schema {
        let one = |(name, asked): (&String, &Asked)| {
            let mut own = FieldType::new(match self.type_of(*asked) {
                Type::Keyword | Type::AddressText => FieldKind::Keyword,
                Type::Address => FieldKind::Ip,
                Type::Integer | Type::Decimal => FieldKind::Number,
                Type::Boolean => FieldKind::Boolean,
                Type::Time => FieldKind::Date,
            });
            if self.caseless && own.kind == FieldKind::Keyword {
                own.normalised = Normalised::Yes;
            }
            (name.clone(), own)
        };
        Schema { fields: fields.iter().map(one).collect(), ..Schema::default() }
    }
}

/// Rules whose events lie in one index.
#[derive(Debug, Default)]
pub struct Batch {
    /// Rules, by their number in the corpus.
    pub cases: Vec<usize>,
    /// Every field of the events and the rules.
    pub fields: BTreeMap<String, Asked>,
    /// Whether the rules look for keywords.
    keywords: bool,
}

/// How many rules and fields a batch holds. Few, as an engine looks a pattern up among all terms of a field.
const MOST: (usize, usize) = (150, 700);
/// The same for keywords: each is looked up in every field, which counts as a clause each.
const MOST_KEYWORDS: (usize, usize) = (12, 24);

impl Batch {
    /// Takes the rule in, if its fields agree with those that are there.
    fn take(&mut self, number: usize, case: &Case<'_>, fields: &BTreeMap<String, Asked>, setting: Setting) -> bool {
        let agrees = |own: Asked, known: Asked| setting.type_of(own) == setting.type_of(known);
        let most = if case.keywords { MOST_KEYWORDS } else { MOST };
        let new = fields.keys().filter(|name| !self.fields.contains_key(*name)).count();
        let fits = self.keywords == case.keywords
            && self.cases.len() < most.0
            && self.fields.len() + new <= most.1
            && fields.iter().all(|(name, asked)| self.fields.get(name).is_none_or(|known| agrees(*asked, *known)))
            && fields.keys().all(|name| !clashes(name, &self.fields, setting));
        if fits {
            for (name, asked) in fields {
                // What a rule asks of it counts before what merely holds it.
                let known = self.fields.entry(name.clone()).or_insert(*asked);
                *known = (*known).max(*asked);
            }
            self.cases.push(number);
        }
        fits
    }
}

/// Whether the name cannot stand beside the others: in documents, because it goes on where another one ends or the
/// other way round, and an object cannot have a value too; in tables, because it differs from another in case only.
fn clashes(name: &str, others: &BTreeMap<String, Asked>, setting: Setting) -> bool {
    if setting.model == Model::Fields {
        return false;
    }
    if setting.model == Model::Rows {
        return others.keys().any(|other| other.eq_ignore_ascii_case(name) && other != name);
    }
    let inside = format!("{name}.");
    name.match_indices('.').any(|(dot, _)| others.contains_key(&name[..dot]))
        || others.range(inside.clone()..).next().is_some_and(|(other, _)| other.starts_with(&inside))
}

/// The corpus in batches, and the rules that no index can hold, by the reason.
#[must_use]
pub fn batches(corpus: &Corpus<'_>, setting: Setting, executes: bool) -> (Vec<Batch>, Reasons) {
    // A setting for addresses tells nothing of rules without networks.
    let wanted = |case: &Case<'_>| {
        !setting.addresses || setting.mapped || case.asked.values().any(|asked| *asked == Asked::Network)
    };
    let default = |name: &String| corpus.types.get(name).copied().unwrap_or(Asked::Text);
    let recorded = names(&corpus.recorded);
    let mut batches: Vec<Batch> = Vec::new();
    let mut left = corpus.unmapped.clone();
    for (number, case) in corpus.cases.iter().enumerate().filter(|(_, case)| wanted(case)) {
        let mut fields = case.asked.clone();
        names(&case.events).into_iter().for_each(|name| {
            let asked = default(&name);
            fields.entry(name).or_insert(asked);
        });
        let reason = if executes && case.computed {
            Some("a field is a computed column, of which no data is made")
        } else if setting.model != Model::Fields && fields.values().any(|asked| *asked == Asked::Mixed) {
            Some("one field is asked for things that no one type answers")
        } else if fields.keys().any(|name| clashes(name, &fields, setting)) {
            Some("two names of fields are one, or one is an object and has a value too")
        } else {
            None
        };
        if let Some(reason) = reason {
            *left.entry(reason).or_default() += 1;
            continue;
        }
        if batches.iter_mut().any(|batch| batch.take(number, case, &fields, setting)) {
            continue;
        }
        let mut batch = Batch { keywords: case.keywords, ..Batch::default() };
        // An index that holds one rule alone may have more fields than is good for speed.
        if !batch.take(number, case, &fields, setting) {
            batch.fields = fields;
            batch.cases.push(number);
        }
        batches.push(batch);
    }
    for batch in batches.iter_mut().filter(|batch| !batch.keywords) {
        for name in &recorded {
            if !clashes(name, &batch.fields, setting) {
                batch.fields.entry(name.clone()).or_insert(default(name));
            }
        }
    }
    (batches, left)
}

impl Batch {
    /// Whether recorded events lie in it beside the events of its rules.
    #[must_use]
    pub fn has_recorded(&self) -> bool {
        !self.keywords
    }
}

/// The names of the fields of events.
fn names(events: &[Value]) -> Vec<String> {
    let mut names: Vec<String> = events
        .iter()
        .flat_map(project::flat)
        .map(|(name, _)| name)
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    names.sort();
    names
}
