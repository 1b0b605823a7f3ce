#!/usr/bin/env python3
"""Compares the hit rates of `hybrimoe trace stats` with a second implementation of the policies.

    compare_policies.py PROGRAM [--count N] [--seed N]

Written from the definitions of the policies, in the plainest way: sets and lists, nothing shared
between events that could be counted anew. Random small traces: one to four layers, two to ten
experts, prompts of many rows, with and without scores and weights, coarse numbers so that ties
decide, plain and gzip, more activated experts than slots. Every rate must be equal to the digit.
Uses only the standard library.
"""

import argparse
import gzip
import json
import math
import random
import subprocess
import sys
import tempfile
from pathlib import Path

NEVER = math.inf


def distinct(event):
    seen = []
    for row in event["ids"]:
        for expert in row:
            if expert not in seen:
                seen.append(expert)
    return seen


def load(event, expert):
    return sum(row.count(expert) for row in event["ids"])


def rounded_half_away(value):
    return math.floor(value + 0.5)


class Cache:
    """One cache: of a layer, or of all layers. Residents are (layer, expert)."""

    def __init__(self, header, slots, policy, admission, alpha):
        self.header, self.slots = header, slots
        self.policy, self.admission, self.alpha = policy, admission, alpha
        self.resident = set()
        self.clock = 0
        self.recency, self.count, self.scores, self.used_in = {}, {}, {}, {}
        self.last_events = {}
        self.next_use = {}

    def play(self, event, future):
        """Returns the hits of an event; `future` holds all later events of the trace."""
        layer = event["layer"]
        activated = [(layer, expert) for expert in distinct(event)]
        hits = sum(expert in self.resident for expert in activated)
        for expert in activated:
            self.clock += 1
            self.recency[expert] = self.clock
            self.count[expert] = self.count.get(expert, 0) + 1
            self.used_in[expert] = event["step"]
        self.average(event)
        self.last_events.setdefault(layer, []).append(event)
        self.now, self.future = event, future
        if self.policy == "min":
            self.look_ahead(activated)
        loads = {expert: load(event, expert[1]) for expert in activated}
        if self.admission == "forced":
            self.force(activated, loads)
        elif self.policy == "min":
            union = sorted(self.resident | set(activated), key=lambda e: (self.next_use[e], e))
            self.resident = set(union[: self.slots])
        else:
            self.admit_the_worthy(activated, loads)
        return hits

    def look_ahead(self, activated):
        for expert in activated:
            self.next_use[expert] = NEVER
            for place, event in self.future:
                if event["layer"] == expert[0] and any(expert[1] in row for row in event["ids"]):
                    self.next_use[expert] = place
                    break

    def force(self, activated, loads):
        if len(activated) > self.slots:
            first = {expert: place for place, expert in enumerate(activated)}
            if self.policy == "min":
                order = sorted(activated, key=lambda e: (self.next_use[e], first[e]))
            else:
                order = sorted(activated, key=lambda e: (-loads[e], first[e]))
            self.resident = set(order[: self.slots])
            return
        for expert in activated:
            if expert in self.resident:
                continue
            if len(self.resident) >= self.slots:
                self.resident.remove(self.victim(activated))
            self.resident.add(expert)

    def admit_the_worthy(self, activated, loads):
        misses = [expert for expert in activated if expert not in self.resident]
        first = {expert: place for place, expert in enumerate(misses)}
        for expert in sorted(misses, key=lambda e: (-loads[e], first[e])):
            if len(self.resident) >= self.slots:
                victim = self.victim(activated)
                if victim is None or not self.rank(expert) > self.rank(victim):
                    continue
                self.resident.remove(victim)
            self.resident.add(expert)

    def victim(self, activated):
        candidates = [expert for expert in self.resident if expert not in activated]
        if not candidates:
            return None
        if self.policy == "min":
            return min(candidates, key=lambda e: (-self.next_use[e], e))
        return min(candidates, key=lambda e: (self.rank(e), self.recency[e]))

    def rank(self, expert):
        """The lowest goes first."""
        if self.policy == "lru":
            return 0
        if self.policy == "lfu":
            return self.count[expert]
        if self.policy == "lfru":
            return self.count[expert] / (self.clock - self.recency[expert] + 1)
        if self.policy == "mrs":
            return self.scores[expert[0]][expert[1]]
        if self.policy == "workload":
            return sum(load(event, expert[1]) for event in self.last_events[expert[0]][-4:])
        if self.policy == "least-stale":
            layers, layer = self.header["layers"], self.now["layer"]
            distance = (expert[0] - layer - 1) % layers + 1
            return (self.used_in[expert] == self.now["step"], -distance)
        raise ValueError(self.policy)

    def average(self, event):
        experts, top = self.header["experts"], self.header["activated"]
        values = self.scores.setdefault(event["layer"], [0.0] * experts)
        for number, ids in enumerate(event["ids"]):
            if "scores" in event:
                row = event["scores"][number]
            else:
                weights = event["weights"][number] if "weights" in event else [1 / top] * top
                row = [0.0] * experts
                for expert, weight in zip(ids, weights):
                    row[expert] = weight
            best = sorted(range(experts), key=lambda e: (-row[e], e))[: 2 * top]
            for expert in range(experts):
                kept = row[expert] if expert in best else 0.0
                values[expert] = self.alpha * kept + (1 - self.alpha) * values[expert]


