//! Common factors, as old converters pulled them out of disjunctions.
