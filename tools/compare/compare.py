#!/usr/bin/env python3
"""Compares sigcast's queries with those of the reference implementation, and writes what was found as Markdown.

    SIGCAST_COMPARE_VENV=~/sigma-venv tools/compare/compare.py --rules RULES --sigcast target/release/sigcast

The environment variable names a virtual environment with sigma-cli and its backends and pipelines
(`pip install sigma-cli pysigma-backend-elasticsearch pysigma-backend-splunk pysigma-backend-kusto
pysigma-backend-opensearch pysigma-pipeline-sysmon pysigma-pipeline-windows`). Nothing runs without it.

Each pair of queries ends in one class:

    equal       the same text
    form        other texts, the same answers on all events made from both (and some event that both select)
    meaning     an event that one selects and the other does not
    undecided   one of them could not be read, or no event was found that both select
    only ours, only theirs, neither: who converts the rule at all

Both texts are read by the same small readers (lucene.py, splunk.py, infix.py), which follow the engines' documentation
and know neither tool. `form` is no proof: it is what some hundred events did not tell apart. Assumed for both alike: a
Lucene index ignores case (as both tools assume), fields of networks hold addresses, a field has one value, a word without
a field is looked for in all values.
"""

import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import infix
import lucene
import reasons
import splunk
from events import compare as by_events
from tree import Undecided

READERS = {
    "lucene": lucene.read,
    "opensearch": lucene.read,
    "splunk": splunk.read,
    "kusto": infix.kusto,
    "eql": infix.eql,
    "esql": infix.esql,
}
THEIR_NAMES = {"opensearch": "opensearch_lucene"}
# Target, our pipelines, theirs.
COMBINATIONS = [
    *((target, [], []) for target in ("lucene", "opensearch", "splunk", "kusto", "eql", "esql")),
    ("lucene", ["sysmon"], ["sysmon"]),
    ("lucene", ["windows-audit"], ["windows-audit"]),
    ("lucene", ["sysmon", "windows-logsources"], ["sysmon", "windows-logsources"]),
    ("lucene", ["ecs_windows"], ["ecs_windows"]),
    ("eql", ["ecs_windows"], ["ecs_windows"]),
    ("opensearch", ["ecs_windows"], ["ecs_windows"]),
    ("lucene", ["ecs_zeek_beats"], ["ecs_zeek_beats"]),
    ("lucene", ["ecs_kubernetes"], ["ecs_kubernetes"]),
    ("lucene", ["ecs_macos_esf"], ["ecs_macos_esf"]),
    ("splunk", ["sysmon", "splunk_windows"], ["sysmon", "splunk_windows"]),
    ("splunk", ["splunk_cim"], ["splunk_cim"]),
    ("kusto", ["microsoft_xdr"], ["microsoft_xdr"]),
    ("kusto", ["sentinel_asim"], ["sentinel_asim"]),
    ("kusto", ["azure_monitor"], ["azure_monitor"]),
]


def our_rows(options, target, pipelines):
    """Our queries, or what stood in the way, by path."""
    command = [options.sigcast, "convert", "-t", target, "--jsonl"]
    for name in pipelines:
        command += ["-p", f"{options.pipelines}/{name}.yml" if options.pipelines else name]
    done = subprocess.run([*command, options.rules], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()[:400]}")
    rows = collections.defaultdict(list)
    for line in done.stdout.splitlines():
        row = json.loads(line)
        rows[row["path"]].append(row)
    return rows


