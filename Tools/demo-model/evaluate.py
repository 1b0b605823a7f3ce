#!/usr/bin/env python3
"""Asks a bundled model 200 fixed questions, through the program that people use, and counts what it does right.

    evaluate.py --out out --program ../../.build/release/hybrimoe [--model FILE] [--card MODEL_CARD.md]

The questions (prompts.jsonl) were fixed before the training and are kept out of it; this script fails if one of
them is in the training text. All of it is asked in the chat: its template, its way to stop, its sampling. First
greedily, then with the sampling that the chat has without options. Aims and figures are printed, and with
--card written into the model card between its marks. `--quick` asks greedily what needs no training text.
"""
import argparse
import hashlib
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import numpy as np

import card
from text import declines, grammar, second, smalltalk, tales
from text.second import question_key

HERE = pathlib.Path(__file__).resolve().parent
ANSWER = 16                 # tokens of each answer whose experts count
RUN = 12                    # words: a story's run of so many that the training text has too makes it a copy
AIMS = {'sums': 0.90, 'stops': 0.98, 'stories': 0.80, 'domains': 0.90}


def words(text):
    """The words of a text without case and punctuation, as all comparisons take them."""
    return re.findall(r"[a-z0-9']+", text.lower())


def read(path):
    with open(path, encoding='utf-8') as file:
        return [json.loads(line) for line in file]


class Program:
    """The chat, asked many questions, each in a new conversation."""

    def __init__(self, program, model, threads):
        self.command = [program, 'chat', '--json', '--threads', str(threads)]
        self.command += ['--model', model] if model else []

    def ask(self, questions, *options, limit=400):
        """The turns, as the program writes them."""
        typed = '/reset\n'.join(q + '\n' for q in questions)
        run = subprocess.run([*self.command, '--max-tokens', str(limit), *options], input=typed, capture_output=True,
                             text=True, check=False)
        if run.returncode:
            sys.exit(f'{" ".join(self.command)}: {run.stderr}')
        turns = json.loads(run.stdout)['turns']
        if [t['question'] for t in turns] != list(questions):
            sys.exit('the program answered other questions than it was asked')
        return turns

    def experts(self, questions, limit):
        """Expert counts [question][layer][expert] of the prompt, and of the prompt and `limit` tokens of answer."""
        with tempfile.TemporaryDirectory() as folder:
            trace = pathlib.Path(folder) / 'trace.jsonl'
            # The first question of a process also has the tokens that all questions begin with; it is left out.
            self.ask(['Hello!', *questions], '--temperature', '0', '--record-trace', str(trace), limit=limit)
            before, whole = self.usage(trace, len(questions) + 1)
            return before[1:], whole[1:]

    @staticmethod
    def usage(path, count):
        with open(path, encoding='utf-8') as lines:
            return Program.counted(lines, count)

    @staticmethod
    def counted(lines, count):
        head = json.loads(next(lines))
        read = np.zeros((count, head['layers'], head['experts']))
        whole, question, before = np.zeros_like(read), -1, None
        for line in lines:
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


class TrainingText:
    """What the model was trained on, both times: its questions, and its runs of words."""

    PARTS = ('train', 'plain', 'practice', 'drill', 'second', 'exercise', 'third',
             'third-drill', 'last-drill')

    def __init__(self, out):
        self.questions, self.runs = set(), set()
        for part in self.PARTS:
            for entry in read(out / f'{part}.jsonl'):
                for role, text in entry.get('messages', [['', entry.get('text')]]):
                    if role == 'user':
                        self.questions.add(question_key(text))
                    self.runs.update(map(hash, runs(text)))

    def copies(self, text):
        """Whether some run of the text is in the training text."""
        return any(hash(r) in self.runs for r in runs(text))


def runs(text):
    found = words(text)
    return [tuple(found[i:i + RUN]) for i in range(len(found) - RUN + 1)]


def characters(text):
    return {w for w in words(text) if w in tales.CHARACTERS}


# --- What is right -----------------------------------------------------------------------------------


def is_sum(prompt, text):
    return re.search(rf'= {prompt["answer"]}\.$', text) is not None


def is_small_talk(prompt, text):
    """One of the answers that belong to the question; jokes and poems are whole."""
    group = prompt['answer']
    if group == 'joke':
        return text in smalltalk.JOKES
    if group == 'poem':
        return text in [f'{smalltalk.POEMS["rain"]} {c}' for c in smalltalk.COUPLETS]
    return any(grammar.matches(a, text) for a in smalltalk.TALK[group][1])


