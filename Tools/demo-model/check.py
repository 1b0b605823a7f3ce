#!/usr/bin/env python3
"""Checks an exported model and prints what it can do; fails if the file and PyTorch disagree.

    check.py --out out --model hybrimoe-demo.gguf [--report report.json]

Everything below is measured on the weights in the GGUF file, that is, after quantisation:
the agreement of PyTorch with the numpy reference, the loss per token on held-out texts, the share of held-out
sums that greedy decoding gets right, and the share of experts that each domain uses. What a visitor meets is
measured by evaluate.py, through the program.
"""
import argparse
import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from reference import Reference
from restore import from_gguf
from text import sums
from tokenizer import END, chat_pieces, read

TOLERANCE = 1e-3          # of the logits' standard deviation; F32 against F64, measured 1e-5 to 1e-4


class Checker:
    def __init__(self, path, out, valid='valid'):
        self.path, self.model = path, from_gguf(path)
        self.tokenizer = Tokenizer.from_file(str(out / 'tokenizer.json'))
        self.valid = read(out / f'{valid}.jsonl')

    def encode(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def prompt(self, messages):
        return ''.join(p for p, _ in chat_pieces(messages)) + '<|im_start|>assistant\n'

    def agreement(self):
        """Largest difference between PyTorch and the numpy reference, in standard deviations of the logits."""
        tokens = self.encode(self.prompt([('user', 'Tell me a story about a fox. What is 47 + 38?')]))[:48]
        ours = self.model(torch.tensor([tokens]))[0].numpy()
        exact = Reference(self.path).logits(tokens)
        return float(np.abs(ours - exact).max() / exact.std())

    def losses(self, limit=500):
        """Mean loss per token of the answers, and expert usage [layer][expert], per domain."""
        losses, usage = {}, {}
        for entry in self.valid[:limit]:
            tokens, scored = [], []
            for text, weight in chat_pieces(entry['messages']) if 'messages' in entry else [(entry['text'], 100)]:
                ids = self.encode(text)
                tokens += ids
                scored += [weight == 100] * len(ids)
            tokens, scored = torch.tensor(tokens[:1024]), torch.tensor(scored[:1024])
            loss = F.cross_entropy(self.model(tokens[None])[0, :-1], tokens[1:], reduction='none')[scored[1:]]
            losses.setdefault(entry['domain'], []).extend(loss.tolist())
            used = torch.stack([torch.bincount(m.chosen.flatten(), minlength=self.model.c.experts)
                                for m in self.model.moe_layers().values()])
            usage[entry['domain']] = usage.get(entry['domain'], 0) + used
        return losses, usage

    def sums(self, held_out, count=300, batch=50):
        """Share of sums for which greedy decoding writes exactly the worked answer, result included."""
        rng = np.random.default_rng(7)
        pairs = []
        while len(pairs) < count:
            a, b, op = int(rng.integers(100)), int(rng.integers(100)), '+-'[rng.integers(2)]
            if sums.held_out(a, op, b) == held_out and (op == '+' or a >= b):
                pairs.append((a, op, b))
        right = 0
        for start in range(0, count, batch):
            rows = [(self.encode(self.prompt([('user', f'What is {a} {op} {b}?')])),
                     self.encode(sums.worked(a, op, b) + END)) for a, op, b in pairs[start:start + batch]]
            padded = torch.zeros(len(rows), max(len(p) + len(w) for p, w in rows), dtype=torch.long)
            for row, (prompt, answer) in zip(padded, rows):
                row[:len(prompt) + len(answer)] = torch.tensor(prompt + answer)
            best = self.model(padded).argmax(-1)
            for row, (prompt, answer) in zip(best, rows):          # causal: what follows a row does not matter
                right += row[len(prompt) - 1:len(prompt) + len(answer) - 1].tolist() == answer
        return right / count


def specialisation(usage):
    """Per domain: experts that it uses at least twice as often as all domains together do, of all layers."""
    total = sum(usage.values())
    share = total / total.sum(1, keepdim=True)
    return {d: int(((u / u.sum(1, keepdim=True)) > 2 * share).sum()) for d, u in sorted(usage.items())}


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', default='out')
    parser.add_argument('--model', default='hybrimoe-demo.gguf')
    parser.add_argument('--report', help='also write the figures as JSON')
    parser.add_argument('--valid', default='second-valid', help='name of the held-out text')
    parser.add_argument('--threads', type=int, default=2)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    check = Checker(a.model, pathlib.Path(a.out), a.valid)
    report = {'agreement': check.agreement()}
    print(f'PyTorch against numpy: {report["agreement"]:.1e} standard deviations (limit {TOLERANCE:g})')
    losses, usage = check.losses()
    report['loss'] = {d: round(float(np.mean(v)), 4) for d, v in sorted(losses.items())}
    report['loss']['all'] = round(float(np.mean(sum(losses.values(), []))), 4)
    print(f'held-out loss, nats per answer token: {report["loss"]}')
    report['sums'] = {'held out': check.sums(True), 'others': check.sums(False)}
    print(f'sums right, two numbers from 0 to 99: {report["sums"]}')
    total = sum(usage.values())
    share = total / total.sum(1, keepdim=True)
    report['expert share'] = [round(share.min().item(), 4), round(share.max().item(), 4)]
    report['specialised'] = specialisation(usage)
    print(f'share of one expert in its layer: {report["expert share"]}, balanced is {1 / check.model.c.experts}')
    print(f'experts used twice as often as on average, of {share.numel()}: {report["specialised"]}')
    if a.report:
        pathlib.Path(a.report).write_text(json.dumps(report, indent=1) + '\n', encoding='utf-8')
    if not report['agreement'] <= TOLERANCE:
        sys.exit('the exported file and PyTorch disagree')


if __name__ == '__main__':
    main()
