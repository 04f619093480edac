"""Queries as trees that can be asked of an event, whatever language they were written in.

A node is ("and", [..]), ("or", [..]), ("not", node) or a Leaf. Truth is True, False or None: unknown, where a language
has a third value. Invariant: nothing here knows a target or the tool that wrote a query.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Callable


class Undecided(Exception):
    """A query that this comparison cannot read; the text says what stands in the way."""


@dataclass
class Leaf:
    """One test: `ask` answers it of an event (a map of names to texts); `hints` are values by name that are likely to
    pass it, or to fail it narrowly; `text` is how it is told in a report; `kind` is value, regex, network, absence,
    keyword or constant."""

    ask: Callable
    hints: dict = field(default_factory=dict)
    text: str = ""
    kind: str = "value"


def truth(node, event):
    """Three-valued logic, as SQL has it; with leaves that are never unknown it is the usual one."""
    if isinstance(node, Leaf):
        return node.ask(event)
    kind, inner = node
    if kind == "not":
        found = truth(inner, event)
        return None if found is None else not found
    unknown = False
    for term in inner:
        found = truth(term, event)
        if found is None:
            unknown = True
        elif found is (kind == "or"):
            return found
    return None if unknown else kind == "and"


def selects(node, event) -> bool:
    """Whether a query selects an event: what is unknown is not selected."""
    return truth(node, event) is True


def leaves(node) -> list:
    if isinstance(node, Leaf):
        return [node]
    kind, inner = node
    return leaves(inner) if kind == "not" else [leaf for term in inner for leaf in leaves(term)]


def join(kind, terms):
    return terms[0] if len(terms) == 1 else (kind, terms)


# ---- patterns: lists of texts, MANY and ONE


MANY, ONE = object(), object()


def pattern_regex(parts, caseless=True):
    """A pattern as a compiled expression for the whole of a text."""
    spelled = "".join(".*" if p is MANY else "." if p is ONE else re.escape(p) for p in parts)
    return re.compile(spelled, re.S | (re.I if caseless else 0))


def pattern_hints(parts) -> list:
    """Texts that a pattern matches, and one that it misses for want of a letter."""
    bare = "".join("" if p is MANY else "x" if p is ONE else p for p in parts)
    full = "".join("zz" if p is MANY else "x" if p is ONE else p for p in parts)
    found = [bare, full, bare.swapcase(), full[:-1] if full else "", "q" + bare, bare + "q"]
    return list(dict.fromkeys(found))


def network(text: str):
    """A network that a text spells, or none."""
    try:
        return ipaddress.ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None


def inside(value: str, net) -> bool:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    return address.version == net.version and address in net


def network_hints(net) -> list:
    """The ends of a network, an address inside and the neighbours outside."""
    first, last = int(net.network_address), int(net.broadcast_address)
    cls = ipaddress.IPv4Address if net.version == 4 else ipaddress.IPv6Address
    near = [first, last, (first + last) // 2, first - 1, last + 1]
    return [str(cls(n)) for n in near if 0 <= n < 2 ** net.max_prefixlen]


def number(text):
    try:
        return int(text)
    except (TypeError, ValueError):
        try:
            return float(text)
        except (TypeError, ValueError):
            return None


# ---- expressions


def sample(pattern: str, flags=0, longest=False) -> str:
    """A text that an expression finds, as far as its parts tell; look-around is passed over."""
    try:
        from re import _parser as parser
    except ImportError:  # before Python 3.11
        import sre_parse as parser
    out = []

    def one(items):
        for kind, arg in items:
            name = str(kind)
            if name == "LITERAL":
                out.append(chr(arg))
            elif name == "NOT_LITERAL":
                out.append("x" if chr(arg) != "x" else "y")
            elif name == "ANY":
                out.append("x")
            elif name == "IN":
                out.append(member(arg))
            elif name == "BRANCH":
                one(arg[1][-1] if longest else arg[1][0])
            elif name == "SUBPATTERN":
                one(arg[3])
            elif name == "ATOMIC_GROUP":
                one(arg)
            elif name.endswith("REPEAT"):
                low, high, inner = arg
                times = min(high, max(low, low + 1)) if longest else low
                for _ in range(min(times, 400)):
                    one(inner)

    def member(items):
        if str(items[0][0]) == "NEGATE":
            taken = re.compile("[^" + "".join(spell(i) for i in items[1:]) + "]", re.I)
            return next((c for c in "x7 -_/.AZ\"'é" if taken.match(c)), "x")
        kind, arg = items[-1 if longest else 0]
        if str(kind) == "LITERAL":
            return chr(arg)
        if str(kind) == "RANGE":
            return chr(arg[0])
        return {"CATEGORY_DIGIT": "7", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "w"}.get(str(arg), "x")

    def spell(item):
        kind, arg = str(item[0]), item[1]
        if kind == "LITERAL":
            return re.escape(chr(arg))
        if kind == "RANGE":
            return re.escape(chr(arg[0])) + "-" + re.escape(chr(arg[1]))
        return {"CATEGORY_DIGIT": r"\d", "CATEGORY_SPACE": r"\s", "CATEGORY_WORD": r"\w"}.get(str(arg), "")

    one(parser.parse(pattern, flags))
    return "".join(out)


def with_samples(spelled: str, flags: int):
    """An expression of Python, compiled, and texts for it: some that it finds, and their neighbours."""
    try:
        compiled = re.compile(spelled, flags)
        found = {sample(spelled, flags), sample(spelled, flags, True)}
    except (re.error, RecursionError) as fault:
        raise Undecided(f"a regular expression that Python does not read: {fault}") from fault
    found |= {text.swapcase() for text in list(found)} | {f"aa {text} zz" for text in list(found)}
    return compiled, sorted(found)


def expression(pattern: str, flags: int = 0):
    """A compiled expression of PCRE or RE2, and texts for it."""
    spelled = pattern.replace(r"\z", r"\Z").replace("[[:space:]]", r"\s")
    lead = re.match(r"\(\?([ims]+)\)", spelled)
    if lead:
        for letter in lead.group(1):
            flags |= {"i": re.I, "m": re.M, "s": re.S}[letter]
        spelled = spelled[lead.end():]
    return with_samples(spelled, flags)


def lucene_expression(pattern: str, caseless: bool = False):
    """An expression of Lucene, which is anchored and has signs of its own."""
    out, at, depth = [], 0, False
    while at < len(pattern):
        c = pattern[at]
        if c == "\\" and at + 1 < len(pattern):
            follow = pattern[at + 1]
            out.append(c + follow if follow in "dDsSwW" or not follow.isalnum() else follow)
            at += 2
            continue
        if c == "[":
            depth = True
        elif c == "]":
            depth = False
        elif not depth and c in "~&<":
            raise Undecided(f"Lucene's operator {c} in a regular expression")
        if not depth and c == "@":
            out.append(".*")
        elif not depth and c == "#":
            out.append("(?!)")
        elif not depth and c in "^$":
            out.append("\\" + c)
        else:
            out.append(c)
        at += 1
    # In Lucene a dot is any character, a line break too.
    return with_samples("".join(out), re.S | (re.I if caseless else 0))
