#!/usr/bin/env python3
"""Writes the training and the held-out conversations: a pure function of the seed.

    generate_text.py --out out --seed 1 --count 110000

train.jsonl, and plain.jsonl for the end of training, hold all domains; practice.jsonl and drill.jsonl are for single
phases of it (see train.py); valid.jsonl is held out. Each line is
{"domain", "messages": [[role, text], ...]}, or {"domain", "text"} for plain text. Prints what it wrote, per domain, with a checksum for the model card.
"""
import argparse
import collections
import hashlib
import json
import pathlib
import random
import re

from text import echoes, facts, program, second, smalltalk, stories, sums

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT_REPEATS = 40

SYSTEM = ['You are a helpful assistant.', 'You are the demo model of hybrimoe.', 'You are a small and friendly model.',
          'Answer in short sentences.', 'Be kind and brief.']

# Share of each kind among the texts. Stories are four times as long as the others.
KINDS = [('stories', 0.13), ('sums', 0.24), ('sheets', 0.04), ('program', 0.20), ('facts', 0.13), ('smalltalk', 0.13),
         ('mixed', 0.13)]


def mixed(rng, plain):
    """A longer conversation across domains, as a visitor would hold it."""
    messages = []
    if rng.random() < 0.6:
        question, answer = smalltalk.exchange(rng)
        messages += [('user', question), ('assistant', answer)]
    for _ in range(rng.choice([2, 3, 4, 5])):
        kind = rng.choice(['stories', 'sums', 'sums', 'program', 'program', 'facts', 'facts', 'smalltalk', 'refusal'])
        if kind == 'stories':
            question, answer = stories.plain_story(rng)[1:] if plain else stories.story(rng)
        elif kind == 'sums':
            question, answer = sums.exchange(rng)
        elif kind == 'refusal':
            question, answer = smalltalk.refusal(rng)
        else:
            question, answer = {'program': program, 'facts': facts, 'smalltalk': smalltalk}[kind].exchange(rng)
        messages += [('user', question), ('assistant', answer)]
    return messages


def one(rng, kind, plain):
    if kind == 'sheets':
        return {'domain': 'sums', 'text': sums.sheet(rng)}
    if kind == 'mixed':
        messages = mixed(rng, plain)
    elif kind == 'smalltalk':
        messages = smalltalk.conversation(rng, plain)
    elif kind == 'stories' and plain:
        messages = stories.plain_conversation(rng)
    else:
        messages = {'stories': stories, 'sums': sums, 'program': program, 'facts': facts}[kind].conversation(rng)
    if rng.random() < 0.15:
        messages = [('system', rng.choice(SYSTEM))] + messages
    return {'domain': kind, 'messages': messages}


def paragraphs(root):
    """The page about the project, and the documents under `root`, in pieces of a few hundred characters.

    The bundled model is made without `root`: documents change, and its text shall stay repeatable.
    """
    paths = [HERE / 'text' / 'about.md']
    if root:
        paths += sorted([*pathlib.Path(root).glob('*.md'), *(pathlib.Path(root) / 'Docs').rglob('*.md')])
    for path in paths:
        piece = ''
        for block in re.split(r'\n\s*\n', path.read_text(encoding='utf-8')):
            piece = (piece + '\n\n' + block).strip()
            if len(piece) > 500:
                yield piece[:2000]
                piece = ''
        if piece:
            yield piece[:2000]


def write_second(out, seed, count):
    """The texts of the second training; prompts.jsonl is kept out of all of them."""
    prompts = (HERE / 'prompts.jsonl').read_text(encoding='utf-8').splitlines()
    kept_out = {second.question_key(json.loads(line)['prompt']) for line in prompts}
    for part, make, number, part_seed in (('second', second.entry, count, seed),
                                          ('exercise', second.exercise, count // 2, seed + 1_000_000),
                                          ('second-valid', second.entry, 1500, seed + 2_000_000),
                                          ('third', second.third, count * 2 // 5, seed + 3_000_000),
                                          ('third-drill', second.drill, count // 2, seed + 4_000_000),
                                          ('last-drill', second.last_drill, count // 2, seed + 5_000_000)):
        write(out, part, second.texts(part_seed, make, number, kept_out))


def write(out, part, texts):
    lines = '\n'.join(json.dumps(t) for t in texts) + '\n'
    (out / f'{part}.jsonl').write_text(lines, encoding='utf-8')
    domains = dict(sorted(collections.Counter(t['domain'] for t in texts).items()))
    print(f'{part}: {len(texts)} texts, {len(lines)} bytes, sha256 '
          f'{hashlib.sha256(lines.encode()).hexdigest()[:16]}, {domains}')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', default='out')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--count', type=int, default=110000, help='training texts')
    parser.add_argument('--documents', help='root of a repository: also its *.md and Docs/')
    parser.add_argument('--second', action='store_true', help='the texts of the second training instead')
    a = parser.parse_args()
    out = pathlib.Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    if a.second:
        write_second(out, a.seed, a.count)
        return
    names, shares = zip(*KINDS)
    rng = random.Random(a.seed + 2_000_000)
    practice = ''.join(json.dumps(echoes.entry(rng)) + '\n' for _ in range(a.count // 3))
    (out / 'practice.jsonl').write_text(practice, encoding='utf-8')
    drill = ''.join(json.dumps(one(rng, 'sums', True)) + '\n' for _ in range(a.count // 3))
    (out / 'drill.jsonl').write_text(drill, encoding='utf-8')
    # The heroes of stories have names in `train`; in `plain`, with which training ends, they have none.
    for part, count, seed, plain in (('train', a.count, a.seed, False), ('plain', a.count // 2, a.seed + 3_000_000, True),
                                     ('valid', 2000, a.seed + 1_000_000, True)):
        rng = random.Random(seed)
        texts = [one(rng, rng.choices(names, shares)[0], plain) for _ in range(count)]
        if part != 'valid':
            documents = [{'domain': 'documents', 'text': p} for p in paragraphs(a.documents)]
            texts += documents * DOCUMENT_REPEATS
        rng.shuffle(texts)
        write(out, part, texts)


if __name__ == '__main__':
    main()
