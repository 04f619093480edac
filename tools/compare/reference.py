"""Converts rules with the installed reference implementation; run by the Python of its virtual environment.

Arguments: target, pipelines with commas between them (or an empty text), folder of rules. Writes a line of JSON for each
rule: {"path", "queries": [..]} or {"path", "error"}.
"""

import contextlib
import json
import pathlib
import sys


def main() -> None:
    target, pipelines, folder = sys.argv[1:4]
    # The libraries print of their own accord: standard output is for the rows alone.
    out, sys.stdout = sys.stdout, sys.stderr
    from sigma.collection import SigmaCollection
    from sigma.plugins import InstalledSigmaPlugins

    plugins = InstalledSigmaPlugins.autodiscover()
    resolver = plugins.get_pipeline_resolver()
    names = [name for name in pipelines.split(",") if name]
    backend = plugins.backends[target](resolver.resolve(names, target))
    for path in sorted(pathlib.Path(folder).rglob("*.yml")):
        row = {"path": str(path)}
        try:
            with contextlib.redirect_stdout(sys.stderr):
                row["queries"] = backend.convert(SigmaCollection.from_yaml(path.read_text(encoding="utf-8")))
        except Exception as error:  # Whatever stops it there is what is to be reported.
            row["error"] = f"{type(error).__name__}: {error}"
        print(json.dumps(row, default=str), file=out)


if __name__ == "__main__":
    main()
