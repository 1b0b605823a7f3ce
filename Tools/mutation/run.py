#!/usr/bin/env python3
"""Changes the program, one mutant at a time, and tells which test notices.

    Tools/mutation/run.py [NAME...] [--file FILE...] [--scratch FOLDER] [--markdown FILE] [--seconds N] [--jobs N]

The mutants are those of the .txt files beside this file, all or those whose names or files are given. They are made in
a copy of the committed tree (debug), whose package is narrowed to the test targets that they name. A mutant is
caught where a test fails, crashes or does not end.

Swift mutants that take statements out, and those that say `switch`, are compiled together: a variable of the
environment chooses one. All others are built alone, with warnings that are no errors.

Exits with 1 where a mutant is not caught, and is not said to be equivalent, does not compile or does not fit the
sources.
"""
import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHOSEN = """import Glibc

let chosenMutant = getenv("MUTANT").flatMap { Int(String(cString: $0)) } ?? 0
"""


@dataclasses.dataclass
class Mutant:
    name: str
    path: str
    tests: str
    old: str
    new: str
    switch: str = ""
    equivalent: str = ""
    file: str = ""


def read_mutants(text, file=""):
    """Sections `# name`, `in PATH`, `tests REGEX`, then lines `-old` and `+new` (none: the old ones are removed).
    `tests` holds until it is said anew. `switch statements` or `switch expression` tells what the lines are;
    `equivalent REASON` why no test can notice."""
    found, tests = [], ""
    for section in re.split(r"(?m)^# ", text)[1:]:
        lines = section.splitlines()
        mutant, old, new = Mutant(lines[0].strip(), "", "", "", "", file=file), [], []
        for line in lines[1:]:
            word, _, rest = line.partition(" ")
            if word == "in":
                mutant.path = rest.strip()
            elif word == "tests":
                tests = rest.strip()
            elif word in ("switch", "equivalent"):
                setattr(mutant, word, rest.strip())
            elif line.startswith("-"):
                old.append(line[1:])
            elif line.startswith("+"):
                new.append(line[1:])
            elif line.strip():
                sys.exit(f"mutants: {line!r} is neither a path nor a line")
        mutant.tests, mutant.old, mutant.new = tests, "\n".join(old), "\n".join(new)
        found.append(mutant)
    return found


def run(command, folder):
    """The exit status and the output."""
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace")
    return done.returncode, done.stdout


def build(tree):
    return run(["swift", "build", "--build-tests"], tree)


def test(tree, tests, seconds, number=0):
    """As `run`, for the built tests alone, up to the first failure. The output is what was said until then."""
    program = tree / ".build/debug/hybrimoePackageTests.xctest"
    process = subprocess.Popen(
        [program, "--testing-library", "swift-testing", "--filter", tests], cwd=tree, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace", start_new_session=True,
        env=os.environ | {"MUTANT": str(number), "SWIFT_BACKTRACE": "enable=no"})
    is_late = threading.Event()

    def end():
        is_late.set()
        os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(seconds, end)
    timer.start()
    output, failed = [], False
    for line in process.stdout:
        line = re.sub(r"\x1b\[[0-9;]*m", "", line)
        output.append(line)
        if re.match(r"✘ Test .* (recorded an issue|failed)", line):
            failed = True
            process.kill()
            break
    timer.cancel()
    code = process.wait()
    if failed:
        return 1, "".join(output)
    return (None if is_late.is_set() else code), "".join(output)


def failures(output):
    """The names of tests that failed, else what the process said when it ended."""
    failed = re.findall(r"✘ Test (\".+?\"|\S+) (?:failed|recorded an issue|with)", output)
    names = list(dict.fromkeys(name.strip("\"`()") for name in failed))
    return names or re.findall(r"(?:Fatal|Precondition).*?: (.+)", output)[:1]


