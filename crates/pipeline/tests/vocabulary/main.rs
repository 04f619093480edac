//! The vocabulary of pipelines: what each word does, and what is wrong with words that are not of it.

mod output;
mod reading;
mod support;
mod transformations;
