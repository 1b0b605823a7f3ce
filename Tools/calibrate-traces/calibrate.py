#!/usr/bin/env python3
"""Finds the persistence with which made-up routing gives LRU's published hit rates, and reports
what the other rules then get. See README.md beside this file."""

import argparse
import concurrent.futures
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

# HybriMoE, arXiv 2504.05897: hit rates of LRU and MRS with 25 % of each layer's experts cached.
PUBLISHED = {
    "mixtral-8x7b": {"lru": 0.302, "mrs": 0.362},
    "deepseek-v2-lite": {"lru": 0.477, "mrs": 0.527},
    "qwen2-57b-a14b": {"lru": 0.450, "mrs": 0.528},
}
# What `trace synth` makes without further options: 4 sequences of 128 + 256 tokens.
CALIBRATION_SEEDS = range(1, 17)
# Other seeds than those of the calibration, so that the report is no echo of it.
REPORT_SEEDS = range(101, 117)


def statistics(program, shape, routing, seed, extra_synth=(), extra_stats=()):
    """Hit rates in decode by (capacity, rule, admission)."""
    synth = subprocess.Popen(
        [program, "trace", "synth", "--shape", shape, "--routing", str(routing),
         "--seed", str(seed), "--no-predictions", *extra_synth], stdout=subprocess.PIPE)
    stats = subprocess.run(
        [program, "trace", "stats", "-", "--json", *extra_stats], stdin=synth.stdout,
        stdout=subprocess.PIPE, check=True)
    if synth.wait() != 0:
        sys.exit(f"trace synth failed for {shape}")
    return {(line["capacity"], line["policy"], line["admission"]): line["hitRate"]
            for line in json.loads(stats.stdout)["results"] if line["phase"] == "decode"}


def mean(pool, tasks):
    """The mean of several dictionaries with the same keys."""
    results = list(pool.map(lambda task: statistics(*task), tasks))
    return {key: sum(result[key] for result in results) / len(results) for key in results[0]}


def calibrate(pool, program, shape, routing, folder):
    target = PUBLISHED[shape]["lru"]
    trial = folder / f"{shape}.json"
    low, high = 0.0, 1.0
    for _ in range(10):
        middle = (low + high) / 2
        routing["persistence"]["value"] = middle
        trial.write_text(json.dumps(routing))
        rate = mean(pool, [
            (program, shape, trial, seed, ["--no-scores"],
             ["--capacities", "0.25", "--eviction", "lru", "--admission", "forced"])
            for seed in CALIBRATION_SEEDS])[0.25, "lru", "forced"]
        low, high = (low, middle) if rate > target else (middle, high)
    return round((low + high) / 2, 3)


def report(pool, program, shape, file, alphas):
    def row(name, rate):
        print(f"  {name:<34}{100 * rate:6.1f} %")

    tasks = [(program, shape, file, seed, [],
              ["--capacities", "0.25,0.5,0.75", "--eviction", "lru,lfu,lfru,mrs,min"])
             for seed in REPORT_SEEDS]
    rates = mean(pool, tasks)
    published = PUBLISHED[shape]
    print(f"\n{shape}, {len(REPORT_SEEDS)} seeds that were not used for the calibration")
    row("LRU 25 %, published", published["lru"])
    row("LRU 25 %, forced", rates[0.25, "lru", "forced"])
    row("MRS 25 %, published", published["mrs"])
    for admission in ["forced", "bypass"]:
        for alpha in alphas:
            rate = rates[0.25, "mrs", admission] if alpha == 0.5 else mean(pool, [
                (program, shape, file, seed, [],
                 ["--capacities", "0.25", "--eviction", "mrs", "--admission", admission,
                  "--mrs-alpha", str(alpha)])
                for seed in REPORT_SEEDS])[0.25, "mrs", admission]
            row(f"MRS 25 %, {admission}, alpha {alpha}", rate)
    for rule in ["lfu", "lfru", "min"]:
        for admission in ["forced", "bypass"]:
            row(f"{rule.upper()} 25 %, {admission}", rates[0.25, rule, admission])
    for capacity in [0.5, 0.75]:
        for rule in ["lru", "mrs", "min"]:
            row(f"{rule.upper()} {capacity:.0%}, forced", rates[capacity, rule, "forced"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default=str(ROOT / ".build/release/hybrimoe"))
    parser.add_argument("--report-only", action="store_true",
                        help="leave Profiles/routing as it is and report")
    parser.add_argument("--alphas", default="0.5,0.2,0.1,0.05")
    options = parser.parse_args()
    alphas = [float(alpha) for alpha in options.alphas.split(",")]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for shape in PUBLISHED:
            file = ROOT / "Profiles/routing" / f"{shape}.json"
            if not options.report_only:
                text = file.read_text()
                routing = json.loads(text)
                before = json.dumps(routing["persistence"]["value"])
                with tempfile.TemporaryDirectory() as folder:
                    value = calibrate(
                        pool, options.program, shape, routing, pathlib.Path(folder))
                # Only the number changes, so that the file keeps its lines.
                mark = '"persistence": {"value": '
                file.write_text(text.replace(mark + before, mark + json.dumps(value)))
                print(f"{shape}: persistence {before} -> {value}")
            report(pool, options.program, shape, file, alphas)


if __name__ == "__main__":
    main()
