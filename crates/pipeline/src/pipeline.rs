//! A pipeline file, compiled.

use std::collections::BTreeMap;

use serde_yaml::Value;
use sigcast_diagnostics::{Code, Diagnostic, SourceId, SourceMap};
use sigcast_frontend::part::Yaml;

use crate::builtin;
use crate::item::Item;
use crate::output::{Finalizer, PostItem};
use crate::read::{Faults, Located, fault, kind, unknown};
use crate::transformations::Resources;
use crate::world::World;

/// A pipeline.
#[derive(Debug)]
pub struct Pipeline<'a> {
    pub(crate) name: String,
    pub(crate) priority: i64,
    pub(crate) allowed: Vec<String>,
    pub(crate) vars: BTreeMap<String, Value>,
    pub(crate) items: Vec<Item<'a>>,
    pub(crate) post: Vec<PostItem<'a>>,
    pub(crate) finalizers: Vec<Finalizer>,
    pub(crate) schema: Option<String>,
}

/// The keys of a pipeline file.
const KEYS: &[&str] =
    &["name", "priority", "allowed_backends", "vars", "schema", "transformations", "postprocessing", "finalizers"];

/// The priority of a pipeline that has none.
const PRIORITY: i64 = 0;

impl<'a> Pipeline<'a> {
    /// Compiles the pipeline in a source text.
    ///
    /// # Errors
    /// Everything that is wrong with it, each at its place.
    pub fn compile(sources: &'a SourceMap, id: SourceId, world: &dyn World) -> Result<Self, Vec<Diagnostic>> {
        let mut found = compile(sources, id, world);
        if let Err(faults) = &mut found {
            // What YAML itself complains of keeps its code.
            let wrong = |code: Code| !matches!(code, Code::WrongType);
            faults.iter_mut().filter(|found| !wrong(found.code)).for_each(|found| found.code = Code::BadPipeline);
            faults.sort_by_key(|found| found.span().map(|span| (span.start, span.end)));
            faults.dedup();
        }
        found
    }

    /// Its name: what the file says, or the name of the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its priority: pipelines with lower ones come first.
    #[must_use]
    pub fn priority(&self) -> i64 {
        self.priority
    }

    /// The name of the built-in schema of what it maps to.
    #[must_use]
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The backends that it is for; empty if for all.
    #[must_use]
    pub fn allowed_backends(&self) -> &[String] {
        &self.allowed
    }

    /// How many items it has: those within others, post-processing and finalizers included.
    #[must_use]
    pub fn len(&self) -> usize {
        let mut count = 0;
        self.items.iter().for_each(|item| item.each(&mut |_| count += 1));
        count + self.post.len() + self.finalizers.len()
    }

    /// Whether it has no item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.post.is_empty() && self.finalizers.is_empty()
    }
}

fn compile<'a>(sources: &'a SourceMap, id: SourceId, world: &dyn World) -> Result<Pipeline<'a>, Faults> {
    let yaml = Yaml::load(sources, id)?;
    let part = yaml.root();
    let mut value: Value = serde_yaml::from_str(sources.get(id).text())
        .map_err(|why| vec![fault(part.head(), format!("the pipeline does not parse: {why}"))])?;
    value.apply_merge().map_err(|why| vec![fault(part.head(), format!("a merge key does not parse: {why}"))])?;
    let root = Located { value, part };
    if !root.value.is_mapping() {
        return Err(vec![fault(part.span(), format!("a pipeline is a map, and this is {}", kind(&root.value)))]);
    }
    let mut faults: Faults = Vec::new();
    for (key, part) in root.entries().unwrap_or_default() {
        if !KEYS.contains(&key) {
            faults.push(unknown(part.part.key_span(), "key of a pipeline", key, KEYS.iter().copied()));
        }
    }
    let mut resources = Resources { world, depth: 0 };
    let file = sources.get(id).name();
    let pipeline = Pipeline {
        name: keep(name(&root, file), &mut faults),
        priority: keep(priority(&root), &mut faults),
        allowed: keep(words(&root, "allowed_backends"), &mut faults),
        vars: keep(vars(&root), &mut faults),
        schema: keep(schema(&root), &mut faults),
        items: each(&root, "transformations", &mut faults, |item, at| Item::read(item, at, &mut resources)),
        post: each(&root, "postprocessing", &mut faults, |item, _| PostItem::read(item, &mut resources)),
        finalizers: each(&root, "finalizers", &mut faults, |item, _| Finalizer::read(item, &mut resources)),
    };
    let nothing = pipeline.items.is_empty() && pipeline.post.is_empty() && pipeline.finalizers.is_empty();
    let says = ["transformations", "postprocessing", "finalizers", "vars"].iter().any(|key| root.get(key).is_some());
    if faults.is_empty() && nothing && !says {
        faults.push(fault(part.head(), "the pipeline does nothing: `transformations` is expected"));
    }
    if faults.is_empty() { Ok(pipeline) } else { Err(faults) }
}

