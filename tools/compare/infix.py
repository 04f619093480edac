"""Reads languages of infix expressions: Kusto, EQL, ES|QL and what Splunk has behind `where`.

They share a grammar; a `Kind` says how each writes strings, what its operators mean and what becomes of absent fields.
"""

import re
from dataclasses import dataclass

from tree import (
    MANY, ONE, Leaf, Undecided, expression, inside, lucene_expression, network, network_hints, number, pattern_hints,
    pattern_regex,
)


@dataclass(frozen=True)
class Kind:
    """A language: whether single quotes are names, whether absent fields leave a test unknown, how wildcards are said."""

    name: str
    single_names: bool = False
    unknown: bool = False
    absent: object = None
    wild: bool = False


KUSTO = Kind("kusto", absent="")
EQL = Kind("eql", wild=True)
ESQL = Kind("esql", unknown=True)
WHERE = Kind("where", single_names=True, unknown=True)

TOKEN = re.compile(
    r'\s*(?:(?P<raw>@"(?:[^"]|"")*")|(?P<triple>""".*?"""(?:"{0,2}))|(?P<string>"(?:\\.|[^"\\])*")|(?P<single>\'(?:\\.|[^\'\\])*\')'
    r"|(?P<tick>`(?:[^`]|``)*`)|(?P<bracket>\[['\"][^'\"\]]*['\"]\])|(?P<number>-?\d+(?:\.\d+)?(?![\w.]))"
    r"|(?P<name>\??[A-Za-z_@][\w@-]*(?:\.(?=[\w@])[\w@-]+)*~?)|(?P<sign>=~|==|!=|!~|<=|>=|[<>=:(),*]))",
    re.S,
)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}


def unescape(text):
    return re.sub(r"\\(u\{[0-9a-fA-F]+\}|.)", lambda m: unescaped(m.group(1)), text, flags=re.S)


def unescaped(found):
    if found.startswith("u{"):
        return chr(int(found[2:-1], 16))
    return ESCAPES.get(found, found)


def tokens(text, kind):
    at = 0
    while text[at:].strip():
        found = TOKEN.match(text, at)
        if not found:
            raise Undecided(f"cannot read {text[at:at + 20]!r}")
        at = found.end()
        which, value = found.lastgroup, found.group(found.lastgroup)
        if which == "raw":
            yield "string", value[2:-1].replace('""', '"')
        elif which == "triple":
            yield "string", value[3:-3]
        elif which == "string":
            # Splunk has two escapes, the others have those of C.
            plain = re.sub(r'\\(["\\])', r"\1", value[1:-1]) if kind is WHERE else unescape(value[1:-1])
            yield "string", plain
        elif which == "single":
            yield ("name" if kind.single_names else "string"), value[1:-1] if kind.single_names else unescape(value[1:-1])
        elif which == "tick":
            yield "name", value[1:-1].replace("``", "`")
        elif which == "bracket":
            yield "name", value[2:-2]
        elif which == "name":
            yield "name" if value.lower() not in WORDS else "word", value.removeprefix("?")
        else:
            yield which, value
    yield "end", ""


WORDS = {
    "and", "or", "not", "in", "in~", "like", "like~", "rlike", "regex", "regex~", "is", "null", "contains", "contains_cs",
    "startswith", "startswith_cs", "endswith", "endswith_cs", "has", "has_cs", "matches", "true", "false", "has_any",
}