def is_right(prompt, text):
    """The strict check of each domain but stories."""
    domain = prompt['domain']
    if domain == 'sums':
        return is_sum(prompt, text)
    if domain == 'smalltalk':
        return is_small_talk(prompt, text)
    if domain == 'outside':
        return declines.is_decline(text)
    return prompt['answer'].lower() in text.lower()


def judge_stories(prompts, turns, training):
    """Shares of stories that are new, that have who was asked for, and that bring in nobody else halfway."""
    new, asked, kept, count = 0, [], 0, 0
    for prompt, turn in zip(prompts, turns):
        if prompt['domain'] != 'stories':
            continue
        count += 1
        told = len(words(turn['text'])) >= 40 and turn['stopReason'] == 'endOfText'
        new += told and not (training and training.copies(turn['text']))
        wanted = characters(prompt['prompt']) - {'child'}
        if wanted:
            asked.append(told and wanted <= characters(turn['text']))
        kept += told and len(characters(turn['text']) - set(tales.WORDS['people']) - set(tales.WORDS['plant'])) <= 2
    return {'new': new / count, 'asked': sum(asked) / len(asked), 'kept': kept / count}


def judge(prompts, turns, training):
    """All figures of one way to sample."""
    figures = {'stops': sum(t['stopReason'] == 'endOfText' for t in turns) / len(turns)}
    for domain in ('sums', 'program', 'facts', 'smalltalk', 'outside'):
        right = [is_right(p, t['text']) for p, t in zip(prompts, turns) if p['domain'] == domain]
        figures[domain] = sum(right) / len(right)
    return figures | {'stories': judge_stories(prompts, turns, training)}


# --- The domain from the experts -----------------------------------------------------------------------


class Classifier:
    """Logistic regression on the share of a layer's choices that each expert got: 256 numbers a question."""

    def __init__(self, usage, labels, decay=1e-2, steps=500):
        self.names = sorted(set(labels))
        x = self.shares(usage)
        self.mean, self.spread = x.mean(0), x.std(0) + 1e-6
        x = self.standardised(usage)
        y = np.eye(len(self.names))[[self.names.index(n) for n in labels]]
        self.weights = np.zeros((x.shape[1], y.shape[1]))
        for step in range(steps):
            p = self.softmax(x @ self.weights)
            self.weights -= 0.1 * (x.T @ (p - y) / len(x) + decay * self.weights)

    @staticmethod
    def shares(usage):
        return (usage / usage.sum(2, keepdims=True)).reshape(len(usage), -1)

    def standardised(self, usage):
        x = (self.shares(usage) - self.mean) / self.spread
        return np.concatenate((x, np.ones((len(x), 1))), 1)

    @staticmethod
    def softmax(x):
        e = np.exp(x - x.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)

    def names_of(self, usage):
        return [self.names[i] for i in (self.standardised(usage) @ self.weights).argmax(1)]


def other_questions(count, prompts):
    """(domains, questions): `count` of each domain from the generator, none of them among the prompts."""
    kept_out = {question_key(p['prompt']) for p in prompts}
    rng, domains, questions = random.Random(77), [], []
    for kind, domain in (('tales', 'stories'), ('sums', 'sums'), ('program', 'program'), ('facts', 'facts'),
                         ('smalltalk', 'smalltalk'), ('outside', 'outside')):
        mine = set()
        while len(mine) < count:
            question = second.asked(rng, kind)[0][1]
            if question_key(question) not in kept_out:
                mine.add(question)
        domains += [domain] * count
        questions += sorted(mine)
    return domains, questions


def domains_from_experts(program, prompts, count):
    """Shares of the prompts whose domain the classifier names, and the usage per domain for the picture."""
    labels, questions = other_questions(count, prompts)
    before, whole = program.experts([*questions, *(p['prompt'] for p in prompts)], ANSWER)
    fitted, right, wrong = len(questions), {}, []
    for name, usage in (('prompt', before), ('prompt and answer', whole)):
        found = Classifier(usage[:fitted], labels).names_of(usage[fitted:])
        right[name] = sum(f == p['domain'] for f, p in zip(found, prompts)) / len(prompts)
        if name == 'prompt':
            wrong = [[p['domain'], f, p['prompt']] for f, p in zip(found, prompts) if f != p['domain']]
    everyone = labels + [p['domain'] for p in prompts]
    usage = {d: sum(u for u, label in zip(whole, everyone) if label == d).tolist() for d in sorted(set(labels))}
    return {'right': right, 'wrong': wrong, 'fitted on': len(questions)}, usage


