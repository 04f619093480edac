//! Templates in the language of Jinja2, by minijinja.

use minijinja::{AutoEscape, Environment};
use serde::{Deserialize, Serialize};

use crate::read::{Faults, Located, fault};
use crate::transformations::Resources;

/// Instructions of one rendering: far above what a template needs, far below what would be felt.
const FUEL: u64 = 1_000_000;

/// The parameters of `template`, which post-processing and finalizers share.
#[derive(Debug, Deserialize)]
struct Parameters {
    template: String,
    path: Option<String>,
    #[serde(default)]
    autoescape: bool,
    vars: Option<String>,
    #[serde(default)]
    allow_template_vars: bool,
    vars_allowed_paths: Option<Vec<String>>,
}

/// A template that parses.
#[derive(Debug)]
pub(crate) struct Template {
    environment: Environment<'static>,
}

const NAME: &str = "template";

/// Reads the template of an item.
pub(crate) fn read(found: Located<'_, '_>, what: &str, resources: &mut Resources<'_>) -> Result<Template, Faults> {
    let part = found.part;
    let parameters: Parameters = found.typed(what)?;
    let at = |key: &str| part.get(key).unwrap_or(part).span();
    if parameters.vars.is_some() || parameters.allow_template_vars || parameters.vars_allowed_paths.is_some() {
        let key = ["vars", "allow_template_vars", "vars_allowed_paths"].into_iter().find(|key| part.get(key).is_some());
        let place = key.and_then(|key| part.get(key)).map_or(part.head(), |part| part.key_span());
        let wrong = fault(place, "the variables of a template are a program in Python, and a pipeline runs no code");
        return Err(vec![wrong.help("`vars` of the pipeline are in `pipeline.vars`")]);
    }
    let text = match &parameters.path {
        None => parameters.template,
        Some(folder) => {
            let path = format!("{}/{}", folder.trim_end_matches('/'), parameters.template);
            if !crate::world::is_beside(&path) {
                return Err(vec![fault(at("path"), format!("`{path}` is no path of a file beside the pipeline"))]);
            }
            resources.world.file(&path).map_err(|why| vec![fault(at("path"), why)])?
        }
    };
    let escape = if parameters.autoescape { AutoEscape::Html } else { AutoEscape::None };
    Template::new(text, escape)
        .map_err(|why| vec![fault(at("template"), format!("the template does not parse: {why}"))])
}

impl Template {
    fn new(text: String, escape: AutoEscape) -> Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(move |_| escape.clone());
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::SemiStrict);
        environment.set_fuel(Some(FUEL));
        environment.add_template_owned(NAME, text).map_err(|why| why.to_string())?;
        Ok(Self { environment })
    }

    /// The text for a context. What is not known is an error where it would be printed.
    pub(crate) fn render(&self, context: &impl Serialize) -> Result<String, String> {
        let template = self.environment.get_template(NAME).map_err(|why| why.to_string())?;
        let mut out = Bounded(Vec::new());
        template.render_captured_to(minijinja::value::Serde(context), &mut out).map_err(|why| why.to_string())?;
        String::from_utf8(out.0).map_err(|why| why.to_string())
    }
}

/// A text that takes no more than a template should write.
struct Bounded(Vec<u8>);

/// The most bytes that a template writes.
const MAX_OUTPUT: usize = 8 << 20;

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(std::io::Error::other(format!("the template writes more than {} MiB", MAX_OUTPUT >> 20)));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
