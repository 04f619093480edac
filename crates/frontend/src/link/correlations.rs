//! Rules are put into the correlations that name them.
//!
//! Invariant: a correlation has all of its rules, or it is invalid with the reason; what it holds is bounded in depth and
//! size. The outcome for a correlation does not depend on where it and its rules stand.

mod build;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sigcast_diagnostics::{Class, Code, Diagnostic, Span};
use sigcast_ir::{Correlation, Reference};

use super::{Rules, size, with_help};
use crate::{Document, Kind, Unlinked};

/// Links every correlation of a run.
pub(super) fn link(documents: &mut [&mut Document<'_>]) {
    if !documents.iter().any(|document| matches!(document.kind, Kind::Unlinked(_))) {
        return;
    }
    let linked = Linker::new(documents).run();
    let uses = uses(&linked);
    for one in linked {
        let inherited = inherited(documents, &one);
        let document = &mut documents[one.document];
        document.diagnostics.extend(inherited);
        document.diagnostics.extend(one.found);
        document.kind = one.correlation.map_or(Kind::Invalid, |made| Kind::Correlation(made.0));
    }
    for (at, used) in uses {
        if !used.generate {
            use_up(documents, at, &used);
        }
    }
}

/// What became of a correlation.
struct Linked<'a> {
    /// Which document it is.
    document: usize,
    /// The documents that it names, and where, as far as they are known.
    members: Vec<(Reference<'a>, usize)>,
    /// It, with how many correlations stand in each other, and how large it is; none if it is wrong.
    correlation: Option<(Box<Correlation<'a>>, usize, usize)>,
    /// What there is to say.
    found: Vec<Diagnostic>,
}

/// How a document is used by correlations.
struct Use {
    /// The document that names it first, and where.
    by: usize,
    span: Span,
    /// Whether one of the correlations leaves it its own queries.
    generate: bool,
}

/// The documents that are named by correlations that are right.
fn uses(linked: &[Linked<'_>]) -> BTreeMap<usize, Use> {
    let mut uses: BTreeMap<usize, Use> = BTreeMap::new();
    for one in linked {
        let Some((correlation, ..)) = &one.correlation else { continue };
        for (reference, at) in &one.members {
            let first = Use { by: one.document, span: reference.span, generate: correlation.generate };
            let used = uses.entry(*at).or_insert(first);
            used.generate |= correlation.generate;
            if one.document < used.by {
                (used.by, used.span) = (one.document, reference.span);
            }
        }
    }
    uses
}

/// What is said of a correlation's rules is true of it, where their queries differ from them.
fn inherited(documents: &[&mut Document<'_>], one: &Linked<'_>) -> Vec<Diagnostic> {
    if one.correlation.is_none() {
        return Vec::new();
    }
    let members: BTreeSet<usize> = one.members.iter().map(|(_, at)| *at).collect();
    let said = members.iter().flat_map(|at| &documents[*at].diagnostics);
    said.filter(|found| found.code.class() == Class::Approximation).cloned().collect()
}

/// Takes its own queries from a document that stands in a correlation.
fn use_up(documents: &mut [&mut Document<'_>], at: usize, used: &Use) {
    let title = documents[used.by].title.as_deref().unwrap_or("without a title").to_owned();
    let document = &mut documents[at];
    let what = if matches!(document.kind, Kind::Rule(_)) { "rule" } else { "correlation" };
    let Some(place) = document.place() else { return };
    let message = format!("the {what} is used up by the correlation `{title}`");
    document.diagnostics.push(
        Diagnostic::at(Code::RuleUsed, place, message)
            .here("has no query of its own")
            .label(used.span, "named here")
            .help("`generate: true` in the correlation gives its rules queries of their own"),
    );
    document.kind = Kind::Skipped;
}

/// Links the correlations of a run, the inner ones before those that name them.
struct Linker<'d, 'r, 'a> {
    documents: &'d [&'r mut Document<'a>],
    rules: Rules<'d, 'a>,
    done: HashMap<usize, usize>,
    linked: Vec<Linked<'a>>,
    /// How much more all correlations may hold.
    left: usize,
}

/// A correlation on its way.
struct Open<'d, 'a> {
    unlinked: &'d Unlinked<'a>,
    members: Vec<(Reference<'a>, usize)>,
    found: Vec<Diagnostic>,
    /// How many of the correlations that it names are not linked as yet.
    waiting: usize,
}

impl<'d, 'r, 'a> Linker<'d, 'r, 'a> {
    fn new(documents: &'d [&'r mut Document<'a>]) -> Self {
        let rules = Rules::new(documents);
        Self { documents, rules, done: HashMap::new(), linked: Vec::new(), left: size::MAX_RUN }
    }

    fn run(mut self) -> Vec<Linked<'a>> {
        let mut open: BTreeMap<usize, Open<'d, 'a>> = BTreeMap::new();
        let mut outer: HashMap<usize, Vec<usize>> = HashMap::new();
        for (at, document) in self.documents.iter().enumerate() {
            let Kind::Unlinked(unlinked) = &document.kind else { continue };
            let mut one = self.opened(unlinked);
            let inner: BTreeSet<usize> = one.members.iter().map(|(_, member)| *member).collect();
            for member in inner {
                if matches!(self.documents[member].kind, Kind::Unlinked(_)) {
                    one.waiting += 1;
                    outer.entry(member).or_default().push(at);
                }
            }
            open.insert(at, one);
        }
        let mut ready: BTreeSet<usize> = open.iter().filter(|(_, one)| one.waiting == 0).map(|(at, _)| *at).collect();
        while let Some(at) = ready.pop_first() {
            let Some(one) = open.remove(&at) else { continue };
            self.finish(at, one);
            for waiting in outer.get(&at).into_iter().flatten() {
                let Some(one) = open.get_mut(waiting) else { continue };
                one.waiting -= 1;
                if one.waiting == 0 {
                    ready.insert(*waiting);
                }
            }
        }
        self.circles(open);
        self.linked
    }

    /// A correlation with what it names.
    fn opened(&self, unlinked: &'d Unlinked<'a>) -> Open<'d, 'a> {
        let mut one = Open { unlinked, members: Vec::new(), found: Vec::new(), waiting: 0 };
        for reference in &unlinked.rules {
            match self.document(reference) {
                Ok(at) => one.members.push((reference.clone(), at)),
                Err(fault) => one.found.push(fault),
            }
        }
        one
    }

    /// The document that is meant, if it is one that a correlation can be about.
    fn document(&self, reference: &Reference<'a>) -> Result<usize, Diagnostic> {
        let text = &reference.text;
        let mut meant = self.rules.meant(reference).map(|known| known.at);
        let Some(first) = meant.next() else {
            let message = format!("no rule of the run has the id or name `{text}`");
            let fault = Diagnostic::at(Code::MissingRule, reference.span, message).here("not the id or name of a rule");
            return Err(with_help(fault, self.rules.help(reference)));
        };
        if let Some(second) = meant.next() {
            let others = meant.count() + 2;
            let message = format!("{others} rules have the id or name `{text}`");
            let fault = Diagnostic::at(Code::AmbiguousRule, reference.span, message).here("any of them may be meant");
            let places = [(first, "one of them"), (second, "another one")];
            let fault = places.into_iter().fold(fault, |fault, (at, what)| match self.documents[at].place() {
                Some(place) => fault.label(place, what),
                None => fault,
            });
            return Err(fault.help("ids and names of rules are distinct within a run"));
        }
        match &self.documents[first].kind {
            Kind::Rule(_) | Kind::Unlinked(_) | Kind::Correlation(_) => Ok(first),
            Kind::Refused => Err(self.unusable(reference, first, "is not supported")),
            Kind::Invalid | Kind::Filter(_) | Kind::Skipped => Err(self.unusable(reference, first, "is wrong")),
        }
    }

    /// The error of a reference to a document that cannot be used, with what is the matter with that one.
    fn unusable(&self, reference: &Reference<'a>, at: usize, why: &str) -> Diagnostic {
        let message = format!("the rule `{}` {why}, so the correlation lacks it", reference.text);
        let fault = Diagnostic::at(Code::MissingRule, reference.span, message).here("cannot be used");
        match self.documents[at].place() {
            Some(place) => fault.label(place, format!("this {why}")),
            None => fault,
        }
    }

    /// Links a correlation whose inner ones are linked.
    fn finish(&mut self, at: usize, one: Open<'d, 'a>) {
        let Open { unlinked, members, mut found, .. } = one;
        for (reference, member) in &members {
            if self.done.get(member).is_some_and(|at| self.linked[*at].correlation.is_none()) {
                found.push(self.unusable(reference, *member, "is wrong"));
            }
        }
        let mut correlation = None;
        if found.is_empty() {
            match self.sized(&members) {
                Ok((depth, size)) => {
                    let sources: Vec<_> = members.iter().map(|(_, member)| (*member, self.source(*member))).collect();
                    let sources = sources.into_iter().filter_map(|(at, source)| Some((at, source?))).collect();
                    correlation = {
                        let meant = |reference: &Reference<'a>| self.document(reference).ok();
                        let builder = build::Builder { unlinked, sources, meant: &meant, found: &mut found };
                        builder.built()
                    }
                    .map(|made| (made, depth, size));
                }
                Err(fault) => found.push(fault),
            }
        }
        if let Some((_, _, size)) = &correlation {
            self.left -= size;
        }
        self.push(Linked { document: at, members, correlation, found });
    }

    fn push(&mut self, one: Linked<'a>) {
        self.done.insert(one.document, self.linked.len());
        self.linked.push(one);
    }

    /// How deep and how large a correlation of these members is.
    fn sized(&self, members: &[(Reference<'a>, usize)]) -> Result<(usize, usize), Diagnostic> {
        let fault = |reference: &Reference<'a>, message: String| {
            Diagnostic::at(Code::CorrelationTooLarge, reference.span, message).here("one too many")
        };
        let (mut depth, mut total) = (1, 1_usize);
        for (reference, member) in members {
            let (below, size) = match &self.documents[*member].kind {
                Kind::Rule(rule) => (0, size::rule(rule)),
                Kind::Correlation(inner) => (1, inner.rules().map(size::rule).sum::<usize>() + 1),
                _ => {
                    let done = self.done.get(member).and_then(|at| self.linked.get(*at)?.correlation.as_ref());
                    done.map_or((0, 0), |(_, depth, size)| (*depth, *size))
                }
            };
            depth = depth.max(below + 1);
            total = total.saturating_add(size);
            if depth > size::MAX_DEPTH {
                let message = format!("more than {} correlations stand in each other", size::MAX_DEPTH);
                return Err(fault(reference, message));
            }
            if total > size::MAX_SIZE {
                return Err(fault(reference, format!("the rules have more than {} parts together", size::MAX_SIZE)));
            }
            if total > self.left {
                let message = format!("the correlations of the run have more than {} parts together", size::MAX_RUN);
                return Err(fault(reference, message));
            }
        }
        Ok((depth, total))
    }

    fn source(&self, at: usize) -> Option<build::Found<'_, 'a>> {
        match &self.documents[at].kind {
            Kind::Rule(rule) => Some(build::Found::Rule(rule)),
            Kind::Correlation(inner) => Some(build::Found::Correlation(inner)),
            _ => {
                let done = self.linked.get(*self.done.get(&at)?)?;
                done.correlation.as_ref().map(|(inner, ..)| build::Found::Correlation(inner))
            }
        }
    }

    /// Those that are left refer to each other in a circle, or to such ones.
    fn circles(&mut self, open: BTreeMap<usize, Open<'d, 'a>>) {
        // Each has a reference to another one that is left; following the first one leads into a circle.
        let next: BTreeMap<usize, (usize, Reference<'a>)> = open
            .iter()
            .filter_map(|(at, one)| {
                let (reference, member) = one.members.iter().find(|(_, member)| open.contains_key(member))?;
                Some((*at, (*member, reference.clone())))
            })
            .collect();
        let mut in_circle: BTreeSet<usize> = BTreeSet::new();
        let mut seen: HashMap<usize, usize> = HashMap::new();
        for start in next.keys() {
            let mut at = *start;
            while !seen.contains_key(&at) {
                seen.insert(at, *start);
                at = next.get(&at).map_or(at, |(next, _)| *next);
            }
            // Back at one of this walk's own: from there on it goes round.
            if seen.get(&at) == Some(start) {
                while in_circle.insert(at) {
                    at = next.get(&at).map_or(at, |(next, _)| *next);
                }
            }
        }
        for (at, one) in open {
            let Open { members, mut found, .. } = one;
            if let Some((inner, reference)) = next.get(&at) {
                found.push(circle(reference, next.get(inner).map(|(_, back)| back), in_circle.contains(&at)));
            }
            self.push(Linked { document: at, members, correlation: None, found });
        }
    }
}

/// The error of a correlation in a circle, or of one that refers to such a one; `back` is where that one goes on.
fn circle(reference: &Reference<'_>, back: Option<&Reference<'_>>, in_it: bool) -> Diagnostic {
    let fault = |message: String, here: &str| {
        let fault = Diagnostic::at(Code::CorrelationCycle, reference.span, message).here(here);
        match back.filter(|back| back.span != reference.span) {
            Some(back) => fault.label(back.span, "which refers to this one"),
            None => fault,
        }
    };
    match in_it {
        true => fault("the correlation refers to itself, over the ones that it names".to_owned(), "leads back here"),
        false => fault(format!("the correlation `{}` refers to itself", reference.text), "cannot be used"),
    }
}
