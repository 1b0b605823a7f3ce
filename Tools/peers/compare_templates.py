#!/usr/bin/env python3
"""Compares the interpreter of chat templates with jinja2, set up as chat templates have it.

    compare_templates.py PROGRAM [--count N] [--seed S] [--folder DIRECTORY]

Cases are drawn from a grammar: statements, expressions, filters, tests, methods, white space control,
values of every kind, and mistakes. Both must write the same text, or both must fail. With --folder,
each template in a directory (*.jinja, or tokenizer_config.json with a chat_template) is rendered for
made-up conversations instead, with and without tools.
"""

import argparse
import datetime
import functools
import json
import pathlib
import random
import re
import subprocess
import sys

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

import template_cases
import template_conversations

NOW = [2025, 8, 5, 14, 30, 9]
# How Python prints what has nothing better to show than where it lies in memory.
ADDRESS = re.compile(r"<(built-in method \w+ of|bound method [\w.]+ of|generator object|function [\w.<>]+ at) ")


class Generation(Extension):
    """The tag that marks what the assistant wrote: a call block that writes its body."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    @staticmethod
    def _body(caller):
        return caller()


def environment():
    """jinja2 as transformers sets it up for chat templates."""
    result = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(
            x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
        )

    result.filters["tojson"] = tojson
    result.globals["raise_exception"] = raise_exception
    result.globals["strftime_now"] = lambda form: datetime.datetime(*NOW).strftime(form)
    return result


@functools.lru_cache(maxsize=64)
def compiled(jinja, template):
    return jinja.from_string(template)


def expected(jinja, case):
    try:
        text = compiled(jinja, case["template"]).render(**case["variables"])
        text.encode("utf-8")
        return {"text": text}
    # Whatever Python raises counts as a failure, a recursion that is too deep among them.
    except Exception as error:  # pylint: disable=broad-except
        return {"error": f"{type(error).__name__}: {error}"}


def compare(program, cases):
    """How many cases differ, fail on both sides, and print an address in memory."""
    jinja = environment()
    lines, last = [], None
    for case in cases:
        line = {"variables": case["variables"], "now": NOW}
        # A template that stands in the line before is not sent again.
        if case["template"] != last:
            line["template"] = last = case["template"]
        lines.append(json.dumps(line) + "\n")
    run = subprocess.run(
        [program, "template", "--cases", "-"], input="".join(lines), capture_output=True, text=True,
        check=False,
    )
    answers = run.stdout.splitlines()
    if run.returncode != 0 or len(answers) != len(cases):
        sys.exit(f"{program}: {len(answers)} answers to {len(cases)} cases, exit {run.returncode}\n"
                 + run.stderr)
    different = failed = addresses = 0
    for case, answer in zip(cases, answers):
        wanted, found = expected(jinja, case), json.loads(answer)
        case["outcome"] = found
        if ADDRESS.search(wanted.get("text", "")):
            # An address in memory, which no two runs share.
            addresses += 1
            continue
        failed += "error" in wanted
        if wanted.get("text") == found.get("text") and ("error" in wanted) == ("error" in found):
            continue
        different += 1
        if different <= 20:
            print(f"DIFFERENT {case.get('name', '')}\n  template {case['template'][:1500]!r}\n"
                  f"  jinja2   {str(wanted)[:1500]}\n  hybrimoe {str(found)[:1500]}", file=sys.stderr)
    return different, failed, addresses


def folder_cases(folder):
    """Every template of a directory with every made-up conversation."""
    cases = []
    for path in sorted(pathlib.Path(folder).rglob("*")):
        text = None
        if path.suffix in (".jinja", ".j2", ".jinja2"):
            text = path.read_text(encoding="utf-8")
        elif path.suffix == ".json":
            try:
                text = json.loads(path.read_text(encoding="utf-8")).get("chat_template")
            except (ValueError, AttributeError):
                continue
        for template in [t["template"] for t in text] if isinstance(text, list) else [text]:
            if template:
                for name, variables in template_conversations.all():
                    cases.append({"name": f"{path.relative_to(folder)} {name}",
                                  "file": str(path.relative_to(folder)),
                                  "template": template, "variables": variables})
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder")
    arguments = parser.parse_args()
    if arguments.folder:
        cases = folder_cases(arguments.folder)
    else:
        draw = random.Random(arguments.seed)
        cases = template_cases.styled()
        cases += [template_cases.generated(draw) for _ in range(arguments.count)]
    different, failed, addresses = compare(arguments.program, cases)
    if arguments.folder:
        for file in sorted({c["file"] for c in cases}):
            own = [c for c in cases if c["file"] == file]
            written = sum("text" in c["outcome"] for c in own)
            print(f"{file}: {written} of {len(own)} conversations written, the others refused")
    print(f"{len(cases)} cases, {failed} of them failing on both sides, {different} different; "
          f"{addresses} more print an address in memory")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
