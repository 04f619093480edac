"""An engine that is a package of Python, behind the harness: `serve.py FOLDER` takes the class `Engine` of
`FOLDER/engine.py`. A command a line on the standard input, an answer a line on the standard output.

Commands are JSON: {"about": null}, {"prepare": {field: type}}, {"load": [event]}, {"run": [query]}; each is a method of
the class. Answers are JSON: what was asked for, or {"fault": text}. `about` gives the name, `load` the number of events.
The answer to `run` has for each query a list of the numbers of events, or a text: why it is refused.
"""

import json
import os
import sys

sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True

from engine import Engine  # noqa: E402


def main():
    engine = Engine()
    # What a library itself writes to the standard output would be taken for answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        ((command, argument),) = json.loads(line).items()
        try:
            answer = getattr(engine, command)(argument)
        except Exception as fault:
            answer = {"fault": f"{type(fault).__name__}: {fault}"}
        print(json.dumps(answer), file=answers, flush=True)


main()
