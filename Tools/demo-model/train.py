#!/usr/bin/env python3
"""Trains the demo model on the CPU, with checkpoints and resume.

    train.py --out out --schedule schedule.json                   repeats a recorded run
    train.py --out out --steps 2000 --decay-steps 600             a length of your own
    train.py --out out --deadline 1790000000 --decay-minutes 40   until a moment, seconds since 1970

Learning rate: warm-up, constant, then linear to zero ("warmup-stable-decay"), so that a run can be ended at
will; out/schedule.json records what it was. Matrices learn by Muon (https://kellerjordan.github.io/posts/muon), the rest by AdamW. Re-run the same
command to go on from out/checkpoint.pt.
"""
import argparse
import ctypes
import itertools
import json
import os
import pathlib
import signal
import time

import numpy as np
import torch
import torch.nn.functional as F

from model import Config, Model
from restore import from_gguf

STEP_TOKENS = 4096
MATRIX_RATE, OTHER_RATE, WARMUP, BALANCE = 0.02, 0.004, 40, 0.01
# Phases of the first run. Those of the second stand in second-phases.json.
# (first step, one row in so many, kind): the phases of practice in copying.
PRACTICE = [(0, 1, None), (910, 4, 'random'), (1039, 2, 'texts')]
PLAIN_FROM = 1236          # first step with stories without names, and with sums as practice instead of echoes
SHORT_FROM = 1129          # first step from which two steps in four have rows of 64: one text, little to look through
PLAIN_TOKENS = 2045         # token numbers below are text, those above are special