def their_rows(python, target, pipelines, rules):
    script = str(pathlib.Path(__file__).with_name("reference.py"))
    command = [python, script, THEIR_NAMES.get(target, target), ",".join(pipelines), rules]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Undecided(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no output")
    return {row["path"]: row for row in map(json.loads, done.stdout.splitlines())}


def judge(target, ours, theirs, rounds):
    """The class of a pair, why, and an event if there is one."""
    if ours == theirs:
        return "equal", "", None
    if len(ours) != len(theirs):
        return "undecided", "another number of queries", None
    reader, both, why = READERS[target], 0, ""
    for mine, other in zip(ours, theirs):
        if mine == other:
            both += 1
            continue
        trees = []
        for who, text in (("ours", mine), ("theirs", other)):
            try:
                trees.append(reader(text))
            except (Undecided, RecursionError) as fault:
                return "undecided", f"{who}: {fault}"[:90], None
        found = by_events(*trees, rounds)
        if found[0] == "different":
            return "meaning", reasons.reason(*trees, target), found[1:]
        both += found[1]
    return ("form", why, None) if both else ("undecided", "no event that both select was found", None)


def error_of(row):
    text = row.get("error") or ""
    return text.split("\n")[0].split(" in /")[0][:110]


def combination(options, python, target, mine, theirs):
    """The classes, the reasons of each, and some examples."""
    ours = our_rows(options, target, mine)
    try:
        others = their_rows(python, target, theirs, options.rules)
    except Undecided as fault:
        return None, str(fault), {}
    classes, why, examples = collections.Counter(), collections.defaultdict(collections.Counter), collections.defaultdict(list)
    for path, rows in sorted(ours.items()):
        other = others.get(path, {"error": "no such file"})
        queries = [query for row in rows for query in row["queries"]]
        their = other.get("queries") or []
        # The theirs may be no text: a structure of their own, of which a text is made.
        their = [query if isinstance(query, str) else json.dumps(query) for query in their]
        if not queries or not their:
            kind = "only ours" if queries else "only theirs" if their else "neither"
            codes = [row["errors"][0]["code"] for row in rows if row["errors"]]
            told = error_of(other) if queries else (codes or ["-"])[0]
            classes[kind] += 1
            why[kind][told] += 1
            continue
        kind, told, event = judge(target, queries, their, options.rounds)
        classes[kind] += 1
        if told:
            why[kind][told] += 1
        if kind == "meaning" and len(examples[told]) < options.examples:
            examples[told].append((pathlib.Path(path).name, queries, their, event))
    return classes, why, examples


ORDER = ["equal", "form", "meaning", "undecided", "only ours", "only theirs", "neither"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", required=True, help="folder of rules")
    parser.add_argument("--sigcast", default="target/release/sigcast", help="the program to compare")
    parser.add_argument("--pipelines", help="folder of our pipelines, instead of those that are built in")
    parser.add_argument("--only", action="append", default=[], help="TARGET or TARGET/PIPELINE[,PIPELINE], several times")
    parser.add_argument("--rounds", type=int, default=6, help="how many events of each kind a pair gets")
    parser.add_argument("--examples", type=int, default=0, help="examples of each reason for another meaning")
    options = parser.parse_args()
    home = os.environ.get("SIGCAST_COMPARE_VENV")
    if not home:
        raise SystemExit("SIGCAST_COMPARE_VENV names no virtual environment with sigma-cli: nothing to compare with")
    python = str(pathlib.Path(home, "bin", "python"))
    rows, details = [], []
    for target, mine, theirs in COMBINATIONS:
        name = f"{target}/{','.join(mine)}" if mine else target
        if options.only and name not in options.only:
            continue
        classes, why, examples = combination(options, python, target, mine, theirs)
        if classes is None:
            print(f"\n## {name}\n\nnot compared: {why}", flush=True)
            continue
        rows.append(f"| {target} | {', '.join(mine) or '-'} | " + " | ".join(str(classes[kind]) for kind in ORDER) + " |")
        details.append(f"\n## {name}\n")
        for kind in ORDER[1:]:
            for told, times in why[kind].most_common(12):
                details.append(f"- {kind}, {times}: {told}")
                for file, query, their, event in examples.get(told, []) if kind == "meaning" else []:
                    details.append(f"  - {file}: the event {event[0]} is selected by {'ours' if event[1] else 'theirs'} alone")
                    details.append(f"    - ours: `{query[0]}`\n    - theirs: `{their[0]}`")
        print(rows[-1], file=sys.stderr)
        print("\n".join(details), flush=True)
        details.clear()
    print("\n| target | pipelines | " + " | ".join(ORDER) + " |\n|" + "---|" * (len(ORDER) + 2))
    print("\n".join(rows))


if __name__ == "__main__":
    main()