def narrow(tree, tests):
    """Leaves the test targets that the mutants name, without the product and what needs other packages, with
    warnings that are no errors."""
    file = tree / "Package.swift"
    package = file.read_text()
    named = [re.split(r"\\?\.", expression)[0] for expression in tests]

    def kept(match):
        name = re.search(r'name: "(\w+)"', match.group(0)).group(1)
        return match.group(0) if any(re.fullmatch(part, name) for part in named) else ""

    package = re.sub(r" {4}\.testTarget\(\n.*?\n(?= {4}\.| {2}\],)", kept, package, flags=re.S)
    package = re.sub(
        r" {4}\.target\((?:\n(?! {4}\.| {2}\]).*)*\n", lambda m: "" if ".product(" in m.group(0) else m.group(0),
        package)
    package = re.sub(r" {4}\.executableTarget\(\n.*?\n(?=\n)", "", package, flags=re.S)
    package = re.sub(r"\n *\.executable\(.*?\),(?=\n)", "", package)
    package = re.sub(r" {2}dependencies: \[\n {4}\.package\(.*?\n {2}\],\n", "", package, flags=re.S)
    file.write_text(package.replace(".treatAllWarnings(as: .error)", ""))


# MARK: Mutants that are compiled together

def lines_apart(old, new):
    """How many lines of old are the same in new at its begin and at its end."""
    shortest = min(len(old), len(new))
    begin = next((i for i in range(shortest) if old[i] != new[i]), shortest)
    shortest -= begin
    end = next((i for i in range(shortest) if old[-1 - i] != new[-1 - i]), shortest)
    return begin, end


def is_balanced(text):
    return all(text.count(a) == text.count(b) for a, b in ("()", "[]", "{}"))


def switched(mutant, number, source):
    """Where the source changes and into what, so that it has both; None where that is not known."""
    at = source.index(mutant.old)
    if mutant.switch == "expression":
        ends = [n for n in range(min(len(mutant.old), len(mutant.new)))
                if n == 0 or mutant.old[-n:] == mutant.new[-n:]]
        for n in reversed(ends):
            old, new = mutant.old[:len(mutant.old) - n], mutant.new[:len(mutant.new) - n]
            if is_balanced(old) and is_balanced(new) and (n == 0 or mutant.old[-n] in " ,;)]}\n"):
                return at, at + len(old), f"(chosenMutant == {number} ? ({new}) : ({old}))"
        return None
    old, new = mutant.old.split("\n"), mutant.new.split("\n") if mutant.new else []
    begin, end = lines_apart(old, new)
    start = at + sum(len(line) + 1 for line in old[:begin])
    old, new = old[begin:len(old) - end], new[begin:len(new) - end]
    if old and new and mutant.switch != "statements":
        return None
    text = f"if chosenMutant == {number} {{\n" + "\n".join(new) + "\n}"
    if old:
        text += " else {\n" + "\n".join(old) + "\n}"
    length = len("\n".join(old))
    return start, start + length, text + ("" if old else "\n")


def combine(mutants, tree):
    """Writes all mutants into the tree that can be there at once.
    - Returns: their numbers by name."""
    numbers, changes = {}, {}
    for number, mutant in enumerate(mutants, 1):
        file = tree / mutant.path
        if file.suffix != ".swift" or file.read_text().count(mutant.old) != 1:
            continue
        change = switched(mutant, number, file.read_text())
        others = changes.setdefault(file, [])
        if change and all(change[1] <= b or e <= change[0] for b, e, _ in others):
            others.append(change)
            numbers[mutant.name] = number
    for file, list_of_changes in changes.items():
        source = file.read_text()
        for begin, end, text in sorted(list_of_changes, reverse=True):
            source = source[:begin] + text + source[end:]
        file.write_text(source)
        (file.parent / "ChosenMutant.swift").write_text(CHOSEN)
    return numbers


def judge_alone(mutant, tree, seconds):
    file = tree / mutant.path
    source = file.read_text()
    if source.count(mutant.old) != 1:
        return f"does not fit: {source.count(mutant.old)} places", []
    file.write_text(source.replace(mutant.old, mutant.new))
    try:
        code, output = build(tree)
        if code != 0:
            print("\n".join(line for line in output.splitlines() if "error:" in line), file=sys.stderr)
            return "does not compile", []
        return verdict(*test(tree, mutant.tests, seconds))
    finally:
        file.write_text(source)