# --- Everything ------------------------------------------------------------------------------------------


def leaks(prompts, training):
    return [p['prompt'] for p in prompts if question_key(p['prompt']) in training.questions]


def quick(program, prompts):
    """What Scripts/check runs: no training text, no PyTorch; a quarter of the prompts, greedily, against lower bars."""
    some = prompts[::4]
    turns = program.ask([p['prompt'] for p in some], '--temperature', '0')
    figures = judge(some, turns, None)
    print(json.dumps(figures))
    stories = figures['stories']
    if figures['stops'] < 0.95 or figures['sums'] < 0.85 or stories['new'] < 0.9 or figures['outside'] < 0.6:
        sys.exit('the bundled model does worse than its model card says')


def converse(program):
    """The fixed conversations with the chat's own sampling."""
    told = []
    for questions in json.loads((HERE / 'conversations.json').read_text(encoding='utf-8')):
        run = subprocess.run([*program.command, '--seed', '1'], input='\n'.join(questions) + '\n', capture_output=True,
                             text=True, check=True)
        told.append([[t['question'], t['text']] for t in json.loads(run.stdout)['turns']])
    return told


def held_out(model, out, limit):
    """Mean loss in nats per answer token, by domain and of all, on texts of the generator with another seed."""
    import torch                                    # only here: the rest needs the program alone

    from check import Checker
    torch.set_num_threads(2)
    with torch.no_grad():
        losses, _ = Checker(model, out, valid='second-valid').losses(limit)
    return {d: float(np.mean(v)) for d, v in sorted(losses.items())} | {'all': float(np.mean(sum(losses.values(), [])))}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', default='out', help='folder with the training text')
    parser.add_argument('--program', default=str(HERE / '../../.build/release/hybrimoe'))
    parser.add_argument('--model', default=str(HERE / '../../Sources/Product/CBundledModel/model/hybrimoe-demo.gguf'))
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--fit', type=int, default=120, help='questions of each domain for the classifier')
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--report', help='also write everything, answers included, as JSON')
    parser.add_argument('--card', help='the model card to write the figures into')
    a = parser.parse_args()
    program, prompts = Program(a.program, a.model, a.threads), read(HERE / 'prompts.jsonl')
    if a.quick:
        quick(program, prompts)
        return
    training = TrainingText(pathlib.Path(a.out))
    if known := leaks(prompts, training):
        sys.exit(f'in the training text: {known}')
    report = {}
    report['experts'], report['usage'] = domains_from_experts(program, prompts, a.fit)
    sampled = program.ask([p['prompt'] for p in prompts], '--seed', '1')
    greedy = program.ask([p['prompt'] for p in prompts], '--temperature', '0')
    report['sampled'], report['greedy'] = judge(prompts, sampled, training), judge(prompts, greedy, training)
    report['held out'] = held_out(a.model, pathlib.Path(a.out), 500)
    report['conversations'] = converse(program)
    report['answers'] = [{'domain': p['domain'], 'prompt': p['prompt'], 'sampled': s['text'], 'greedy': g['text'],
                          'right': p['domain'] == 'stories' or [is_right(p, s['text']), is_right(p, g['text'])]}
                         for p, s, g in zip(prompts, sampled, greedy)]
    report['sha256'] = hashlib.sha256(pathlib.Path(a.model).read_bytes()).hexdigest()
    print(json.dumps({k: report[k] for k in ('sampled', 'greedy', 'experts', 'held out')}, indent=1))
    if a.report:
        pathlib.Path(a.report).write_text(json.dumps(report, indent=1) + '\n', encoding='utf-8')
    if a.card:
        card.write(pathlib.Path(a.card), report)
    sampled = report['sampled']
    reached = {'sums': sampled['sums'], 'stops': sampled['stops'], 'stories': sampled['stories']['new'],
               'domains': report['experts']['right']['prompt']}
    if short := [name for name, aim in AIMS.items() if reached[name] < aim]:
        sys.exit(f'below the aim: {", ".join(short)}')


if __name__ == '__main__':
    main()
