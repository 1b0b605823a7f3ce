#!/usr/bin/env python3
"""Asks a bundled model 200 fixed questions, through the program that people use, and counts what it does right.

    evaluate.py --out out --program ../../.build/release/hybrimoe [--model FILE] [--card MODEL_CARD.md]

The questions (prompts.jsonl) were fixed before the training and are kept out of it; this script fails if one of
them is in the training text. All of it is asked in the chat: its template, its way to stop, its sampling. First
greedily, then with the sampling that the chat has without options. Aims and figures are printed, and with
--card written into the model card between its marks. `--quick` asks greedily what needs no training text.
"""
import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
RUN = 12                    # words: a story's run of so many that the training text has too makes it a copy
AIMS = {'sums': 0.90, 'stops': 0.98, 'stories': 0.80, 'domains': 0.90}


def words(text):
    """The words of a text without case and punctuation, as all comparisons take them."""
    return re.findall(r"[a-z0-9']+", text.lower())


def normalised(text):
    return ' '.join(words(text))


def read(path):
    with open(path, encoding='utf-8') as file:
        return [json.loads(line) for line in file]


class Program:
    """The chat, asked many questions, each in a new conversation."""

    def __init__(self, program, model, threads):
        self.command = [program, 'chat', '--json', '--threads', str(threads)]
        self.command += ['--model', model] if model else []

    def ask(self, questions, *options, limit=400):
        """(answers, expert counts [question][layer][expert] of the prompt, and of prompt and answer)."""
        with tempfile.TemporaryDirectory() as folder:
            trace = pathlib.Path(folder) / 'trace.jsonl'
            typed = '/reset\n'.join(q + '\n' for q in questions)
            run = subprocess.run([*self.command, '--max-tokens', str(limit), '--record-trace', str(trace), *options],
                                 input=typed, capture_output=True, text=True, check=False)
            if run.returncode:
                sys.exit(f'{" ".join(self.command)}: {run.stderr}')
            turns = json.loads(run.stdout)['turns']
            if [t['question'] for t in turns] != list(questions):
                sys.exit('the program answered other questions than it was asked')
            return turns, *self.usage(trace, len(questions))

    @staticmethod
    def usage(path, count):
        lines = path.read_text(encoding='utf-8').splitlines()
        head = json.loads(lines[0])
        read = np.zeros((count, head['layers'], head['experts']))
        whole, question, before = np.zeros_like(read), -1, None
        for line in lines[1:]:
            entry = json.loads(line)
            if 'layer' not in entry:
                continue
            if entry['phase'] == 'prefill' and entry['layer'] == 0 and entry['step'] != before:
                question, before = question + 1, entry['step']
            for ids in entry['ids']:
                whole[question, entry['layer'], ids] += 1
                if entry['phase'] == 'prefill':
                    read[question, entry['layer'], ids] += 1
        if question + 1 != count:
            sys.exit(f'the trace has {question + 1} questions instead of {count}')
        return read, whole
