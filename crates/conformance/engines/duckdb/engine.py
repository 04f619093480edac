"""DuckDB behind the harness, which speaks as `engines/serve.py` says."""

import json
import os
import tempfile

import duckdb

TYPES = {
    "keyword": "VARCHAR",
    "address-text": "VARCHAR",
    "address": "VARCHAR",
    "integer": "BIGINT",
    "decimal": "DECIMAL(38, 9)",
    "boolean": "BOOLEAN",
    "time": "TIMESTAMP",
}


class Engine:
    def __init__(self):
        self.connection = duckdb.connect()
        self.columns = {}

    def about(self, _):
        return "DuckDB " + duckdb.__version__

    def prepare(self, fields):
        self.columns = {"#": "BIGINT"}
        self.columns.update((name, TYPES[kind]) for name, kind in fields.items() if name)
        quoted = (f'"{name.replace(chr(34), chr(34) * 2)}" {kind}' for name, kind in self.columns.items())
        self.connection.execute("DROP TABLE IF EXISTS logs")
        self.connection.execute(f"CREATE TABLE logs ({', '.join(quoted)})")
        return True

    def load(self, events):
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            for number, event in enumerate(events):
                file.write(json.dumps({"#": number, **event}) + "\n")
        try:
            self.connection.execute(
                "INSERT INTO logs SELECT * FROM read_json(?, format = 'newline_delimited', columns = ?)",
                [file.name, self.columns],
            )
        finally:
            os.unlink(file.name)
        return self.connection.execute("SELECT count(*) FROM logs").fetchone()[0]

    def run(self, queries):
        return [self.ask(query) for query in queries]

    def ask(self, query):
        try:
            return [row[0] for row in self.connection.execute(f'SELECT "#" FROM ({query}\n)').fetchall()]
        except duckdb.Error as fault:
            return str(fault).splitlines()[0]
