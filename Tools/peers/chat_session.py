#!/usr/bin/env python3
"""Talks with `hybrimoe chat` in a pseudo-terminal as a person does, and looks at the screen.

    chat_session.py PROGRAM [--show]

The screen is that of the
PyPI package pyte, so that what is checked is what a person would see. --show prints each screen.
"""

import os
import re
import signal
import sys
import tempfile
import termios
import time

import pexpect
import pyte

PROGRAM = sys.argv[1]
SHOW = "--show" in sys.argv[2:]
PATIENCE = 60  # seconds until what should have come is missed
# Drawn from all tokens alike, so that an answer goes on until the context is full.
ENDLESS = ["--temperature", "100", "--top-k", "0", "--top-p", "1", "--min-p", "0", "-t", "1"]


class Terminal:
    """A program on a screen."""

    def __init__(self, command, home, columns=80, rows=24, **environment):
        variables = {
            "HOME": home, "PATH": "/usr/bin:/bin", "TERM": "xterm-256color", "LANG": "C.UTF-8",
            "HYBRIMOE_DEVICE": "cpu",
            # The Swift runtime's own report of a crash asks what to do next.
            "SWIFT_BACKTRACE": "enable=no", **environment,
        }
        self.child = pexpect.spawn(
            command[0], command[1:], env=variables, dimensions=(rows, columns), timeout=PATIENCE)
        self.screen = pyte.HistoryScreen(columns, rows, history=5000)
        self.stream = pyte.ByteStream(self.screen)
        # What the terminal itself answers, such as where the cursor is.
        self.screen.write_process_input = self.child.send
        self.raw = b""

    def pump(self, seconds=0.2):
        """Takes what comes until nothing has come for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                data = self.child.read_nonblocking(65536, timeout=0.05)
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                return
            self.raw += data
            self.stream.feed(data)
            end = max(end, time.monotonic() + 0.15)

    def take(self):
        """Takes what there is; does not wait until an endless answer pauses."""
        try:
            data = self.child.read_nonblocking(65536, timeout=0.05)
            self.raw += data
            self.stream.feed(data)
        except (pexpect.TIMEOUT, pexpect.EOF):
            pass

    def rows(self):
        """All rows, those that have left the screen too."""
        history = ["".join(row[x].data for x in range(self.screen.columns))
                   for row in self.screen.history.top]
        return [row.rstrip() for row in history + list(self.screen.display)]

    def text(self):
        return "\n".join(self.rows()).rstrip()

    def wait(self, condition, what):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.take()
            if condition(self):
                return
        raise AssertionError(f"not seen: {what}\n{self.text()}")

    def wait_for(self, text):
        self.wait(lambda terminal: text in terminal.text(), repr(text))

    def wait_for_prompt(self):
        self.pump(0.1)
        self.wait(lambda terminal: terminal.cursor_row() == ">", "the prompt")

    def cursor_row(self):
        return self.screen.display[self.screen.cursor.y].rstrip()

    def send(self, text):
        self.child.send(text)
        self.pump()

    def end(self, expected):
        """Waits for the end; the terminal must be as before."""
        self.pump(0.3)
        self.child.expect(pexpect.EOF)
        self.raw += self.child.before
        self.child.wait()
        check(self.child.exitstatus == expected or -(self.child.signalstatus or 0) == expected,
              f"ended with {self.child.exitstatus}, {self.child.signalstatus}")
        check(self.raw.rfind(b"\x1b[?2004l") > self.raw.rfind(b"\x1b[?2004h"), "paste mode is on")

    def is_usual(self):
        """Whether the terminal edits and shows lines itself."""
        flags = termios.tcgetattr(self.child.child_fd)[3]
        return flags & termios.ECHO != 0 and flags & termios.ICANON != 0

    def show(self, title):
        if SHOW:
            print(f"--- {title}")
            print("\n".join(row.rstrip() for row in self.screen.display).rstrip())


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def conversations(home):
    folder = f"{home}/.local/state/hybrimoe/chats"
    return [open(f"{folder}/{name}", encoding="utf-8").read()
            for name in sorted(os.listdir(folder))]


def chat(home, *more, columns=80, **environment):
    terminal = Terminal([PROGRAM, "chat", "--seed", "1", *more], home, columns, **environment)
    terminal.wait_for_prompt()
    return terminal


def endless(home, columns, *more):
    return chat(home, *ENDLESS, *more, columns=columns)


# --- What is tried --------------------------------------------------------------------------------

def edits_and_pastes(home, columns):
    terminal = chat(home, "-n", "40", columns=columns)
    terminal.send("What is 2 + 4?\x1b[D\x7f3")
    check(terminal.cursor_row() == "> What is 2 + 3?", terminal.cursor_row())
    terminal.send("\x1b[F\r")
    terminal.wait_for_prompt()
    lines = ["Tell me", "a story", "", "    of a fox 🦊 and 日本."]
    terminal.send("\x1b[200~" + "\r".join(lines) + "\x1b[201~")
    check("> Tell me\n  a story\n\n      of a fox" in terminal.text(), "the paste is not whole")
    terminal.show("a paste")
    terminal.send("\r")
    terminal.wait_for_prompt()
    terminal.show("two answers")
    text = conversations(home)[-1]
    check(text.count('"question"') == 2 and '\\n    of a fox 🦊 and 日本.' in text, text)
    check(len(re.findall(r"\d+ tokens?, [\d.]+/s · prompt", terminal.text())) == 2, "no figures")
    terminal.send("\x1b[A")
    check("of a fox" in terminal.cursor_row(), "no history")
    terminal.send("\x03\x03")
    terminal.wait_for("(/quit or Ctrl-D leaves)")
    check(not terminal.is_usual(), "the editor is off")
    terminal.send("\x04")
    terminal.end(0)
    # The history outlives the chat.
    terminal = chat(home, columns=columns)
    terminal.send("\x12story")
    check("a story" in terminal.text(), "nothing found")
    terminal.send("\x07/he\t\r")
    terminal.wait_for("/retry")
    terminal.show("/help")
    check(all(len(row) < columns for row in terminal.rows()), "a line is broken by the terminal")
    terminal.send("/quit\r")
    terminal.end(0)


def stops_and_keeps(home, columns):
    terminal = endless(home, columns)
    terminal.child.send("Go on.\r")
    terminal.wait(lambda t: len(t.text()) > 400, "an answer")
    terminal.child.send("typed mean")
    terminal.child.send("while")
    for _ in range(5):
        terminal.take()
    check("typed mean" not in terminal.text(), "typing shows in an answer")
    terminal.child.send("\x03")
    terminal.wait(lambda t: t.cursor_row() == "> typed meanwhile", "what was typed ahead")
    check("· stopped" in terminal.text(), "the answer was not stopped")
    terminal.show("stopped, and what was typed ahead")
    # Only styles, moves of the editor and its switches are sent, whatever the model writes.
    stray = re.sub(rb"\x1b\[(\d*(;\d+)*m|\d*[ABCKJ]|6n|\?2004[hl])", b"", terminal.raw)
    check(not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", stray), "a control character")
    terminal.send("\x15/quit\r")
    terminal.end(0)


def survives_kill(home, columns):
    terminal = endless(home, columns)
    terminal.child.send("Count.\r")
    terminal.wait(lambda t: len(t.text()) > 600, "an answer")
    terminal.child.kill(signal.SIGKILL)
    terminal.pump(0.3)
    check(terminal.child.isalive() is False, "alive")
    kept = conversations(home)[-1]
    pieces = re.findall(r'\{"answer":("(?:[^"\\]|\\.)*")\}', kept)
    answer = "".join(eval(piece) for piece in pieces)
    shown = "".join(re.findall(r"\w", terminal.text().split("> Count.")[1]))
    there = "".join(re.findall(r"\w", answer))
    check(there.startswith(shown[:200]) and len(there) >= len(shown) - 20, "something is lost")
    terminal = endless(home, columns, "--resume", "-n", "5")
    check("Continuing the conversation" in terminal.text(), "not resumed")
    check("> Count." in terminal.text(), "the question is not shown")
    terminal.show("resumed")
    terminal.send("More.\r")
    terminal.wait(lambda t: '"More."' in conversations(home)[-1], "the next question in the file")
    terminal.wait_for_prompt()
    check(len(conversations(home)) == 1, "another file")
    terminal.send("\x04")
    terminal.end(0)
    # A model of another name takes it up, in another file where it is one of the user's.
    copy = f"{home}/copy.jsonl"
    with open(copy, "w", encoding="utf-8") as file:
        file.write(conversations(home)[0].replace("HybriMoE demo", "another"))
    terminal = chat(home, "--resume", copy, columns=columns)
    check("answers from here on" in terminal.text(), "the change of models is not told")
    terminal.send("\x04")
    terminal.end(0)


def restores(home, columns):
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        terminal = chat(home, columns=columns)
        terminal.send("unfinished")
        terminal.child.kill(number)
        terminal.end(-number)
    # Under a shell: Ctrl-Z, and back.
    shell = Terminal(["/bin/bash", "--norc", "--noprofile", "-i"], home, columns, PS1="$ ")
    shell.wait_for("$")
    shell.send(f"{PROGRAM} chat\r")
    shell.wait_for_prompt()
    shell.send("half a line\x1a")
    shell.wait_for("Stopped")
    shell.send("echo in the shell\r")
    shell.wait(lambda t: t.text().count("in the shell") == 2, "the shell's echo")
    shell.send("fg\r")
    shell.wait(lambda t: t.cursor_row() == "> half a line", "the line again")
    shell.show("back from Ctrl-Z")
    shell.send(" more")
    check(shell.cursor_row() == "> half a line more", shell.cursor_row())
    shell.send("\x15\x04")
    shell.wait(lambda t: t.cursor_row() == "$", "the shell")
    shell.send("exit\r")


def resizes(home, columns):
    terminal = chat(home, columns=columns)
    terminal.send("x" * (columns + 10))
    terminal.child.setwinsize(24, columns // 2)
    # pyte cuts rows instead of breaking them; what counts is that all of the line is drawn anew.
    terminal.screen.resize(24, columns // 2)
    terminal.pump(0.5)
    count = "".join(terminal.rows()).split("leaves.")[-1].count("x")
    check(count >= columns + 10, f"{count} of {columns + 10}")
    terminal.send("\x15ok")
    check(terminal.cursor_row() == "> ok", terminal.cursor_row())
    terminal.send("\x15\x04")
    terminal.end(0)


def plain(home, columns):
    terminal = Terminal([PROGRAM, "chat", "-n", "8", "--seed", "1"], home, columns, TERM="dumb")
    terminal.wait_for(">")
    terminal.send("What is 2 + 3?\r")
    terminal.wait_for("2 + 3 = 5.")
    terminal.send("\x04")
    terminal.child.expect(pexpect.EOF)
    check(b"\x1b" not in terminal.raw, "a sequence on a dumb terminal")
    terminal = chat(home, "-n", "8", columns=columns, NO_COLOR="1")
    terminal.send("What is 2 + 3?\r")
    terminal.wait_for("2 + 3 = 5.")
    terminal.wait_for_prompt()
    check(not re.search(rb"\x1b\[[\d;]*m", terminal.raw), "a style in spite of NO_COLOR")
    terminal.send("\x04")
    terminal.end(0)
    terminal = chat(home, "-n", "8", "--no-save", "--no-figures", columns=columns)
    before = conversations(home)
    terminal.send("What is 2 + 3?\r")
    terminal.wait_for("2 + 3 = 5.")
    terminal.wait_for_prompt()
    check("context" not in terminal.text().split("leaves.")[1], "figures")
    check(conversations(home) == before, "a conversation was kept")
    terminal.send("\x04")
    terminal.end(0)


def main():
    failures = 0
    for scenario in (edits_and_pastes, stops_and_keeps, survives_kill, restores, resizes, plain):
        for columns in (80, 200):
            with tempfile.TemporaryDirectory() as home:
                try:
                    scenario(home, columns)
                except (AssertionError, pexpect.ExceptionPexpect) as failure:
                    failures += 1
                    print(f"{scenario.__name__}, {columns} columns: {failure}", file=sys.stderr)
    print(f"12 talks on terminals, {failures} failed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
