"""The package `eql` behind the harness, which speaks as `engines/serve.py` says.

The package is older than Elasticsearch's own EQL and is not the same language. Its grammar, its checks of types, its
logic of `and` and `or`, its comparisons, its regular expressions and its networks are taken as they are, in its syntax
"Elasticsearch". What Elasticsearch's reference ("EQL syntax reference", "EQL function reference") has otherwise is
accounted for here, and nowhere else; so the package cannot speak for any of these:

1.  Case. The package ignores it everywhere, and forgets which operator it read. `:` and the forms with `~` ignore case,
    in ASCII only; `==`, `in`, `like` and `regex` mind it.
2.  Wildcards. The package knows `*` only, Elasticsearch `?` too.
3.  Regular expressions match the whole value, not its start.
4.  Absent fields. The package answers null, and `not` of null is null; Elasticsearch's `not` is a `must_not`, which an
    event without the field passes. Lists and comparisons are false here for an absent field.
5.  Several values. A test passes if one of them does.
6.  Types are the mapping's. A keyword field holds the text of a number or a boolean, and `== 5` asks it for "5".
7.  Names with dots are one field, in backquotes or not; objects are flat.
8.  Strings. The package takes all from the first `\\u{` to the last `}` for one escape.
9.  IPv4 addresses are the IPv6 ones that they are mapped into.
10. Keys of sequences (`by`) mind case, and an event that lacks one of them is in no sequence.

Sequences are the package's own: one state a key and item, which an event moves on. The time of an event is in `@timestamp`;
a sequence is known by the number of its last event.
"""

import datetime
import json
import re

import eql
import eql.ast
import eql.engine
import eql.parser
import eql.utils

WILDCARDS = {"*": ".*", "?": "."}


class Predicate(eql.ast.FunctionCall):
    """A test of text by an operator: as the package has it, with the operator (1)."""

    __slots__ = ("operator",)


class Choice(eql.ast.InSet):
    """A test for one text of a list: as the package has it, with the operator (1)."""

    __slots__ = ("operator",)


class Reader(eql.parser.LarkToEQL):
    """The package's parser, which keeps operators (1) and reads escapes one by one (8)."""

    def string_predicate(self, node):
        info = super().string_predicate(node)
        read, info.node = info.node, Predicate(info.node.name, info.node.arguments)
        info.node.operator = str(node["STRING_PREDICATE"])
        return info

    def in_set(self, node):
        info = super().in_set(node)
        info.node = Choice(info.node.expression, info.node.container)
        info.node.operator = str(node["IN"])
        return info


def unescape(text):
    """The text of a string (8)."""
    plain = eql.ast.String.reverse_patterns

    def one(found):
        return chr(int(found[1], 16)) if found[1] else plain[found[0]]

    return re.sub(r"\\u\{([0-9a-fA-F]+)\}|\\[^u]", one, text)


eql.parser.LarkToEQL = Reader
eql.ast.String.unescape = staticmethod(unescape)
# Else `==` ignores case too (1).
eql.utils.CASE_INSENSITIVE = False

VALUE = eql.ast.Field("value")
TIME = "@timestamp"
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


