"""Reads query_string texts of Elasticsearch and OpenSearch as the engines' own parser does.

AND and OR there are no operators but marks: AND makes both neighbours required, NOT makes its term prohibited, and an
alternative beside something required adds nothing. A group of prohibitions alone means all but those.
"""

import re

from tree import MANY, ONE, Leaf, Undecided, inside, lucene_expression, network, network_hints, number, pattern_hints, pattern_regex

ENDS = ' \t\n()[]{}":'


class Reader:
    def __init__(self, text):
        self.text, self.at = text, 0

    def blanks(self):
        while self.at < len(self.text) and self.text[self.at] in " \t\n":
            self.at += 1

    def word(self, word):
        found = re.compile(word + r"(?=[\s(])").match(self.text, self.at)
        if found:
            self.at = found.end()
        return bool(found)

    def peek(self):
        return self.text[self.at] if self.at < len(self.text) else ""

    def query(self, name=None):
        clauses = []
        while True:
            self.blanks()
            if not self.peek() or self.peek() == ")":
                break
            joined = "AND" if self.word("AND") or self.word("&&") else "OR" if self.word("OR") else ""
            self.blanks()
            prohibited = False
            if self.word("NOT") or (self.peek() and self.peek() in "!-" and self.take()):
                prohibited = True
                self.blanks()
            elif self.peek() == "+":
                self.take()
            term = self.clause(name)
            if joined == "AND" and clauses and clauses[-1][0] != "not":
                clauses[-1] = ("must", clauses[-1][1])
            clauses.append(("not" if prohibited else "must" if joined == "AND" else "may", term))
        if not clauses:
            raise Undecided("an empty group")
        if len(clauses) == 1:
            kind, term = clauses[0]
            return ("not", term) if kind == "not" else term
        must = [term for kind, term in clauses if kind == "must"]
        may = [term for kind, term in clauses if kind == "may"]
        terms = must or ([("or", may)] if len(may) > 1 else may)
        terms = terms + [("not", term) for kind, term in clauses if kind == "not"]
        return terms[0] if len(terms) == 1 else ("and", terms)

    def take(self):
        self.at += 1
        return True

    def clause(self, name):
        if self.peek() == "(":
            return self.group(name)
        start = self.at
        if self.peek() not in '"/':
            parts = self.term()
            if self.peek() == ":" and name is None:
                self.take()
                # Two colons are one and a value that begins with another: no name is empty.
                if any(p is MANY or p is ONE for p in parts):
                    raise Undecided("a wildcard in a field's name")
                return self.value("".join(parts))
            self.at = start
        return self.value(name)

    def group(self, name):
        self.take()
        inner = self.query(name)
        self.blanks()
        if self.peek() != ")":
            raise Undecided("a group without an end")
        self.take()
        return inner

    def term(self):
        parts, text = [], ""
        while self.at < len(self.text):
            c = self.text[self.at]
            if c == "\\" and self.at + 1 < len(self.text):
                text += self.text[self.at + 1]
                self.at += 2
                continue
            if c in ENDS:
                break
            if c in "*?":
                if text:
                    parts.append(text)
                    text = ""
                parts.append(MANY if c == "*" else ONE)
            else:
                text += c
            self.at += 1
        if text:
            parts.append(text)
        if not parts:
            raise Undecided(f"a term expected at {self.text[self.at:self.at + 20]!r}")
        return parts

    def value(self, name):
        c = self.peek()
        start = self.at
        if c == "(":
            return self.group(name)
        if c == "/":
            return self.regex(name)
        if c in "[{":
            raise Undecided("a range in brackets")
        if c in "<>":
            return self.comparison(name)
        if c == '"':
            parts = [self.quoted()]
        else:
            parts = self.term()
            if self.peek() == ":":
                raise Undecided("an unescaped colon in a value")
        told = f"{name or ''}:{self.text[start:self.at]}"
        if name is None:
            return keyword(parts, told)
        if name == "_exists_":
            wanted = "".join(p for p in parts if isinstance(p, str))
            return Leaf(lambda e: e.get(wanted) is not None, {wanted: ["x"]}, told, "absence")
        if parts == [MANY]:
            return Leaf(lambda e: e.get(name) is not None, {name: ["x"]}, told, "absence")
        net = network(parts[0]) if len(parts) == 1 and isinstance(parts[0], str) else None
        if net:
            return Leaf(lambda e: name in e and inside(e[name], net), {name: network_hints(net)}, told, "network")
        compiled = pattern_regex(parts)
        return Leaf(lambda e: name in e and bool(compiled.fullmatch(e[name])), {name: pattern_hints(parts)}, told)

    def quoted(self):
        self.take()
        text = ""
        while self.peek() and self.peek() != '"':
            if self.peek() == "\\":
                self.take()
            text += self.peek()
            self.take()
        self.take()
        return text

    def regex(self, name):
        start = self.at
        self.take()
        text = ""
        while self.peek() and self.peek() != "/":
            if self.peek() == "\\" and self.text[self.at + 1:self.at + 2] == "/":
                self.take()
            elif self.peek() == "\\":
                text += self.peek()
                self.take()
            text += self.peek()
            self.take()
        self.take()
        compiled, hints = lucene_expression(text)
        told = f"{name or ''}:{self.text[start:self.at]}"
        if name is None:
            raise Undecided("an expression without a field")
        return Leaf(lambda e: name in e and bool(compiled.fullmatch(e[name])), {name: hints}, told, "regex")

    def comparison(self, name):
        start = self.at
        sign = self.text[self.at:self.at + 2]
        sign = sign if sign in ("<=", ">=") else sign[0]
        self.at += len(sign)
        parts = [self.quoted()] if self.peek() == '"' else self.term()
        than = number(parts[0] if isinstance(parts[0], str) else None)
        if than is None:
            raise Undecided("an order of texts")
        ask = {"<": lambda n: n < than, ">": lambda n: n > than, "<=": lambda n: n <= than, ">=": lambda n: n >= than}[sign]
        hints = [str(than), str(than - 1), str(than + 1)]
        told = f"{name}:{self.text[start:self.at]}"
        return Leaf(lambda e: (n := number(e.get(name))) is not None and ask(n), {name: hints}, told)


def keyword(parts, told):
    """A word without a field: anywhere in any value, as the fields of text are searched; stars at its ends add nothing."""
    bare = list(parts)
    while bare and bare[0] is MANY:
        bare.pop(0)
    while bare and bare[-1] is MANY:
        bare.pop()
    compiled = pattern_regex(bare)
    return Leaf(lambda e: any(compiled.search(v) for v in e.values()), {"(any)": pattern_hints(bare)}, told, "keyword")


def read(text):
    reader = Reader(text)
    found = reader.query()
    if reader.at < len(text):
        raise Undecided(f"text behind the end: {text[reader.at:reader.at + 20]!r}")
    return found
