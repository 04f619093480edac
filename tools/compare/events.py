"""Events that tell two queries apart, if any of those made here does.

They are made from both queries: values that each test takes or narrowly misses, put together so that one query, or its
opposite, holds; then with single fields changed, absent or empty. Made from a seed: the same queries, the same events.
"""

import ipaddress
import random

from tree import Leaf, leaves, selects


def compare(ours, theirs, rounds: int = 24):
    """What events say of two queries.

    Answers ("same", how many events both select) or ("different", an event, what ours answers).
    """
    rng = random.Random(7)
    hints: dict = {}
    for leaf in leaves(ours) + leaves(theirs):
        for name, values in leaf.hints.items():
            known = hints.setdefault(name, [])
            known.extend(value for value in values if value not in known)
    addresses(hints, leaves(ours) + leaves(theirs))
    both = 0
    for event in made(ours, theirs, hints, rng, rounds):
        mine, other = selects(ours, event), selects(theirs, event)
        if mine != other:
            return "different", smaller(event, ours, theirs), mine
        both += mine
    return "same", both


def addresses(hints, tests):
    """A field of which a network is asked holds addresses: other texts are no values of it, whoever asks for them."""
    fields = {name for leaf in tests if leaf.kind == "network" for name in leaf.hints}
    for leaf in tests:
        for name in fields & set(leaf.hints):
            leaf.hints[name] = [value for value in leaf.hints[name] if address(value)]
    for name in fields:
        hints[name] = [value for value in hints[name] if address(value)]


def address(value) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def smaller(event, ours, theirs):
    """The event without the fields that the difference does not need."""
    for name in list(event):
        less = {key: value for key, value in event.items() if key != name}
        if selects(ours, less) != selects(theirs, less):
            event = less
    return event


def made(ours, theirs, hints, rng, rounds):
    yield {}
    for _ in range(rounds):
        for node in (ours, theirs):
            for wanted in (True, False):
                event: dict = {}
                aim(node, wanted, event, hints, rng, 0)
                yield event
                yield from changed(event, hints, rng)
        yield {name: rng.choice(values) for name, values in hints.items() if values and rng.random() < 0.8}


def changed(event, hints, rng):
    """The event with one field absent, empty, or of another value."""
    names = list(hints)
    if not names:
        return
    for name in rng.sample(names, min(3, len(names))):
        yield {key: value for key, value in event.items() if key != name}
        yield {**event, name: ""}
        if hints[name]:
            yield {**event, name: rng.choice(hints[name])}


def aim(node, wanted, event, hints, rng, depth):
    """Fills the event so that the node has the truth wanted, as far as values at hand allow."""
    if isinstance(node, Leaf):
        settle(node, wanted, event, hints, rng)
        return
    kind, inner = node
    if kind == "not":
        aim(inner, not wanted, event, hints, rng, depth + 1)
    elif (kind == "and") is wanted:
        for term in inner:
            aim(term, wanted, event, hints, rng, depth + 1)
    else:
        aim(rng.choice(inner), wanted, event, hints, rng, depth + 1)


def settle(leaf, wanted, event, hints, rng):
    if (leaf.ask(event) is True) is wanted:
        return
    for name in leaf.hints or {}:
        before = event.get(name)
        own = list(leaf.hints[name])
        rng.shuffle(own)
        # What is there already was asked for by another test: keep it inside the new value.
        tries = own if before is None or leaf.kind == "network" or address(before) else [before + v for v in own] + [v + before for v in own] + own
        if not wanted:
            tries = [None, "", *own, *rng.sample(hints.get(name, []), min(4, len(hints.get(name, []))))]
            rng.shuffle(tries)
        for value in tries[:24]:
            if value is None:
                event.pop(name, None)
            else:
                event[name] = value
            if (leaf.ask(event) is True) is wanted:
                return
        if before is None:
            event.pop(name, None)
        else:
            event[name] = before