def verdict(code, output):
    """What became of a mutant, and which tests say so."""
    if code == 0:
        return "SURVIVED", []
    if code is None:
        return "caught: does not end", failures(output)
    return ("caught: crash" if code < 0 else "caught"), failures(output)


def reset(tree, tests):
    run(["git", "reset", "-q", "--hard", "FETCH_HEAD"], tree)
    run(["git", "clean", "-q", "-fd", "Sources"], tree)
    narrow(tree, tests)
    code, output = build(tree)
    if code != 0:
        sys.exit(output)


def judge_all(chosen, tree, seconds, jobs):
    """Every mutant with its verdict, the tests that say so, and the seconds that it took."""
    tests = sorted({mutant.tests for mutant in chosen})
    run(["git", "fetch", "-q", str(ROOT), "HEAD"], tree)
    run(["git", "reset", "-q", "--hard", "FETCH_HEAD"], tree)
    run(["git", "clean", "-q", "-fd", "Sources"], tree)
    narrow(tree, tests)
    numbers = combine(chosen, tree)
    code, output = build(tree)
    if code != 0:
        sys.exit(output)
    for expression in tests:
        code, output = test(tree, expression, 4 * seconds)
        if code != 0:
            sys.exit(f"the tests fail without any mutant: {failures(output)}\n{output[-4000:]}")
    together = [mutant for mutant in chosen if mutant.name in numbers]
    alone = [mutant for mutant in chosen if mutant.name not in numbers]

    def judge(mutant):
        start = time.monotonic()
        found = verdict(*test(tree, mutant.tests, seconds, numbers[mutant.name]))
        return mutant, *found, time.monotonic() - start

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(judge, together)
    if together and alone:
        reset(tree, tests)
    for mutant in alone:
        start = time.monotonic()
        found = judge_alone(mutant, tree, seconds)
        yield mutant, *found, time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--file", nargs="+", default=[], help="names of the .txt files, without the ending")
    parser.add_argument("--scratch", help="a folder for the copy, kept with its build")
    parser.add_argument("--markdown", help="where to write the table")
    parser.add_argument("--seconds", type=float, default=120, help="after which a test does not end")
    parser.add_argument("--jobs", type=int, default=2, help="mutants that are tested at once")
    options = parser.parse_args()
    files = sorted((ROOT / "Tools/mutation").glob("*.txt"))
    files = [file for file in files if not options.file or file.stem in options.file]
    mutants = [mutant for file in files for mutant in read_mutants(file.read_text(), file.stem)]
    unknown = set(options.names) - {mutant.name for mutant in mutants}
    if unknown:
        sys.exit(f"no mutant is called {', '.join(sorted(unknown))}")
    chosen = [m for m in mutants if not options.names or m.name in options.names]
    rows, caught, survivors = [], 0, 0
    with tempfile.TemporaryDirectory() as temporary:
        tree = pathlib.Path(options.scratch or temporary) / "tree"
        if not tree.exists():
            run(["git", "clone", "-q", str(ROOT), str(tree)], ROOT)
        for mutant, what, tests, seconds in judge_all(chosen, tree, options.seconds, options.jobs):
            caught += what.startswith("caught")
            survivors += what == "SURVIVED" and not mutant.equivalent
            if what == "SURVIVED" and mutant.equivalent:
                what, tests = "equivalent", [mutant.equivalent]
            elif not what.startswith("caught") and what != "SURVIVED":
                survivors += 1
            print(f"{what:20} {mutant.name} ({seconds:.0f} s): {'; '.join(tests[:3])}", flush=True)
            rows.append(f"| {mutant.name} | `{mutant.path.rsplit('/', 1)[-1]}` | {what} | "
                        f"{'; '.join(tests[:2])}{' …' if len(tests) > 2 else ''} |")
            if options.markdown:
                table = ["| mutant | file | verdict | noticed by |", "| --- | --- | --- | --- |"] + rows
                pathlib.Path(options.markdown).write_text("\n".join(table) + "\n")
    print(f"{len(chosen)} mutants, {caught} caught, "
          f"{len(chosen) - caught - survivors} equivalent, {survivors} to look at")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
