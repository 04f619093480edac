"""DuckDB behind the harness: a command a line on the standard input, an answer a line on the standard output.

Commands are JSON: {"about": …}, {"prepare": {field: type}}, {"load": [event]}, {"run": [query]}. Answers are JSON: what
was asked for, or {"fault": text}. The answer to `run` has a list of the numbers of events, or a text, for each query.
"""

import json
import os
import sys
import tempfile

import duckdb

TYPES = {
    "keyword": "VARCHAR",
    "address-text": "VARCHAR",
    "address": "VARCHAR",
    "integer": "BIGINT",
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


def main():
    engine = Engine()
    for line in sys.stdin:
        ((command, argument),) = json.loads(line).items()
        try:
            answer = getattr(engine, command)(argument)
        except Exception as fault:
            answer = {"fault": f"{type(fault).__name__}: {fault}"}
        print(json.dumps(answer), flush=True)


main()
