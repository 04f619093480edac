"""Reads Splunk searches: terms of `search`, where alternatives bind tighter than conjunction, and the steps `where` and
`regex` behind it."""

import re

from infix import WHERE, condition
from lucene import keyword
from tree import MANY, Leaf, Undecided, expression, inside, network, network_hints, number, pattern_hints, pattern_regex

TOKEN = re.compile(r'\s*(?:(?P<open>\()|(?P<close>\))|(?P<comma>,)|(?P<string>"(?:\\.|[^"\\])*")|(?P<sign>!=|<=|>=|[=<>])|(?P<word>[^\s()",=<>!]+))', re.S)


def steps(text):
    """The parts between pipes that no quotes hold."""
    out, start, at, quoted = [], 0, 0, False
    while at < len(text):
        if text[at] == "\\" and quoted:
            at += 1
        elif text[at] == '"':
            quoted = not quoted
        elif text[at] == "|" and not quoted:
            out.append(text[start:at].strip())
            start = at + 1
        at += 1
    out.append(text[start:].strip())
    return out


class Reader:
    def __init__(self, text):
        self.tokens, self.at, at = [], 0, 0
        while text[at:].strip():
            found = TOKEN.match(text, at)
            if not found:
                raise Undecided(f"cannot read {text[at:at + 20]!r}")
            self.tokens.append((found.lastgroup, found.group(found.lastgroup)))
            at = found.end()
        self.tokens.append(("end", ""))

    def peek(self, ahead=0):
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def take(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def word(self, word):
        if self.peek() == ("word", word):
            self.at += 1
            return True
        return False

    def search(self):
        """Conjunctions of alternatives: in `search`, OR binds tighter than AND."""
        terms = [self.alternatives()]
        while self.peek()[0] not in ("end", "close"):
            self.word("AND")
            terms.append(self.alternatives())
        return terms[0] if len(terms) == 1 else ("and", terms)

    def alternatives(self):
        terms = [self.term()]
        while self.word("OR"):
            terms.append(self.term())
        return terms[0] if len(terms) == 1 else ("or", terms)

    def term(self):
        if self.word("NOT"):
            return ("not", self.term())
        if self.peek()[0] == "open":
            self.take()
            inner = self.search()
            if self.take()[0] != "close":
                raise Undecided("a group without an end")
            return inner
        which, value = self.take()
        if which not in ("word", "string"):
            raise Undecided(f"a term expected, found {value!r}")
        following, sign = self.peek()
        if following == "sign":
            self.take()
            return self.test(text_of(which, value), sign, self.take())
        if self.peek() == ("word", "IN") and self.peek(1)[0] == "open":
            self.at += 2
            tests = []
            while self.peek()[0] != "close":
                if self.peek()[0] == "comma":
                    self.take()
                    continue
                tests.append(self.test(text_of(which, value), "=", self.take()))
            self.take()
            return tests[0] if len(tests) == 1 else ("or", tests)
        parts = starred(text_of(which, value))
        return keyword(parts, value)

    def test(self, name, sign, token):
        text = text_of(*token)
        told = f"{name}{sign}{token[1]}"
        if sign in ("<", ">", "<=", ">="):
            than = number(text)
            if than is None:
                raise Undecided("an order of texts")
            ask = {"<": lambda n: n < than, ">": lambda n: n > than, "<=": lambda n: n <= than, ">=": lambda n: n >= than}[sign]
            return Leaf(lambda e: (n := number(e.get(name))) is not None and ask(n), {name: [str(than), str(than - 1), str(than + 1)]}, told)
        parts = starred(text)
        if parts == [MANY]:
            leaf = Leaf(lambda e: bool(e.get(name)), {name: ["x"]}, told, "absence")
        elif net := network(text):
            leaf = Leaf(lambda e: name in e and inside(e[name], net), {name: network_hints(net)}, told, "network")
        else:
            compiled = pattern_regex(parts)
            leaf = Leaf(lambda e: name in e and bool(compiled.fullmatch(e[name])), {name: pattern_hints(parts)}, told)
        if sign == "!=":
            return ("and", [Leaf(lambda e: name in e, {name: ["x"]}, told), ("not", leaf)])
        return leaf


def text_of(which, value):
    return re.sub(r'\\(["\\|])', r"\1", value[1:-1]) if which == "string" else value


def starred(text):
    return [MANY if part == "*" else part for part in re.split(r"(\*)", text) if part] or [""]


def read(text):
    terms = []
    for at, step in enumerate(steps(text)):
        if at == 0 or step.startswith("search "):
            step = step.removeprefix("search ")
            if step and step != "*":
                reader = Reader(step)
                terms.append(reader.search())
                if reader.peek()[0] != "end":
                    raise Undecided(f"text behind the end: {reader.peek()[1]!r}")
        elif step.startswith("where "):
            terms.append(condition(step.removeprefix("where "), WHERE))
        elif found := re.fullmatch(r'regex ("?[^"=!]+"?)(!?=)"(.*)"', step, re.S):
            name = found.group(1).strip('"')
            compiled, hints = expression(re.sub(r'\\(["\\])', r"\1", found.group(3)))
            leaf = Leaf(lambda e, n=name, c=compiled: n in e and bool(c.search(e[n])), {name: hints}, step, "regex")
            terms.append(leaf if found.group(2) == "=" else ("not", leaf))
        elif not step.startswith(("table ", "fields ")):
            raise Undecided(f"the step {step.split(' ')[0]}")
    if not terms:
        raise Undecided("nothing is asked")
    return terms[0] if len(terms) == 1 else ("and", terms)
