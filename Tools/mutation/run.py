#!/usr/bin/env python3
"""Changes the program, one mutant at a time, and tells which test notices.

    Tools/mutation/run.py [NAME...] [--scratch FOLDER] [--markdown FILE]

The mutants are those of the .txt files beside this file, all or those whose names are given. Each is made in a
copy of the committed tree, built (debug) and tested with the tests that its file names; a mutant is caught where
a test fails, crashes or does not end. Exits with 1 where one is not caught, does not compile or does not fit
the sources.
"""
import argparse
import dataclasses
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# A mutant may make a test wait for ever.
SECONDS = 240


@dataclasses.dataclass
class Mutant:
    name: str
    path: str
    tests: str
    old: str
    new: str


def read_mutants(text):
    """Sections `# name`, `in PATH`, `tests REGEX`, then lines `-old` and `+new` (none: the old ones are removed).
    `tests` holds until it is said anew."""
    found, tests = [], ""
    for section in re.split(r"(?m)^# ", text)[1:]:
        lines = section.splitlines()
        path, old, new = "", [], []
        for line in lines[1:]:
            if line.startswith("in "):
                path = line[3:].strip()
            elif line.startswith("tests "):
                tests = line[6:].strip()
            elif line.startswith("-"):
                old.append(line[1:])
            elif line.startswith("+"):
                new.append(line[1:])
            elif line.strip():
                sys.exit(f"mutants: {line!r} is neither a path nor a line")
        found.append(Mutant(lines[0].strip(), path, tests, "\n".join(old), "\n".join(new)))
    return found


def run(command, folder, seconds=None):
    try:
        done = subprocess.run(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", timeout=seconds)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as expired:
        output = expired.stdout or b""
        return None, output.decode(errors="replace") if isinstance(output, bytes) else output


def build(tree):
    return run(["swift", "build", "--build-tests"], tree)


def failures(output):
    """The names of tests that failed, and of one that was running when the process ended."""
    failed = re.findall(r"✘ Test (.+?) (?:failed|recorded an issue|with)", output)
    names = list(dict.fromkeys(name.strip("\"`()") for name in failed))
    if not names:
        started = re.findall(r"◇ Test (.+?) started", output)
        ended = set(re.findall(r"✔ Test (.+?) passed", output))
        names = [name.strip("\"`()") for name in started if name not in ended][-1:]
    return names


def judge(mutant, tree):
    """What became of the mutant, and which tests say so."""
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
        code, output = run(
            ["swift", "test", "--skip-build", "--filter", mutant.tests], tree, SECONDS)
    finally:
        file.write_text(source)
    if code == 0:
        return "SURVIVED", []
    return ("caught" if code is not None else "caught: does not end"), failures(output)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--scratch", help="a folder for the copy, kept with its build")
    parser.add_argument("--markdown", help="where to write the table")
    options = parser.parse_args()
    files = sorted((ROOT / "Tools/mutation").glob("*.txt"))
    mutants = [mutant for file in files for mutant in read_mutants(file.read_text())]
    unknown = set(options.names) - {mutant.name for mutant in mutants}
    if unknown:
        sys.exit(f"no mutant is called {', '.join(sorted(unknown))}")
    chosen = [m for m in mutants if not options.names or m.name in options.names]
    with tempfile.TemporaryDirectory() as temporary:
        tree = pathlib.Path(options.scratch or temporary) / "tree"
        if tree.exists():
            run(["git", "fetch", "-q", str(ROOT), "HEAD"], tree)
            run(["git", "reset", "-q", "--hard", "FETCH_HEAD"], tree)
        else:
            run(["git", "clone", "-q", str(ROOT), str(tree)], ROOT)
        code, output = build(tree)
        if code != 0:
            sys.exit(output)
        filters = "|".join(sorted({m.tests for m in chosen}))
        code, output = run(["swift", "test", "--skip-build", "--filter", filters], tree, 4 * SECONDS)
        if code != 0:
            sys.exit(f"the tests fail without any mutant: {failures(output)}")
        rows, survivors = [], 0
        for mutant in chosen:
            start = time.monotonic()
            verdict, tests = judge(mutant, tree)
            survivors += not verdict.startswith("caught")
            seconds = time.monotonic() - start
            print(f"{verdict:20} {mutant.name} ({seconds:.0f} s): {'; '.join(tests[:3])}", flush=True)
            rows.append(f"| {mutant.name} | `{mutant.path.rsplit('/', 1)[-1]}` | {verdict} | "
                        f"{'; '.join(tests[:2])}{' …' if len(tests) > 2 else ''} |")
        print(f"{len(chosen)} mutants, {len(chosen) - survivors} caught")
        if options.markdown:
            table = ["| mutant | file | verdict | noticed by |", "| --- | --- | --- | --- |"] + rows
            pathlib.Path(options.markdown).write_text("\n".join(table) + "\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
