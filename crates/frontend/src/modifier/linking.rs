//! `all` and `neq`: modifiers on the item as a whole.

use sigcast_ir::ValueLinking;

use super::Modifier;

/// `field|all: [a, b]`: both must match, not one of them.
pub(super) const ALL: Modifier = Modifier {
    name: "all",
    aliases: &[],
    summary: "every value of the list must match, instead of one",
    apply: |plan| {
        plan.linking = ValueLinking::All;
        Ok(())
    },
};

/// `field|neq: a`: not `field: a`.
pub(super) const NEQ: Modifier = Modifier {
    name: "neq",
    aliases: &[],
    summary: "the item must not match",
    apply: |plan| {
        plan.negated = true;
        Ok(())
    },
};
