"""ClickHouse's Kusto dialect, by the package `chdb`, behind the harness; it speaks as `engines/serve.py` says.

The dialect is experimental, and a part of Kusto's language. What ClickHouse has no means for is told from what it
refuses: the answer for such a query is `lacks: ` and the cause, by these signs.
"""

import json
import os
import tempfile

import chdb
from chdb import session

# Text is never null to Kusto.
TYPES = {
    "keyword": "String",
    "address-text": "String",
    "address": "String",
    "integer": "Nullable(Int64)",
    "boolean": "Nullable(Bool)",
    "time": "Nullable(DateTime64(3))",
}

LACKING = (
    ("member access on a dynamic value is not supported", "no properties of dynamic values"),
    ("'parse_json' is not supported", "no properties of dynamic values"),
    ("indexing a dynamic object by key is not supported", "no properties of dynamic values"),
    ("expected an expression, found '*'", "no search in every column (`* contains`)"),
    ("TOO_BIG_AST", "its parser takes 50,000 nodes of a tree"),
    ("Neither IPv4 nor IPv6 address", "its functions for networks fail on text that is no address"),
)


class Engine:
    def __init__(self):
        self.session = session.Session()
        self.session.query("SET allow_experimental_kusto_dialect = 1")
        # ClickHouse's own limit of 256 kB is not Kusto's.
        self.session.query("SET max_query_size = 10000000")
        self.types = {}

    def about(self, _):
        version = self.session.query("SELECT version()").bytes().decode().strip().strip('"')
        return f"ClickHouse {version} (chdb {chdb.__version__}) in its Kusto dialect"

    def prepare(self, fields):
        self.types = {name: kind for name, kind in fields.items() if name}
        columns = "".join(f", {quoted(name)} {TYPES[kind]}" for name, kind in self.types.items())
        self.session.query("DROP TABLE IF EXISTS logs")
        self.session.query(f"CREATE TABLE logs (`#` Int64{columns}) ENGINE = Memory")
        return True

    def load(self, events):
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            for number, event in enumerate(events):
                row = {name: self.held(name, value) for name, value in event.items() if name}
                file.write(json.dumps({"#": number, **row}) + "\n")
        try:
            self.session.query(
                f"INSERT INTO logs SELECT * FROM file('{file.name}', 'JSONEachRow', '{self.structure()}') "
                "SETTINGS date_time_input_format = 'best_effort'"
            )
        finally:
            os.unlink(file.name)
        return int(self.session.query("SELECT count(*) FROM logs", "TSV").bytes())

    def structure(self):
        columns = "".join(f", {quoted(name)} {TYPES[kind]}" for name, kind in self.types.items())
        return f"`#` Int64{columns}".replace("\\", "\\\\").replace("'", "\\'")

    def held(self, name, value):
        kind = self.types[name]
        if kind == "integer":
            return int(value)
        if kind == "boolean":
            return value in (True, "true")
        return value if isinstance(value, str) else json.dumps(value)

    def run(self, queries):
        self.session.query("SET dialect = 'kusto'")
        try:
            return [self.ask(query) for query in queries]
        finally:
            self.session.query("SET dialect = 'clickhouse'")

    def ask(self, query):
        try:
            found = self.session.query(f"{query}\n| project ['#']", "TSV").bytes().decode()
        except Exception as fault:
            said = str(fault)
            cause = next((cause for sign, cause in LACKING if sign in said), None)
            return f"lacks: {cause}" if cause else " ".join(said.split())
        return [int(number) for number in found.split()]


def quoted(name):
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"
