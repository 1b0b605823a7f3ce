#!/usr/bin/env python3
"""Compares `hybrimoe logits` with outputs that llama.cpp computed for the same files.

    compare_reference.py PROGRAM FOLDER [--json-of PREFIX=NAME ...]

For every FOLDER/NAME.gguf with a NAME.json beside it (fields as in Tests/InferenceTests/Fixtures): the same
experts at every position, logits within 2e-4 (F32) or 5e-3 (F16) of their standard deviation, greedy tokens
equal where the reference's margin exceeds 0.02. The activations that meet quantised weights are int8, so that
near-ties of a router may fall the other way: quantised files are held to logits within 0.12 and to greedy
tokens at a margin of 0.1 where all the experts agree, and over all of them the median of our root-mean-square
error divided by llama.cpp's is at most 1.1. `--json-of` names the reference of files that hold the weights of
another one in another layout.
"""
import glob, json, os, statistics, subprocess, sys

def rms(a, b):
    return (sum((x - y) ** 2 for x, y in zip(a, b)) / len(a)) ** 0.5

def main():
    program, folder = sys.argv[1:3]
    stand_ins = dict(v.split('=') for v in sys.argv[4:]) if sys.argv[3:4] == ['--json-of'] else {}
    failures, ratios, worst_of, agreeing = 0, [], {}, 0
    for path in sorted(glob.glob(os.path.join(folder, '*.gguf'))):
        name = os.path.basename(path)[:-5]
        own = os.path.join(folder, name + '.json')
        for prefix, other in stand_ins.items():
            if not os.path.exists(own) and name.startswith(prefix):
                own = other
        reference = json.load(open(own))
        exact = reference['exact']
        run = subprocess.run([program, 'logits', '-m', path, '--tokens', ','.join(map(str, reference['tokens'])),
                              '--greedy', '16', '--json'], capture_output=True, text=True)
        problems = []
        if run.returncode:
            problems.append(run.stderr.strip())
        else:
            found = json.loads(run.stdout)
            kind = 'F32' if '-F32' in name else 'F16' if '-F16' in name else 'quantised'
            worst = max(abs(a - b) for a, b in zip(found['logits'], exact['logits_last'])) / reference['logits_std']
            others = [layer for layer, ids in exact['experts'].items()
                      if layer != 'n_used' and [e for row in found['experts'][layer] for e in row] != ids]
            if kind == 'quantised':
                ratios.append(rms(found['logits'], exact['logits_last'])
                              / rms(reference['llama']['logits_last'], exact['logits_last']))
                agreeing += not others
            else:
                problems += [f'other experts in layer {layer}' for layer in others]
            if kind != 'quantised' or not others:
                worst_of[kind] = max(worst_of.get(kind, 0), worst)
                if worst > {'F32': 2e-4, 'F16': 5e-3, 'quantised': 0.12}[kind]:
                    problems.append(f'logits off by {worst:.2e} of their standard deviation')
                for step, (a, b) in enumerate(zip(found['greedy'], exact['greedy'])):
                    if a != b:
                        if exact['greedy_margin'][step] > (0.1 if kind == 'quantised' else 0.02):
                            problems.append(f'greedy token {step} is {a}, expected {b}')
                        break
        failures += bool(problems)
        for problem in problems:
            print(f'{name}: {problem}')
    for kind, worst in sorted(worst_of.items()):
        print(f'{kind}: worst difference of logits {worst:.1e} of their standard deviation')
    if ratios:
        print(f'quantised: median error / llama.cpp\'s error {statistics.median(ratios):.3f} over {len(ratios)} files; '
              f'the same experts at every position in {agreeing} of them')
        failures += statistics.median(ratios) > 1.1
    print('failed' if failures else 'all agree', f'({failures} failures)')
    sys.exit(1 if failures else 0)

if __name__ == '__main__':
    main()
