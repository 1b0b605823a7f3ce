#!/usr/bin/env python3
"""Compares how `hybrimoe plan` reads files of rules with what PyYAML and Python's re make of them.

    compare_yaml.py PROGRAM [--count N] [--seed N]

Three kinds of files are made: valid ones in every style that the program reads (it must read all, with
the same texts in the same places), damaged ones (whatever the program reads, PyYAML must read alike),
and rules with made regular expressions (each module of a model must get the rule that re.search and
kTransformers' order give it).
"""

import argparse
import json
import random
import re
import string
import subprocess
import sys
import tempfile

import yaml

SHAPES = ["deepseek-v2-lite", "mixtral-8x7b", "qwen2-57b-a14b", "gpt-oss-20b"]


def plan(program, text, shape="deepseek-v2-lite"):
    """What the program makes of a file: its JSON, or None and its message."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", newline="", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        run = subprocess.run(
            [program, "plan", "--shape", shape, "--machine", "rtx-3090", "--json",
             "--optimize-rule-path", file.name], capture_output=True, check=False)
    if run.returncode not in (0, 1):
        raise SystemExit(f"exit code {run.returncode} for\n{text}\n{run.stderr.decode()}")
    if run.returncode == 1:
        return None, run.stderr.decode()
    return json.loads(run.stdout)["rules"], ""


def tree(node):
    """A composed document with scalars as texts."""
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [tree(element) for element in node.value]
    members = [(tree(key), tree(value)) for key, value in node.value]
    return dict(members)


def expected(text):
    """Rules as the program prints them, from what PyYAML composes."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None or (isinstance(root, yaml.ScalarNode) and root.value in ("", "~", "null")):
        return []
    rules = []
    for entry in tree(root):
        replace = entry["replace"]
        kwargs = replace.get("kwargs", {})
        rules.append({
            "name": entry["match"].get("name"), "class": entry["match"].get("class"),
            "replace": replace.get("class"), "arguments": kwargs if kwargs else {},
        })
    return rules


def printed(rules):
    return [{key: rule[key] for key in ("name", "class", "replace", "arguments")}
            for rule in rules["rules"]]


# --- Documents -----------------------------------------------------------------------------------

PLAIN = string.ascii_letters + string.digits + "._/+-^$()\\;=é日😀"
ANY = PLAIN + " :#'\"[]{},&*!|>%@`?~\t"


class Maker:
    def __init__(self, rng):
        self.rng = rng

    def word(self, alphabet=PLAIN, low=1, high=12):
        return "".join(self.rng.choice(alphabet) for _ in range(self.rng.randint(low, high)))

    def double(self, text):
        escapes = {"\\": "\\\\", '"': '\\"', "\t": self.rng.choice(["\\t", "\t", "\\x09"])}
        out = []
        for character in text:
            if character in escapes:
                out.append(escapes[character])
            elif self.rng.random() < 0.05:
                code = ord(character)
                out.append(f"\\x{code:02x}" if code < 256 else f"\\U{code:08X}")
            else:
                out.append(character)
        return '"' + "".join(out) + '"'

    def scalar(self, flow=False):
        kind = self.rng.randrange(4)
        if kind == 0:
            return self.double(self.word(ANY, 0))
        if kind == 1:
            return "'" + self.word(ANY, 0).replace("'", "''") + "'"
        first = self.word(string.ascii_letters + string.digits + "^(./", 1, 2)
        rest = self.word(PLAIN + " " + ("" if flow else ",[]{}'\"&*!"), 0)
        if kind == 2 and self.rng.random() < 0.3:
            rest += self.rng.choice([":x", "#x", "-", "::y"])
        return re.sub(r" +$", "", re.sub(r" +#", "#", first + rest))

    def flow(self, depth):
        items = self.rng.randint(0, 3)
        gap = lambda: self.rng.choice(["", " ", "  ", "\n      ", " # why\n       "])
        parts = []
        is_map = self.rng.random() < 0.5
        for index in range(items):
            value = (self.flow(depth - 1) if depth > 0 and self.rng.random() < 0.3
                     else self.scalar(flow=True))
            parts.append(f"k{index}: {value}" if is_map else value)
        comma = "," if items and self.rng.random() < 0.2 else ""
        body = ("," + gap() if "\n" not in gap() else ", ").join(parts)
        opening, closing = "{}" if is_map else "[]"
        return opening + self.rng.choice(["", " "]) + body + self.rng.choice(["", " "]) + comma + closing

    def comment(self):
        return self.rng.choice(["", "", "", "  # comment: 'x", " #"])

    def block(self, indent, depth):
        """Lines of a mapping or sequence, and whether it is a sequence."""
        lines = []
        is_sequence = self.rng.random() < 0.4
        for index in range(self.rng.randint(1, 4)):
            head = " " * indent + ("-" if is_sequence else self.key(index) + ":")
            kind = self.rng.random()
            if kind < 0.3 and depth > 0:
                step = self.rng.randint(1, 4)
                body, inner = self.block(indent + step, depth - 1)
                if inner and not is_sequence and self.rng.random() < 0.5:
                    body, _ = self.dedent(body, step), None
                if is_sequence and step > 1 and self.rng.random() < 0.5:
                    # A compact entry: the inner block begins beside the dash.
                    lines.append(head + " " * (step - 1) + body[0][indent + step:])
                    lines += body[1:]
                    continue
                lines.append(head + self.comment())
                lines += body
            elif kind < 0.45:
                lines.append(head + " " + self.flow(2) + self.comment())
            elif kind < 0.5:
                lines.append(head + self.comment())
            else:
                lines.append(head + " " * self.rng.randint(1, 3) + self.scalar() + self.comment())
            if self.rng.random() < 0.1:
                lines.append(self.rng.choice(["", "   ", "# comment", "        # far"]))
        return lines, is_sequence

    @staticmethod
    def dedent(lines, step):
        return [line[step:] if line.startswith(" " * step) else line for line in lines]

    def key(self, index):
        name = f"k{index}"
        return self.rng.choice([name, f"'{name}'", f'"{name}"', name + " ", f"{name} b"])

    def document(self):
        lines = ["---"] if self.rng.random() < 0.2 else []
        for _ in range(self.rng.randint(1, 4)):
            lines += ["- match:", "    name: x" + self.comment(), "  replace:"]
            if self.rng.random() < 0.5:
                lines.append("    class: default")
            body, is_sequence = self.block(6, 3)
            while is_sequence:
                body, is_sequence = self.block(6, 3)
            lines += ["    kwargs:" + self.comment()] + body
            if self.rng.random() < 0.3:
                lines.append("  recursive: " + self.rng.choice(["False", "True", "no", "ON"]))
        end = self.rng.choice(["\n", "\r\n"])
        return end.join(lines) + self.rng.choice(["", end, end + "..." + end])

    def damaged(self):
        text = list(self.document())
        for _ in range(self.rng.randint(1, 3)):
            place = self.rng.randrange(len(text) + 1)
            if self.rng.random() < 0.4 and place < len(text):
                del text[place]
            else:
                text.insert(place, self.rng.choice("-:#'\"[]{},&*!|>%@`?\\ \n\tax1"))
        return "".join(text)