def replay(header, events, capacity, scope, policy, admission, alpha):
    """The rows that `trace stats --json` prints for one policy."""
    slots = max(1, rounded_half_away(capacity * header["experts"]))
    if scope == "global":
        slots *= header["layers"]
    caches = {}
    counts = {}
    numbered = list(enumerate(events))
    for place, event in numbered:
        key = event["layer"] if scope == "layer" else 0
        cache = caches.setdefault(key, Cache(header, slots, policy, admission, alpha))
        hits = cache.play(event, numbered[place + 1 :])
        total = counts.setdefault(event["phase"], [0, 0])
        total[0] += len(distinct(event))
        total[1] += hits
    return slots, counts


def make_trace(rng):
    experts = rng.randint(2, 10)
    top = rng.randint(1, min(4, experts))
    header = {
        "format": "hybrimoe-trace", "version": 1, "model": "random", "layers": rng.randint(1, 4),
        "experts": experts, "activated": top, "expertBytes": 1000,
    }  # fmt: skip
    with_scores, with_weights = rng.random() < 0.6, rng.random() < 0.7
    coarse = rng.random() < 0.4
    popularity = [[rng.gauss(0, 1) for _ in range(experts)] for _ in range(header["layers"])]
    events = []
    for step in range(rng.randint(1, 40)):
        is_prefill = step % 17 == 0 and rng.random() < 0.8
        for layer in range(header["layers"]):
            event = {"step": step, "phase": "prefill" if is_prefill else "decode", "layer": layer}
            event.update(ids=[], weights=[], scores=[])
            for _ in range(rng.randint(1, 8) if is_prefill else 1):
                logits = [p + rng.gauss(0, 1) for p in popularity[layer]]
                row = [math.exp(value) for value in logits]
                row = [value / sum(row) for value in row]
                if coarse:
                    row = [round(value * 8) / 8 for value in row]
                ids = sorted(range(experts), key=lambda e: (-row[e], rng.random()))[:top]
                event["ids"].append(ids)
                event["weights"].append([row[e] for e in ids])
                event["scores"].append(row)
            if not with_scores:
                del event["scores"]
            if not with_weights:
                del event["weights"]
            events.append(event)
    return header, events


def write_trace(path, header, events):
    text = "".join(json.dumps(line) + "\n" for line in [header, *events])
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)


def compare(program, folder, seed):
    """Returns the number of rows that were compared; ends the program at a difference."""
    rng = random.Random(seed)
    header, events = make_trace(rng)
    path = folder / ("trace.jsonl.gz" if rng.random() < 0.4 else "trace.jsonl")
    write_trace(path, header, events)
    capacities = sorted({round(rng.uniform(0.05, 1), 2) for _ in range(3)} | {0.25})
    alpha = rng.choice([0.5, 0.5, 0.1, 0.73, 1.0])
    compared = 0
    for scope in ["layer", "global"]:
        policies = ["lru", "lfu", "lfru", "mrs", "workload", "min"]
        policies += ["least-stale"] if scope == "global" else []
        command = [
            program, "trace", "stats", str(path), "--json", "--scope", scope, "--mrs-alpha",
            str(alpha), "--capacities", ",".join(map(str, capacities)), "--eviction",
            ",".join(policies),
        ]  # fmt: skip
        output = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        expected_top = {"model": "random", "layers": header["layers"], "events": len(events)}
        found_top = {key: output[key] for key in expected_top}
        assert found_top == expected_top, (seed, found_top, expected_top)
        found = {
            (row["capacity"], row["policy"], row["admission"], row["phase"]): row
            for row in output["results"]
        }
        for capacity in capacities:
            for policy in policies:
                for admission in ["forced", "bypass"]:
                    if admission == "bypass" and policy in ("lru", "least-stale"):
                        continue
                    slots, counts = replay(
                        header, events, capacity, scope, policy, admission, alpha
                    )
                    for phase, (activated, hits) in counts.items():
                        row = found.pop((capacity, policy, admission, phase))
                        got = (row["slots"], row["activated"], row["hits"], row["hitRate"])
                        if got != (slots, activated, hits, hits / activated):
                            sys.exit(
                                f"seed {seed}, {scope}, {policy}, {admission}, {phase}, capacity "
                                f"{capacity}: {got} instead of {slots}, {activated}, {hits}"
                            )
                        compared += 1
        assert not found, (seed, "rows without a reason", list(found))
    return compared


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    compared = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.seed, arguments.seed + arguments.count):
            compared += compare(arguments.program, Path(folder), seed)
    print(f"{arguments.count} traces, {compared} hit rates are equal")


if __name__ == "__main__":
    main()