class Reader:
    def __init__(self, text, kind):
        self.kind, self.tokens, self.at = kind, list(tokens(text, kind)), 0

    def peek(self, ahead=0):
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def take(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def sign(self, sign):
        if self.peek() == ("sign", sign):
            self.at += 1
            return True
        return False

    def word(self, *words):
        token = self.peek()
        if token[0] == "word" and token[1].lower() in words:
            self.at += 1
            return token[1].lower()
        return ""

    def need(self, sign):
        if not self.sign(sign):
            raise Undecided(f"{sign} expected, found {self.peek()[1]!r}")

    def any_of(self):
        terms = [self.all_of()]
        while self.word("or"):
            terms.append(self.all_of())
        return terms[0] if len(terms) == 1 else ("or", terms)

    def all_of(self):
        terms = [self.term()]
        while self.word("and"):
            terms.append(self.term())
        return terms[0] if len(terms) == 1 else ("and", terms)

    def term(self):
        if self.word("not"):
            return ("not", self.term())
        if self.sign("("):
            inner = self.any_of()
            self.need(")")
            return inner
        return self.test()

    def operand(self):
        """A field, a constant, or a call of either."""
        which, value = self.take()
        if which == "name" and self.sign("("):
            arguments = []
            while not self.sign(")"):
                arguments.append(self.operand() if self.nested_value() else self.any_of())
                self.sign(",")
            return ("call", value.lower(), arguments)
        if which == "name":
            return ("field", value)
        if which == "string":
            return ("text", value)
        if which == "number":
            return ("number", value)
        if which == "word" and value.lower() in ("true", "false", "null"):
            return ("word", value.lower())
        if (which, value) == ("sign", "*"):
            return ("every",)
        raise Undecided(f"a value expected, found {value!r}")

    def nested_value(self):
        """Whether what follows up to the comma is a value and no condition."""
        depth, ahead = 0, 0
        while True:
            which, value = self.peek(ahead)
            if which == "end":
                return True
            if which == "sign" and value == "(":
                depth += 1
            elif which == "sign" and value == ")":
                if depth == 0:
                    return True
                depth -= 1
            elif depth == 0 and (which, value) == ("sign", ","):
                return True
            elif depth == 0 and (which == "sign" or which == "word" and value.lower() not in ("true", "false", "null")):
                return False
            ahead += 1

    def values(self):
        if not self.sign("("):
            return [self.operand()]
        found = []
        while not self.sign(")"):
            found.append(self.operand())
            self.sign(",")
        return found

    def test(self):
        start = self.at
        left = self.operand()
        leaf = self.compared(left)
        leaf.text = " ".join(value for _, value in self.tokens[start:self.at])
        return leaf

    def compared(self, left):
        which, value = self.peek()
        if which == "sign" and value in ("==", "=", "!=", "=~", "!~", "<", ">", "<=", ">=", ":"):
            self.take()
            return self.build(left, value, self.values())
        negated = bool(self.word("not"))
        operator = self.word(
            "in", "in~", "like", "like~", "rlike", "regex", "regex~", "is", "contains", "contains_cs", "startswith",
            "startswith_cs", "endswith", "endswith_cs", "has", "has_cs", "matches",
        )
        if not operator:
            return self.build(left, "holds", [])
        if operator == "is":
            negated = bool(self.word("not"))
            self.word("null")
            leaf = self.build(left, "is null", [])
        elif operator == "matches":
            self.take()
            leaf = self.build(left, "matches", self.values())
        else:
            leaf = self.build(left, operator, self.values())
        return leaf if not negated else Leaf(negation(leaf.ask), leaf.hints)

    # ---- what a test means

    def build(self, left, operator, right):
        if left[0] == "call":
            return self.call(left, operator, right)
        if left[0] in ("text", "number"):
            if operator == "holds":
                raise Undecided("a bare string, which is no condition of this language")
            # A constant compared with a constant.
            flag = bool(right) and str(left[1]).lower() == str(right[0][-1]).lower()
            return Leaf(lambda e: flag, {}, kind="constant")
        names, ways = self.subject(left)
        return self.leaf(names, ways, operator, right)

    def subject(self, left):
        if left[0] == "every":
            return None, []
        if left[0] != "field":
            raise Undecided(f"{left[0]} where a field is expected")
        return left[1], []

    def call(self, left, operator, right):
        _, name, arguments = left
        if name in ("to_lower", "lower", "tolower", "to_upper", "upper", "tostring", "to_string", "to_ip"):
            inner = arguments[0]
            if inner[0] == "call":
                return self.call(inner, operator, right)
            how = str.upper if "upper" in name else str.lower if "lower" in name else str
            right = [r if r[0] != "call" else r[2][0] for r in right]
            return self.leaf(self.subject(inner)[0], [how], operator, right)
        if operator != "holds":
            raise Undecided(f"{name} compared with something")
        if name in ("coalesce",):
            leaf = self.truthful(arguments[0])
            return Leaf(lambda e: bool(leaf.ask(e)), leaf.hints)
        if name == "not":
            leaf = self.truthful(arguments[0])
            return Leaf(negation(leaf.ask), leaf.hints)
        if name in ("isempty", "isnull", "isnotempty", "isnotnull"):
            leaf = self.leaf(self.subject(strip(arguments[0]))[0], [], "is null" if "null" in name else "is empty", [])
            return leaf if "not" not in name else Leaf(negation(leaf.ask), leaf.hints)
        if name in ("match", "regex_match"):
            return self.leaf(self.subject(arguments[0])[0], [], "matches", arguments[1:])
        if name in ("starts_with", "startswith", "ends_with", "endswith"):
            how, (subject, value) = name.replace("_", ""), arguments[:2]
            lowered = subject[0] == "call"
            field = self.subject(strip(subject))[0]
            return self.leaf(field, [str.lower] if lowered else [], how + "_cs", [value])
        if name in ("cidr_match", "cidrmatch", "ipv4_is_in_range", "ipv6_is_in_range", "ipv4_is_in_any_range", "ipv6_is_in_any_range", "ipv4_is_match", "ipv6_is_match"):
            if name == "cidrmatch" and arguments[0][0] == "text":
                arguments = [arguments[1], arguments[0]]
            nets = [network(a[1]) for a in arguments[1:]]
            if not all(nets):
                raise Undecided(f"{name} without networks")
            if name.startswith("ipv4"):
                nets = [net for net in nets if net.version == 4]
            field = self.subject(strip(arguments[0]))[0]
            hints = [h for net in nets for h in network_hints(net)]
            leaf = self.guard(field, lambda v: any(inside(v, net) for net in nets), hints)
            leaf.kind = "network"
            return leaf
        raise Undecided(f"the function {name}")

    def truthful(self, argument):
        if isinstance(argument, Leaf):
            return argument
        if argument[0] == "call":
            return self.call(argument, "holds", [])
        if argument[0] in ("and", "or", "not"):
            from tree import leaves, truth

            hints: dict = {}
            for leaf in leaves(argument):
                for key, values in leaf.hints.items():
                    hints.setdefault(key, []).extend(values)
            return Leaf(lambda e: truth(argument, e), hints)
        raise Undecided(f"{argument[0]} as a condition")

    def guard(self, name, ask, hints):
        """A test of one field, or of any (name None)."""
        if name is None:
            return Leaf(lambda e: any(ask(v) for v in e.values()), {"(any)": hints})
        if name == "_raw":
            return Leaf(lambda e: any(ask(v) for v in e.values()), {"(any)": hints})
        absent, unknown = self.kind.absent, self.kind.unknown

        def answer(event):
            value = event.get(name, absent)
            if value is None:
                return None if unknown else False
            return ask(value)

        return Leaf(answer, {name: hints})

    def leaf(self, name, ways, operator, right):
        def value_of(v):
            for way in ways:
                v = way(v)
            return v

        if operator == "is null":
            if self.kind is KUSTO:
                # A string column is never null.
                return Leaf(lambda e: False, {name: []}, kind="absence")
            return Leaf(lambda e: name not in e, {name: ["x"]}, kind="absence")
        if operator == "is empty":
            return Leaf(lambda e: e.get(name, "") == "", {name: ["x"]}, kind="absence")
        if operator == "holds":
            return self.guard(name, lambda v: v.lower() == "true", ["true", "false"])
        if any(r == ("word", "null") for r in right):
            leaf = Leaf(lambda e: name not in e, {name: ["x"]})
            return leaf if operator != "!=" else Leaf(negation(leaf.ask), leaf.hints)
        if right and right[0][0] in ("field", "call"):
            other = strip(right[0])
            other_name = self.subject(other)[0]
            fold = bool(ways) or operator in ("=~", ":")

            def same(event):
                one, two = event.get(name), event.get(other_name)
                if one is None or two is None:
                    return None if self.kind.unknown else False
                return (one.lower() == two.lower()) if fold else one == two

            if operator not in ("=", "==", "=~", ":"):
                raise Undecided(f"two fields by {operator}")
            return Leaf(same, {name: ["same"], other_name: ["same", "other"]})
        asks, hints = [], []
        for one in right:
            ask, more = self.one(operator, one)
            asks.append(ask)
            hints.extend(more)
        leaf = self.guard(name, lambda v: any(ask(value_of(v)) for ask in asks), hints)
        leaf.kind = "regex" if operator in ("regex", "regex~", "rlike", "matches") else "value"
        return leaf if operator not in ("!=", "!~") else Leaf(negation(leaf.ask), leaf.hints)

    def one(self, operator, right):
        """What one value asks, and values for it."""
        kind, text = right[0], right[1] if len(right) > 1 else ""
        if self.kind is EQL and kind == "number" and operator in (":", "like", "like~", "regex", "regex~"):
            raise Undecided(f"a number behind {operator}, which EQL takes texts for")
        if operator in ("<", ">", "<=", ">="):
            than = number(text)
            if than is None:
                raise Undecided("an order of texts")
            ask = {"<": lambda n: n < than, ">": lambda n: n > than, "<=": lambda n: n <= than, ">=": lambda n: n >= than}
            return (lambda v: (n := number(v)) is not None and ask[operator](n)), [str(than), str(than - 1), str(than + 1)]
        if kind in ("number", "word"):
            return (lambda v: v.lower() == text.lower() or number(v) is not None and number(v) == number(text)), [text, text + "1"]
        caseless = operator in ("=~", "!~", "in~", "contains", "startswith", "endswith", "has", ":", "like~", "regex~")
        if operator in ("regex", "regex~", "rlike"):
            compiled, hints = lucene_expression(text, caseless)
            return (lambda v: bool(compiled.fullmatch(v))), hints
        if operator == "matches":
            compiled, hints = expression(text)
            return (lambda v: bool(compiled.search(v))), hints
        if operator in (":", "like", "like~"):
            parts = wildcards(text, escapes=self.kind is ESQL)
        elif operator in ("contains", "contains_cs", "has", "has_cs"):
            parts = [MANY, text, MANY]
        elif operator in ("startswith", "startswith_cs"):
            parts = [text, MANY]
        elif operator in ("endswith", "endswith_cs"):
            parts = [MANY, text]
        else:
            parts = [text]
            caseless = caseless or (self.kind is EQL and False)
        if operator in ("has", "has_cs"):
            compiled = re.compile(r"(?<![A-Za-z0-9])" + re.escape(text) + r"(?![A-Za-z0-9])", re.I if caseless else 0)
            return (lambda v: bool(compiled.search(v))), pattern_hints([text])
        compiled = pattern_regex(parts, caseless)
        return (lambda v: bool(compiled.fullmatch(v))), pattern_hints(parts)


def strip(operand):
    while operand[0] == "call" and operand[1] in ("to_lower", "lower", "tolower", "tostring", "to_ip", "to_string", "toint", "tolong"):
        operand = operand[2][0]
    return operand


def wildcards(text, escapes):
    parts, at = [], 0
    while at < len(text):
        c = text[at]
        if escapes and c == "\\" and at + 1 < len(text):
            at += 1
            parts.append(text[at])
        elif c in "*?":
            parts.append(MANY if c == "*" else ONE)
        else:
            parts.append(c)
        at += 1
    return parts


def negation(ask):
    def answer(event):
        found = ask(event)
        return None if found is None else not found

    return answer


def condition(text, kind):
    """The condition that a text spells."""
    reader = Reader(text, kind)
    found = reader.any_of()
    if reader.peek()[0] != "end":
        raise Undecided(f"text behind the end: {reader.peek()[1]!r}")
    return found


def kusto(text):
    parts = [part.strip() for part in text.split("\n| ")]
    table, steps = parts[0], parts[1:]
    if table.startswith("where "):
        table, steps = "", parts
    elif not steps:
        return condition(table, KUSTO)
    terms = []
    if table:
        terms.append(Leaf(lambda e, t=table: e.get("(table)") == t, {"(table)": [table]}, table))
    for step in steps:
        if step.startswith("where "):
            terms.append(condition(step.removeprefix("where "), KUSTO))
        elif not step.startswith(("project", "limit", "take")):
            raise Undecided(f"the step {step.split(' ')[0]}")
    return terms[0] if len(terms) == 1 else ("and", terms)


def eql(text):
    category, sign, rest = text.partition(" where ")
    if not sign:
        raise Undecided("no `where`")
    inner = condition(rest, EQL)
    if category.strip() == "any":
        return inner
    return ("and", [Leaf(lambda e: e.get("(category)") == category, {"(category)": [category]}, category), inner])


def esql(text):
    terms = []
    for step in re.split(r"\s*\n?\| ", text)[1:]:
        if step.lower().startswith("where "):
            terms.append(condition(step[6:], ESQL))
        elif not step.lower().startswith(("limit", "keep", "sort")):
            raise Undecided(f"the step {step.split(' ')[0]}")
    if not terms:
        raise Undecided("no `where`")
    return terms[0] if len(terms) == 1 else ("and", terms)