fn keep<T: Default>(found: Result<T, Faults>, faults: &mut Faults) -> T {
    found.unwrap_or_else(|mut wrong| {
        faults.append(&mut wrong);
        T::default()
    })
}

fn name(root: &Located<'_, '_>, file: &str) -> Result<String, Faults> {
    match root.get("name") {
        Some(name) => name.word("`name`").map(str::to_owned),
        None => Ok(file.to_owned()),
    }
}

fn priority(root: &Located<'_, '_>) -> Result<i64, Faults> {
    let Some(found) = root.get("priority") else { return Ok(PRIORITY) };
    found.value.as_i64().ok_or_else(|| {
        vec![fault(found.part.span(), format!("`priority` is {}: an integer is expected", kind(&found.value)))]
    })
}

fn words(root: &Located<'_, '_>, key: &str) -> Result<Vec<String>, Faults> {
    let Some(found) = root.get(key) else { return Ok(Vec::new()) };
    if let Some(one) = found.value.as_str() {
        return Ok(vec![one.to_owned()]);
    }
    let Some(elements) = found.elements() else {
        return Err(vec![fault(found.part.head(), format!("`{key}` is {}: a list is expected", kind(&found.value)))]);
    };
    elements.iter().map(|word| word.word(&format!("an element of `{key}`")).map(str::to_owned)).collect()
}

fn vars(root: &Located<'_, '_>) -> Result<BTreeMap<String, Value>, Faults> {
    let Some(found) = root.get("vars") else { return Ok(BTreeMap::new()) };
    let Some(entries) = found.entries() else {
        return Err(vec![fault(found.part.head(), format!("`vars` is {}: a map is expected", kind(&found.value)))]);
    };
    Ok(entries.into_iter().map(|(key, value)| (key.to_owned(), value.value)).collect())
}

fn schema(root: &Located<'_, '_>) -> Result<Option<String>, Faults> {
    let Some(found) = root.get("schema") else { return Ok(None) };
    let word = found.word("`schema`")?;
    if builtin::schema(word).is_some() {
        return Ok(Some(word.to_owned()));
    }
    Err(vec![unknown(found.part.span(), "built-in schema", word, builtin::schemas())])
}

/// The items of a list under a key, with their numbers from 1.
fn each<'a, T>(
    root: &Located<'_, 'a>,
    key: &str,
    faults: &mut Faults,
    mut read: impl FnMut(&Located<'_, 'a>, usize) -> Result<T, Faults>,
) -> Vec<T> {
    let Some(found) = root.get(key) else { return Vec::new() };
    let Some(elements) = found.elements() else {
        faults.push(fault(found.part.head(), format!("`{key}` is {}: a list is expected", kind(&found.value))));
        return Vec::new();
    };
    let mut all = Vec::with_capacity(elements.len());
    for (at, element) in elements.iter().enumerate() {
        if !element.value.is_mapping() {
            faults.push(fault(
                element.part.span(),
                format!("an item of `{key}` is {}: a map is expected", kind(&element.value)),
            ));
            continue;
        }
        match read(element, at + 1) {
            Ok(item) => all.push(item),
            Err(mut wrong) => faults.append(&mut wrong),
        }
    }
    all
}
