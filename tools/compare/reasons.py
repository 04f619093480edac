"""Why two queries differ, as far as their tests tell: which tests of one the other does not have.

Two tests are the same if they ask of the same fields and answer alike for every value known of either.
"""

from tree import leaves


def reason(ours, theirs, target: str) -> str:
    mine, other = leaves(ours), leaves(theirs)
    more = [leaf for leaf in mine if not any(alike(leaf, one) for one in other)]
    less = [leaf for leaf in other if not any(alike(leaf, one) for one in mine)]
    fields = {name for leaf in more for name in leaf.hints}
    others = {name for leaf in less for name in leaf.hints}
    kinds = {leaf.kind for leaf in more + less}
    if any(leaf.kind == "constant" for leaf in less):
        return "theirs: a field's name in quotes, which is a text and no field"
    if not more and not less:
        return "the same tests, joined otherwise"
    if target == "esql" and cased(more, less):
        return "theirs: case counts"
    if "regex" in kinds:
        return "regular expressions"
    if "network" in kinds:
        return "networks"
    if "keyword" in kinds:
        return "words without a field"
    if "absence" in kinds:
        return "absent or empty fields"
    if fields != others:
        only, lack = sorted(fields - others), sorted(others - fields)
        return f"fields: ours {', '.join(only) or '-'}; theirs {', '.join(lack) or '-'}"
    if any("\\" in leaf.text or "?" in leaf.text for leaf in more + less):
        return "values: wildcards and backslashes"
    return "values"


def cased(more, less) -> bool:
    """Whether tests differ by case alone: their values are the same, folded."""
    def folded(tests):
        return {(name, values[0].lower().replace("\\", "")) for leaf in tests for name, values in leaf.hints.items() if values}

    return bool(folded(more) & folded(less))


def alike(one, other) -> bool:
    if set(one.hints) != set(other.hints):
        return False
    for name in one.hints:
        values = one.hints[name] + other.hints[name]
        if any(answer(one, name, value) != answer(other, name, value) for value in values + [""]):
            return False
        if bool(one.ask({})) != bool(other.ask({})):
            return False
    return True


def answer(leaf, name, value) -> bool:
    return leaf.ask({name: value}) is True