# --- Patterns ------------------------------------------------------------------------------------

PIECES = [
    "model", r"\.", "layers", r"\d+", "[0-9]", "(0|[1-7])", "(?:1[0-9]|2[0-6])", "mlp", "experts",
    ".*", ".+?", "^", "$", "self_attn", "(?!.*self_attn)", r"(?!self_attn\.kv_b_proj)", r"\b", "gate",
    "(?=.*proj)", r"[^.]+", r"\w", r"\w{2,}", "x{0,2}", "o{2}", "(a|b|)", "lm_head", "_", "?", "*", "+",
    r"\A", r"\Z", "[a-z_]", "|", r"(?P<n>\d)", "{", "}", "]", r"\-", "[]x]", "[\\w.]", r"\s", r"\B",
]


def pattern(rng):
    if rng.random() < 0.3:
        low = rng.randint(0, 20)
        return rf"^model\.layers\.({low}|{low + 1}|2[0-9])\..*{rng.choice(['', 'mlp', 'experts$'])}"
    return "".join(rng.choice(PIECES) for _ in range(rng.randint(1, 5)))


def check_rules(program, rng):
    patterns = []
    while len(patterns) < rng.randint(1, 4):
        text = pattern(rng)
        try:
            re.compile(text)
            patterns.append((text, rng.random() < 0.3))
        except re.error:
            continue
    text = "".join(
        "- match: {name: '%s'}\n  replace: {class: default}\n  recursive: %s\n"
        % (name.replace("'", "''"), not closed) for name, closed in patterns)
    shape = rng.choice(SHAPES)
    rules, message = plan(program, text, shape)
    if rules is None:
        return None if "cannot be used here" in message or "too large" in message else message
    closed = set()
    for module in rules["modules"]:
        name = module["name"]
        parent = name.rpartition(".")[0]
        wanted = None
        if name and parent in closed:
            closed.add(name)
        else:
            for index, (regex, is_closed) in enumerate(patterns):
                if re.search(regex, name):
                    wanted = 3 * index + 1
                    if is_closed:
                        closed.add(name)
                    break
        if module["rule"] != wanted:
            return f"{shape}: {name!r} got the rule of line {module['rule']}, not {wanted}, of\n{text}"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    maker = Maker(rng)
    read = refused = 0
    for _ in range(options.count):
        text = maker.document()
        rules, message = plan(options.program, text)
        wanted = expected(text)
        if rules is None or printed(rules) != wanted:
            sys.exit(f"seed {options.seed}: {message or printed(rules)}\nexpected {wanted}\n{text}")
        text = maker.damaged()
        rules, _ = plan(options.program, text)
        if rules is None:
            refused += 1
        else:
            read += 1
            try:
                wanted = expected(text)
            except Exception as error:  # whatever PyYAML throws, the program should not have read it
                sys.exit(f"seed {options.seed}: read, although {error}\n{text}")
            if printed(rules) != wanted:
                sys.exit(f"seed {options.seed}: {printed(rules)}\nexpected {wanted}\n{text}")
        problem = check_rules(options.program, rng)
        if problem:
            sys.exit(f"seed {options.seed}: {problem}")
    print(f"{options.count} valid documents read, of as many damaged ones {read} read and {refused} "
          f"refused, {options.count} sets of patterns")


if __name__ == "__main__":
    main()
