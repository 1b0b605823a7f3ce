#!/usr/bin/env python3
"""Compares `hybrimoe schedule` with the optimum of small random layers, by trying every assignment.

    compare_schedule.py PROGRAM [--count N] [--seed N]

Ours must reach the optimum and say so as its lower bound; every other scheduler must name the same
lower bound, end no earlier than it, and compute each expert once.
"""

import argparse
import itertools
import json
import random
import subprocess
import sys

OTHERS = [
    "hybrimoe-paper", "ktransformers", "llamacpp", "adapmoe", "dali", "freetoken", "all-cpu", "all-gpu",
]
TOLERANCE = 1e-6


def optimum(case):
    """The smallest makespan: every assignment, copies with the longest GPU time first."""
    costs = case["costs"]
    loads, arriving = case["loads"], case.get("arriving", {})
    resident = set(case["resident"])
    alone = costs.get("linkPerExpertAlone", costs["linkPerExpert"])
    link_start = max([case.get("linkFree", 0), *arriving.values()])

    def cpu(name):
        return costs["cpuPerExpert"] + costs["cpuPerToken"] * loads[name]

    def gpu(name):
        return costs["gpuPerExpert"] + costs["gpuPerToken"] * max(0, loads[name] - costs["gpuKnee"])

    def end(on_cpu, on_gpu):
        copy = costs["linkPerExpert"] if on_cpu else alone
        cpu_end = 0
        if on_cpu:
            cpu_end = case.get("cpuFree", 0) + costs["cpuFirst"] + sum(map(cpu, on_cpu))
        clock = case.get("gpuFree", 0) + costs["sharedOnGPU"]
        gpu_end = clock if costs["sharedOnGPU"] > 0 else 0
        residents = [name for name in on_gpu if name in resident]
        if residents:
            clock += costs["gpuPerLaunch"] + sum(map(gpu, residents))
            gpu_end = clock
        copied = [name for name in on_gpu if name not in resident and name not in arriving]
        copied.sort(key=gpu, reverse=True)
        incoming = [(arriving[name], name) for name in on_gpu if name in arriving]
        incoming += [(link_start + (turn + 1) * copy, name) for turn, name in enumerate(copied)]
        for ready, name in sorted(incoming):
            clock = max(clock, ready) + costs["gpuPerLaunch"] + gpu(name)
            gpu_end = clock
        return costs["handshake"] + max(cpu_end, gpu_end)

    names = list(loads)
    return min(
        end([n for n, g in zip(names, choice) if not g], [n for n, g in zip(names, choice) if g])
        for choice in itertools.product([False, True], repeat=len(names)))


def random_case(dice):
    def time(low, high):
        return round(dice.uniform(low, high), 2)

    names = [f"expert {number}" for number in range(dice.randint(0, 9))]
    is_decode = dice.random() < 0.4
    case = {
        "loads": {name: 1 if is_decode else dice.randint(1, 40) for name in names},
        "costs": {
            "cpuFirst": time(0, 20), "cpuPerExpert": time(0, 20), "cpuPerToken": time(0.1, 8),
            "gpuPerLaunch": time(0, 4), "gpuPerExpert": time(0.5, 10), "gpuPerToken": time(0, 1.5),
            "gpuKnee": dice.randint(0, 10), "linkPerExpert": time(5, 40),
            "sharedOnGPU": dice.choice([0, time(1, 20)]), "handshake": time(0, 5),
        },
    }
    if dice.random() < 0.5:
        case["costs"]["linkPerExpertAlone"] = round(case["costs"]["linkPerExpert"] * 0.7, 2)
    dice.shuffle(names)
    residents = dice.randint(0, len(names))
    case["resident"] = names[:residents]
    arriving = names[residents:residents + dice.randint(0, 2)]
    if arriving:
        case["arriving"] = {name: time(0, 40) for name in arriving}
    for lane in ["cpuFree", "gpuFree", "linkFree"]:
        if dice.random() < 0.5:
            case[lane] = time(0, 30)
    return case


def answer(program, case, scheduler):
    text = json.dumps(case | {"scheduler": scheduler})
    run = subprocess.run([program, "schedule"], input=text, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"schedule failed for {text}: {run.stderr}")
    return json.loads(run.stdout)


def problems(case, scheduler, best, plan):
    computed = sorted(
        operation["expert"] for operation in plan["operations"]
        if operation["lane"] != "link" and operation["expert"] != "shared")
    if computed != sorted(case["loads"]):
        yield f"computes {computed}"
    if abs(plan["lowerBound"] - best) > TOLERANCE:
        yield f"has the lower bound {plan['lowerBound']}, but the optimum is {best}"
    if plan["makespan"] < best - TOLERANCE:
        yield f"ends at {plan['makespan']}, before the optimum {best}"
    if scheduler == "hybrimoe" and plan["makespan"] > best + TOLERANCE:
        yield f"ends at {plan['makespan']}, but the optimum is {best}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    failures = 0
    for number in range(arguments.count):
        case = random_case(random.Random(f"{arguments.seed} {number}"))
        best = optimum(case)
        for scheduler in ["hybrimoe", OTHERS[number % len(OTHERS)]]:
            plan = answer(arguments.program, case, scheduler)
            for problem in problems(case, scheduler, best, plan):
                failures += 1
                print(f"case {number}, {scheduler} {problem}: {json.dumps(case)}", file=sys.stderr)
    print(f"{arguments.count} layers, {failures} problems")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
