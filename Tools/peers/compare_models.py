#!/usr/bin/env python3
"""Compares `hybrimoe logits` with a plain float64 implementation of every architecture.

    compare_models.py PROGRAM [--full]

Makes small models with random weights (Tools/golden/models/make_models.py) in many element types and
layouts, runs prompts of lengths around the chunk of 128, the sliding window and YaRN's original context,
and compares logits, chosen experts and the greedily chosen next token. Where two experts' scores or
two logits are so close that rounding decides, the reference's gap is checked instead.

Where weights are quantised the reference quantises activations as the engine does. An activation between
two int8 then falls to either side by a rounding of F32, and later layers carry that on: such files may differ
by 0.1 of the logits' standard deviation, but half of them by no more than 2e-4, the limit of all others.
"""
import json, os, statistics, subprocess, sys, tempfile
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = os.path.join(HERE, '..', 'golden', 'models')
sys.path.insert(0, MODELS)
import reference  # noqa: E402

NANO = ['deepseek2-nano', 'deepseek2-groups-nano', 'deepseek3-nano', 'qwen2moe-nano', 'qwen3moe-nano',
        'mixtral-nano', 'gpt-oss-nano']
MINI = ['deepseek2-mini', 'qwen2moe-mini', 'qwen3moe-mini', 'mixtral-mini', 'gpt-oss-mini']
LENGTHS = [1, 2, 127, 128, 129, 300]

def cases(full):
    """(preset, element type, seed, extra arguments of the maker, prompt lengths)"""
    for i, preset in enumerate(NANO):
        yield preset, 'F32', 3, [], LENGTHS
        for j, quant in enumerate(['F16', 'BF16', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'MXFP4']):
            if full or (i + j) % 4 == 0:
                yield preset, quant, 5, [], [40]
    for i, preset in enumerate(MINI):
        for j, quant in enumerate(['Q4_K', 'Q5_K', 'Q6_K', 'Q4_K_M']):
            if full or (i + j) % 2 == 0:
                yield preset, quant, 7, [], [33]
    yield 'deepseek2-nano', 'F32', 3, ['--legacy-mla'], [1, 130]
    yield 'deepseek2-nano', 'Q8_0', 3, ['--legacy-mla'], [40]
    yield 'deepseek3-nano', 'Q4_0', 9, ['--legacy-mla'], [40]
    yield 'deepseek2-nano', 'F32', 4, [], [700]  # far beyond the original context of 64
    yield 'gpt-oss-nano', 'F32', 4, [], [500]    # beyond the original context of 128

def compare(program, path, tokens, is_quantized):
    """Worst difference of logits over their standard deviation; raises where experts differ."""
    run = subprocess.run(
        [program, 'logits', '-m', path, '--tokens', ','.join(map(str, tokens)), '--greedy', '1', '--json'],
        capture_output=True, text=True)
    if run.returncode != 0:
        raise AssertionError(f'exit {run.returncode}: {run.stderr.strip()}')
    found = json.loads(run.stdout)
    model = reference.Model(path, int8=True)
    logits = model.forward(tokens)[-1]
    for layer, ids in model.ids.items():
        own = np.array(found['experts'][str(layer)]).reshape(ids.shape)
        for row in np.nonzero((own != ids).any(-1))[0]:
            gap = model.gaps[layer][row]
            if gap > (1e-3 if is_quantized else 1e-5):
                raise AssertionError(f'layer {layer}, token {row}: {own[row]} chosen, expected {ids[row]} (gap {gap:.1e})')
    worst = np.abs(np.array(found['logits']) - logits).max() / logits.std()
    best = int(logits.argmax())
    if found['greedy'][0] != best and logits[best] - logits[found['greedy'][0]] > (0.1 if is_quantized else 1e-4):
        raise AssertionError(f"greedy token {found['greedy'][0]}, expected {best}")
    return worst

def main():
    program, full = os.path.abspath(sys.argv[1]), '--full' in sys.argv
    failures, count, largest, quantized = 0, 0, 0.0, []
    with tempfile.TemporaryDirectory() as folder:
        for preset, quant, seed, extra, lengths in cases(full):
            path = os.path.join(folder, 'model.gguf')
            subprocess.run([sys.executable, os.path.join(MODELS, 'make_models.py'), preset, '--quant', quant,
                            '--seed', str(seed), '-o', path] + extra, check=True, stdout=subprocess.DEVNULL)
            for length in lengths:
                rng = np.random.default_rng([seed, length])
                tokens = rng.integers(0, 500, length).tolist()
                count += 1
                try:
                    is_quantized = quant not in ('F32', 'F16', 'BF16')
                    worst = compare(program, path, tokens, is_quantized)
                    if is_quantized:
                        quantized.append(worst)
                    else:
                        largest = max(largest, worst)
                    if worst > (0.1 if is_quantized else 2e-4):
                        raise AssertionError(f'logits differ by {worst:.1e} of their standard deviation')
                except AssertionError as error:
                    failures += 1
                    print(f'{preset} {quant} {" ".join(extra)} {length} tokens: {error}')
    middle = statistics.median(quantized)
    failures += middle > 2e-4
    print(f'{count} comparisons, {failures} failed; differences of logits, in their standard deviation: '
          f'floats at most {largest:.1e}, quantised {middle:.1e} in the middle, at most {max(quantized):.1e}')
    sys.exit(1 if failures else 0)

if __name__ == '__main__':
    main()