class Stream:
    """Rows of tokens; each begins where a text begins, and a text that did not fit begins the next row."""

    def __init__(self, path, seed, practice=None, phase=None):
        data = np.load(path)
        self.practice, self.phase = practice, phase
        self.tokens, self.weights, self.starts = data['tokens'], data['weights'], data['starts']
        self.seed, self.epoch, self.position, self.count = seed, 0, 0, len(self.starts) - 1
        self.order = None

    def next_text(self):
        if self.order is None or self.order[0] != self.epoch:
            self.order = (self.epoch, np.random.default_rng([self.seed, self.epoch]).permutation(self.count))
        index = self.order[1][self.position]
        return slice(self.starts[index], self.starts[index + 1])

    def advance(self):
        self.position += 1
        if self.position == self.count:
            self.epoch, self.position = self.epoch + 1, 0

    def row(self, length):
        tokens, weights, filled = np.zeros(length, np.int64), np.zeros(length, np.float32), 0
        while filled < length:
            text = self.next_text()
            n = min(length - filled, text.stop - text.start)
            tokens[filled:filled + n] = self.tokens[text.start:text.start + n]
            weights[filled:filled + n] = self.weights[text.start:text.start + n] / 100
            if n == text.stop - text.start or filled == 0:
                self.advance()
            filled += n
        return tokens, weights

    def batch(self, step):
        """Short rows, in which few tokens compete for attention, and every fourth step rows of the whole context."""
        if self.phase:
            return self.batch_of_phase(step)
        length = 1024 if step % 4 == 3 else 64 if step >= SHORT_FROM and step % 4 < 2 else 256
        rows = [self.row(length + 1) for _ in range(STEP_TOKENS // length)]
        first, every, kind = next(p for p in reversed(PRACTICE) if step >= p[0])
        if kind == 'random':
            rng = np.random.default_rng([self.seed, step, 1])
            rows[every - 1::every] = [random_practice(rng, length + 1) for _ in rows[every - 1::every]]
        elif kind == 'texts':
            self.practice.position = (step - first) * 160 % self.practice.count       # no state to resume
            rows[every - 1::every] = [self.practice.row(length + 1) for _ in rows[every - 1::every]]
        return torch.from_numpy(np.stack([r[0] for r in rows])), torch.from_numpy(np.stack([r[1] for r in rows]))


    def batch_of_phase(self, step):
        """Rows as the phase says: their lengths take turns, and each `every`th row is practice."""
        length = self.phase['lengths'][step % len(self.phase['lengths'])]
        rows = [self.row(length + 1) for _ in range(STEP_TOKENS // length)]
        if self.practice:
            self.practice.position = (step - self.phase['first']) * 400 % self.practice.count
            every = self.phase['every']
            rows[every - 1::every] = [self.practice.row(length + 1) for _ in rows[every - 1::every]]
        return torch.from_numpy(np.stack([r[0] for r in rows])), torch.from_numpy(np.stack([r[1] for r in rows]))


def random_practice(rng, length):
    """Copying practice: blocks of random tokens, each said several times; only the repetitions count.

    Meant to teach copying; a hundred steps of it taught nothing yet, and text/echoes.py took its place.
    """
    tokens, weights = np.zeros(length, np.int64), np.zeros(length, np.float32)
    filled = 0
    while filled < length:
        block = rng.integers(256, PLAIN_TOKENS, rng.integers(4, 40))
        repeats = int(rng.integers(2, 5))
        n = min(length - filled, len(block) * repeats)
        tokens[filled:filled + n] = np.tile(block, repeats)[:n]
        weights[filled + len(block) + 1:filled + n] = 1
        filled += n
    return tokens, weights


def orthogonalise(g, iterations=4):
    """Newton-Schulz: g [count, rows, columns] -> its nearest orthogonal matrices, roughly."""
    x = g / (g.norm(dim=(1, 2), keepdim=True) + 1e-7)
    tall = x.shape[1] > x.shape[2]
    x = x.transpose(1, 2) if tall else x
    for _ in range(iterations):
        a = torch.bmm(x, x.transpose(1, 2))
        b = torch.baddbmm(a, a, a, beta=-4.7750, alpha=2.0315)
        x = torch.baddbmm(x, b, x, beta=3.4445)
    return x.transpose(1, 2) if tall else x


@torch.no_grad()
def muon_step(p, momentum, rate):
    """Momentum, then orthogonalisation: every direction of a matrix learns equally fast."""
    momentum.lerp_(p.grad, 0.05)
    update = torch.lerp(p.grad, momentum, 0.95).reshape(-1, *p.shape[-2:])     # gate, up, experts: each its own
    update = orthogonalise(update) * max(1, update.shape[1] / update.shape[2]) ** 0.5
    p.mul_(1 - rate * 0.02).add_(update.reshape(p.shape), alpha=-rate)


def is_matrix(name, p):
    return p.dim() >= 2 and not name.endswith(('embedding.weight', 'router')) and name != 'output.weight'


def weighted_loss(model, tokens, weights, total=None):
    logits = model(tokens[:, :-1])
    w = weights[:, 1:].flatten()
    loss = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction='none')
    return (loss * w).sum() / (w.sum() if total is None else total)


@torch.no_grad()
def held_out_loss(model, path, rows=32):
    stream = Stream(path, 0)
    losses = [weighted_loss(model, *(torch.from_numpy(x)[None] for x in stream.row(513))) for _ in range(rows)]
    return torch.stack(losses).mean().item()


def rate_factor(a, step):
    """What the learning rates are multiplied by; zero ends the run."""
    if a.schedule:
        for count, factor in a.schedule:
            if step < count:
                return factor
            step -= count
        return 0.0
    warm = min(1.0, (step + 1) / WARMUP)
    left = (a.deadline - time.time()) / (60 * a.decay_minutes) if a.deadline else (a.steps - step) / a.decay_steps
    return round(a.rate * warm * min(1.0, max(0.0, left)), 3)


def run_lengths(factors):
    """[[count, factor], ...]: a schedule that a later run repeats exactly."""
    return [[len(list(group)), factor] for factor, group in itertools.groupby(factors)]


def save(path, **state):
    torch.save(state, f'{path}.part')
    os.replace(f'{path}.part', path)


class Worker:
    """One of several single-threaded processes that share the weights, the gradients and the momentum.

    Each computes the gradient of its rows and updates its share of the parameters, so that nothing is copied.
    One thread computes 1,680 tokens/s forward and back, two threads of one process 2,600 to 2,900 (measured on two
    cores with AVX-512): most operations here are too small to share. So each process keeps one thread.
    """

    def __init__(self, rank, a, shared):
        self.rank, self.a, self.out = rank, a, pathlib.Path(a.out)
        self.model, self.gradients, self.momentum, self.barrier, self.control = shared
        torch.set_num_threads(1)
        self.stream = None if a.phases else self.open_stream('train', 'practice')
        self.named = dict(self.model.named_parameters())
        for name, p in self.named.items():
            p.grad = self.gradients[rank][name]
        others = [p for n, p in self.named.items() if not is_matrix(n, p)]
        self.adam = torch.optim.AdamW(others, lr=OTHER_RATE, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0, fused=True)
        self.owned = self.share_of_parameters()
        self.step, self.seconds, self.factors = 0, 0.0, []

    def open_phase(self):
        """The stream of the phase that the step belongs to, from the text's beginning when the phase begins."""
        phase = next(p for p in reversed(self.a.phases) if self.step >= p['first'])
        if self.stream and phase == self.stream.phase:
            return
        practice = phase.get('practice')
        practice = Stream(self.out / f'{practice}.npz', self.a.seed) if practice else None
        self.stream = Stream(self.out / f'{phase["text"]}.npz', self.a.seed, practice, phase)
        self.stream.epoch = phase.get('epoch', 0)               # another order of a text that was read before

    def open_stream(self, texts, practice):
        return Stream(self.out / f'{texts}.npz', self.a.seed, Stream(self.out / f'{practice}.npz', self.a.seed))

    def share_of_parameters(self):
        """Names that this worker updates; the first one has those of AdamW besides."""
        load = [0] * self.a.workers
        owner = {}
        for name, p in sorted(self.named.items(), key=lambda x: -x[1].numel()):
            owner[name] = 0 if not is_matrix(name, p) else load.index(min(load))
            load[owner[name]] += p.numel()
        return [n for n in self.named if owner[n] == self.rank]

    def wait(self):
        self.barrier.wait(timeout=1800)

    def gradient(self):
        if self.a.phases:
            self.open_phase()
        elif self.step == PLAIN_FROM:
            self.stream = self.open_stream('plain', 'drill')
        tokens, weights = self.stream.batch(self.step)
        total = weights[:, 1:].sum() / self.a.workers
        rows = slice(self.rank, None, self.a.workers)
        for g in self.gradients[self.rank].values():
            g.zero_()
        loss = weighted_loss(self.model, tokens[rows], weights[rows], total)
        balance = self.model.balance_loss()
        (loss + BALANCE * balance).backward()
        self.control[1 + self.rank] = loss.item()
        return balance.item()

    def update(self, factor):
        for name in self.owned:
            p = self.named[name]
            for rank, gradients in enumerate(self.gradients):
                if rank != self.rank:
                    p.grad.add_(gradients[name])
            p.grad.div_(self.a.workers)
            if is_matrix(name, p):
                muon_step(p, self.momentum[name], MATRIX_RATE * factor)
        if self.rank == 0:
            torch.nn.utils.clip_grad_norm_(self.adam.param_groups[0]['params'], 1.0)
            self.adam.param_groups[0]['lr'] = OTHER_RATE * factor
            self.adam.step()

    def resume(self, state):
        self.step, self.seconds, self.factors = state['step'], state['seconds'], state['factors']
        if self.a.phases:
            self.open_phase()
        elif self.step > PLAIN_FROM:
            self.stream = self.open_stream('plain', 'drill')
        if not self.a.phases or self.step > self.stream.phase['first']:
            self.stream.epoch, self.stream.position = state['epoch'], state['position']
        if self.rank == 0:
            self.adam.load_state_dict(state['adam'])

    def checkpoint(self):
        save(self.out / f'{self.a.name}.pt', model=self.model.state_dict(), muon=self.momentum,
             adam=self.adam.state_dict(), step=self.step, seconds=self.seconds, epoch=self.stream.epoch,
             position=self.stream.position, factors=self.factors, config=self.model.c.asdict())

    def report(self, **values):
        line = json.dumps({'step': self.step} | values)
        print(line, flush=True)
        with open(self.out / f'{self.a.name}.log', 'a', encoding='utf-8') as log:
            log.write(line + '\n')

    def run(self):
        saved, losses, since, since_step = time.time(), [], time.time(), self.step
        while True:
            began = time.time()
            if self.rank == 0:
                self.control[0] = rate_factor(self.a, self.step)
            self.wait()                                  # weights and learning rate are final
            factor = round(self.control[0].item(), 3)
            if factor <= 0:
                break
            self.factors.append(factor)
            balance = self.gradient()
            self.wait()                                  # gradients are final
            self.update(factor)
            self.step += 1
            self.wait()
            self.seconds += time.time() - began
            if self.rank != 0:
                continue
            losses.append(self.control[1:].mean().item())
            if self.step % 20 == 0:
                rate = (self.step - since_step) * STEP_TOKENS / (time.time() - since)
                self.report(loss=round(float(np.mean(losses)), 4), balance=round(balance, 3), rate=round(factor, 4),
                            tokens_per_second=round(rate), minutes=round(self.seconds / 60, 1))
                losses, since, since_step = [], time.time(), self.step
            if time.time() - saved > 60 * self.a.checkpoint_minutes:
                self.checkpoint()
                self.report(held_out_loss=round(held_out_loss(self.model, self.out / f'{self.a.valid}.npz'), 4))
                saved = time.time()
        if self.rank == 0:
            self.checkpoint()
            (self.out / f'{self.a.name}-schedule.json').write_text(json.dumps(run_lengths(self.factors)) + '\n', encoding='utf-8')
            loss = held_out_loss(self.model, self.out / f'{self.a.valid}.npz', 64)
            self.report(tokens=self.step * STEP_TOKENS, held_out_loss=round(loss, 4),
                        minutes=round(self.seconds / 60, 1), finished=True)


def work(rank, a, shared, state):
    if rank:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)               # PR_SET_PDEATHSIG: end with the first worker
    worker = Worker(rank, a, shared)
    if state:
        worker.resume(state)
    worker.run()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', default='out')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--schedule', help='schedule.json of an earlier run')
    parser.add_argument('--steps', type=int, default=2000)
    parser.add_argument('--decay-steps', type=int, default=600)
    parser.add_argument('--deadline', type=float, help='end at this time, seconds since 1970')
    parser.add_argument('--decay-minutes', type=float, default=35)
    parser.add_argument('--rate', type=float, default=1.0, help='multiplies the learning rates')
    parser.add_argument('--workers', type=int, default=2, help='processes, 1, 2 or 4; 2 to repeat a run exactly')
    parser.add_argument('--checkpoint-minutes', type=float, default=4)
    parser.add_argument('--start', help='a GGUF file whose weights the run begins with')
    parser.add_argument('--phases', help='what is read when: second-phases.json')
    parser.add_argument('--name', default='checkpoint', help='of the files that the run writes')
    parser.add_argument('--valid', default='valid', help='name of the held-out text')
    a = parser.parse_args()
    if a.phases:
        a.phases = json.loads(pathlib.Path(a.phases).read_text(encoding='utf-8'))
    if a.schedule:
        a.schedule = json.loads(pathlib.Path(a.schedule).read_text(encoding='utf-8'))
    return a


def main():
    a = arguments()
    torch.set_num_threads(1)
    model = (from_gguf(a.start).train() if a.start else Model(Config(), a.seed)).share_memory()
    zeros = lambda: {n: torch.zeros_like(p, requires_grad=False).share_memory_() for n, p in model.named_parameters()}
    gradients, momentum = [zeros() for _ in range(a.workers)], zeros()
    state, path = None, pathlib.Path(a.out) / f'{a.name}.pt'
    if path.exists():
        state = torch.load(path, weights_only=True)
        model.load_state_dict(state.pop('model'))
        for name, m in state.pop('muon').items():
            momentum[name].copy_(m)
        print(f'resumed at step {state["step"]}', flush=True)
    context = torch.multiprocessing.get_context('spawn')
    control = torch.zeros(1 + a.workers).share_memory_()             # learning rate factor, losses
    shared = (model, gradients, momentum, context.Barrier(a.workers), control)
    torch.multiprocessing.set_sharing_strategy('file_system')
    for rank in range(1, a.workers):
        context.Process(target=work, args=(rank, a, shared, state), daemon=True).start()
    work(0, a, shared, state)


if __name__ == '__main__':
    main()