class Evaluator(eql.engine.PythonEngine):
    """The package's evaluator, in which each test asks each value of its field."""

    def __init__(self, types):
        super().__init__()
        self.types = types

    def _convert_key(self, args, scoped=True, piped=False, insensitive=True):
        """The key of an event (10): what is equal to nothing, if it has none."""
        names = [".".join(str(part) for part in argument.full_path) for argument in args]

        def key(event):
            values = [event.data.get(name, ()) for name in names]
            return tuple(value[0] for value in values) if all(len(value) == 1 for value in values) else object()

        return key

    def _convert_field(self, node):
        return lambda scope: scope.event.data[node.base]

    def asked(self, field, test):
        """A test of one value, as a test of an event (4, 5, 7)."""
        name = ".".join(str(part) for part in field.full_path)
        if name not in self.types:
            raise eql.EqlSemanticError(f"Unknown column [{name}]", 0, 0, "")

        def passes(scope):
            for value in scope.event.data.get(name, ()):
                if test(eql.engine.Scope([eql.Event("any", 0, {"value": value})], [])):
                    return True
            return False

        return passes

    def _convert_is_null(self, node):
        name = ".".join(str(part) for part in node.expr.full_path)
        return lambda scope: name not in scope.event.data

    def _convert_is_not_null(self, node):
        absent = self._convert_is_null(node)
        return lambda scope: not absent(scope)

    def _convert_comparison(self, node):
        # A sign is an operation, until it is worked out.
        constant = node.right.optimize(recursive=True)
        kind = self.types.get(".".join(str(part) for part in node.left.full_path))
        if kind in ("keyword", "address-text") and not isinstance(constant, eql.ast.String):
            constant = eql.ast.String(text(constant.value))
        comparison = eql.ast.Comparison(VALUE, node.comparator, constant)
        return self.asked(node.left, super()._convert_comparison(comparison))

    def _convert_choice(self, node):
        caseless = node.operator.endswith("~")
        choice = [re.escape(item.value) for item in node.container]
        return self.asked(node.expression, whole(choice, caseless))

    def _convert_predicate(self, node):
        field, *patterns = node.arguments
        caseless = node.operator == ":" or node.operator.endswith("~")
        sources = [pattern.value for pattern in patterns]
        if node.name == "wildcard":
            sources = ["".join(WILDCARDS.get(c) or re.escape(c) for c in source) for source in sources]
        return self.asked(field, whole(sources, caseless))

    def _convert_function_call(self, node):
        if node.name != "cidrMatch":
            raise eql.EqlCompileError(f"Unknown function {node.name}")
        field, *networks = node.arguments
        inside = node.signature.get_callback(VALUE, *networks)

        def test(scope):
            value = scope.event.data["value"]
            return any(inside(address) for address in addresses(value))

        return self.asked(field, test)


def addresses(value):
    """An address, and the one that it is mapped into, if it is one (9)."""
    try:
        address = eql.utils.get_ipaddress(value)
    except ValueError:
        return []
    return [value] if address.version == 6 else [value, "::ffff:" + value]


def whole(sources, caseless):
    """A test of the whole value by one of some regular expressions (1, 2, 3)."""
    flags = re.DOTALL | re.ASCII | (re.IGNORECASE if caseless else 0)
    compiled = re.compile("|".join(f"(?:{source})" for source in sources), flags)

    def test(scope):
        value = scope.event.data["value"]
        return isinstance(value, str) and compiled.fullmatch(value) is not None

    return test


def text(value):
    return value if isinstance(value, str) else json.dumps(value)


def held(value, kind):
    """The value, as a field of this type holds it (6)."""
    if kind == "integer":
        return int(value)
    if kind == "boolean":
        return value in (True, "true")
    return text(value)


class Engine:
    def __init__(self):
        self.types, self.events = {}, []

    def about(self, _):
        return "Python package eql " + eql.__version__

    def prepare(self, fields):
        self.types = fields
        return True

    def load(self, events):
        self.events = []
        unit = Evaluator({}).convert_time_range(eql.ast.TimeRange(1, eql.ast.TimeUnit.Seconds))
        for event in events:
            data = {}
            for name, value in event.items():
                values = value if isinstance(value, list) else [value]
                data[name] = [held(value, self.types[name]) for value in values]
            time = 0
            if TIME in data:
                since = datetime.datetime.fromisoformat(data[TIME][0].replace("Z", "+00:00")) - EPOCH
                time = round(since / datetime.timedelta(milliseconds=1)) * unit // 1000
            self.events.append(eql.Event("any", time, data))
        return len(self.events)

    def run(self, queries):
        return [self.ask(query) for query in queries]

    def ask(self, query):
        try:
            with eql.parser.elasticsearch_syntax, eql.parser.skip_optimizations, eql.parser.allow_runs:
                read = eql.parse_query(query, pipes=False).first
            if isinstance(read, eql.ast.Sequence):
                return self.sequences(read)
            matches = Evaluator(self.types).convert(read)
        except (eql.EqlError, re.error) as fault:
            # The place stands before the message.
            said = " ".join(str(fault).splitlines()[1::-1])
            return f"{type(fault).__name__}: {said}"
        return [number for number, event in enumerate(self.events) if matches(event)]

    def sequences(self, read):
        """The last event of each sequence."""
        found = set()
        evaluator = Evaluator(self.types)
        numbers = {id(event): number for number, event in enumerate(self.events)}
        evaluator._convert_sequence(read, lambda sequence: found.add(numbers[id(sequence[-1])]))
        evaluator.stream_events(sorted(self.events, key=lambda event: event.time))
        return sorted(found)
