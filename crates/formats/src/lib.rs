//! Output formats: what is made of a query, by a template.
//!
//! Invariant: a format is one template under `templates/<target>/<format>.j2`; JSON ones escape by construction.
