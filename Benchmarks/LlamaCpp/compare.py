#!/usr/bin/env python3
"""Measures this engine and llama.cpp turn by turn and prints medians, ratios and ceilings.

    compare.py --folder FOLDER --program PROGRAM [--models lite,qwen3,mixtral,q8,q4] [--threads 1,2]
               [--runs 9] [--quick] [--decode 64] [--prefill 32,128,512] [--quiet-seconds 60] [--json FILE]

Both engines are processes that load the model once and run a test on request: one run of ours, one of
llama.cpp's, one of ours, … so that whatever else the machine does meets both alike. llama.cpp has four
variants, repacked or native weights with or without its flash attention; a trial finds the best for every
test, or two that are close, and these are measured in full: the ratio is that of our median to the best of
llama.cpp's medians. Ceilings (reading memory, int8 and F32 arithmetic, all threads) are measured in every
round by our program.
"""
import argparse, importlib.metadata, json, os, statistics, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
MAKER = os.path.join(HERE, '..', '..', 'Tools', 'golden', 'models', 'make_models.py')

# Name, preset and arguments of the maker, and the least ratios that are aimed at: decode, and prefill of
# 32 tokens and of more.
MODELS = {
    'lite': ('DeepSeek-V2-Lite, Q4_K_M', ['deepseek2-lite', '--quant', 'Q4_K_M'], (1.7, 3, 4)),
    'qwen3': ('Qwen3-30B-A3B with 12 of 48 layers, Q4_K_M',
              ['qwen3moe-30b-a3b', '--quant', 'Q4_K_M', '--layers', '12'], (1.4, 2.5, 2.5)),
    'mixtral': ('Mixtral-8x7B with 4 of 32 layers, Q4_K_M',
                ['mixtral-8x7b', '--quant', 'Q4_K_M', '--layers', '4'], (1.4, 2.5, 2.5)),
    'q8': ('DeepSeek-V2-Lite with 6 of 27 layers, Q8_0',
           ['deepseek2-lite', '--quant', 'Q8_0', '--layers', '6'], (1.4, 2.5, 2.5)),
    'q4': ('DeepSeek-V2-Lite with 8 of 27 layers, Q4_0',
           ['deepseek2-lite', '--quant', 'Q4_0', '--layers', '8'], (1.4, 2.5, 2.5)),
}
# Seconds between runs, so that threads that still spin after one do not slow the next.
PAUSE = 0.03
VARIANTS = [(weights, flash) for weights in ('repacked', 'native') for flash in ('on', 'off')]


def model_file(folder, name):
    """The path of a model's file; made if it is not there."""
    path = os.path.join(folder, name + '.gguf')
    if not os.path.exists(path):
        print(f'making {path}', file=sys.stderr)
        part = path + '.part'
        subprocess.run([sys.executable, MAKER, *MODELS[name][1], '-o', part], check=True, stdout=sys.stderr)
        os.rename(part, path)
    return path


def processor_times():
    """Time of all processors by kind, in ticks; nothing where the system does not say."""
    try:
        with open('/proc/stat') as file:
            return [int(word) for word in file.readline().split()[1:9]]
    except OSError:
        return []


def wait_for_quiet(longest):
    """Waits until other programs leave the processors alone for two seconds, at most `longest` seconds.

    Returns the share of the processors' time that was used at the end, in percent.
    """
    end = time.monotonic() + longest
    while True:
        before = processor_times()
        time.sleep(2)
        change = [b - a for a, b in zip(before, processor_times())]
        busy = 100 * (1 - (change[3] + change[4]) / max(1, sum(change))) if change else 0
        if busy < 4 or time.monotonic() >= end:
            return busy


class Engine:
    """A process that answers a line with a line of JSON."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.ready = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f'{self.process.args[0]} ended: {self.process.stderr.read().strip()[-2000:]}')
        return json.loads(line)

    def ask(self, request):
        self.process.stdin.write(request + '\n')
        self.process.stdin.flush()
        return self.answer()

    def speed(self, request):
        return self.ask(request)['tokensPerSecond']

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Comparison:
    """The measurements of one model."""

    def __init__(self, name, path, tests, arguments):
        self.name, self.path, self.tests, self.arguments = name, path, tests, arguments
        self.runs = {}  # by test, threads, weights and flash attention: pairs of our speed and theirs
        self.ceilings, self.work, self.busy, self.ready = {}, {}, [], None

    def llama(self, weights):
        return Engine([sys.executable, os.path.join(HERE, 'llama_worker.py'), self.path,
                       '--weights', weights])

    def trial(self):
        """Tries llama.cpp's every variant; gives the best for each test, or two where they are close."""
        found = {}
        for weights in ('repacked', 'native'):
            engine = self.llama(weights)
            for test, threads in self.tests:
                for flash in ('on', 'off'):
                    answers = [engine.ask(f'{test} {threads} {flash}')]
                    # A long run needs no second one to be told from its like.
                    while len(answers) < 3 and sum(a['seconds'] for a in answers) < 4:
                        answers.append(engine.ask(f'{test} {threads} {flash}'))
                    found[(test, threads, weights, flash)] = max(a['tokensPerSecond'] for a in answers)
            engine.close()
        best = {}
        for test, threads in self.tests:
            order = sorted(VARIANTS, key=lambda v: -found[(test, threads, *v)])
            top = found[(test, threads, *order[0])]
            best[(test, threads)] = [v for v in order[:2] if found[(test, threads, *v)] >= 0.97 * top]
        return best

    def run(self):
        best = self.trial()
        us = Engine([self.arguments.program, 'bench', '--serve', '-m', self.path, '--context', '1024'])
        self.ready = us.ready
        for test, threads in self.tests:  # loads the weights and warms up
            self.work[test] = us.ask(f'{test} {threads}')
        for weights in ('repacked', 'native'):
            wanted = {key: [f for w, f in variants if w == weights] for key, variants in best.items()}
            if not any(wanted.values()):
                continue
            them = self.llama(weights)
            for test, threads in self.tests:
                for flash in wanted[(test, threads)]:
                    them.speed(f'{test} {threads} {flash}')
            self.busy.append(wait_for_quiet(self.arguments.quiet_seconds))
            for _ in range(self.arguments.runs):
                self.round(us, them, weights, wanted)
            them.close()
        us.close()

    def round(self, us, them, weights, wanted):
        """One run of every test on both engines, in turn."""
        for threads in sorted({threads for _, threads in self.tests}):
            self.ceilings.setdefault(threads, []).append(us.ask(f'ceilings {threads}')['ceilings'])
        for test, threads in self.tests:
            for flash in wanted[(test, threads)]:
                ours = us.speed(f'{test} {threads}')
                time.sleep(PAUSE)
                theirs = them.speed(f'{test} {threads} {flash}')
                time.sleep(PAUSE)
                self.runs.setdefault((test, threads, weights, flash), []).append((ours, theirs))

    def median_ceilings(self, threads):
        """The median of all rounds, each ceiling for itself."""
        rounds = self.ceilings[threads]
        return {name: statistics.median(one[name] for one in rounds) if rounds[0][name] is not None else None
                for name in rounds[0]}

    def rows(self):
        """For every test: our median and theirs beside it, for the variant of theirs that is best."""
        for test, threads in self.tests:
            found = {key: runs for key, runs in self.runs.items() if key[:2] == (test, threads)}
            best = max(found, key=lambda key: statistics.median(theirs for _, theirs in found[key]))
            yield test, threads, *zip(*found[best]), best[2:]


def report(comparison):
    """Prints one model's table; returns it as values."""
    title, _, (decode, short, long) = MODELS[comparison.name]
    print(f'\n{title} ({os.path.getsize(comparison.path) / 1e9:.1f} GB)')
    print(f"{'test':6} {'threads':>7} {'ours':>9} {'llama.cpp':>10} {'ratio':>6} {'aim':>5}  "
          f"{'GB/s':>6} {'of reads':>8} {'GOPS':>6} {'of int8':>7}  llama.cpp's best of its variants")
    values = []
    for test, threads, our_runs, their_runs, (weights, flash) in comparison.rows():
        ours, theirs, runs = statistics.median(our_runs), statistics.median(their_runs), len(our_runs)
        ceilings = comparison.median_ceilings(threads)
        work, runs_a_second = comparison.work[test], ours / int(test[2:])
        read = runs_a_second * work['bytesRead'] / 1e9 if test.startswith('tg') else None
        gops = runs_a_second * work['operations'] / 1e9
        peak = ceilings['int8GigaoperationsPerSecond'] or ceilings['floatGigaoperationsPerSecond']
        aim = decode if test.startswith('tg') else short if int(test[2:]) <= 32 else long
        shown = f'{read:6.1f} {100 * read / ceilings["gigabytesPerSecond"]:6.1f} %' if read else ' ' * 15
        print(f'{test:6} {threads:7} {ours:9.2f} {theirs:10.2f} {ours / theirs:6.2f} {aim:5.1f}  '
              f'{shown} {gops:6.0f} {100 * gops / peak:5.1f} %  {weights}, flash attention {flash}; '
              f'{runs} runs, ours {min(our_runs):.1f} to {max(our_runs):.1f}, '
              f'llama.cpp {min(their_runs):.1f} to {max(their_runs):.1f}')
        values.append(dict(test=test, threads=threads, tokensPerSecond=ours, llamaCpp=theirs,
                           ratio=ours / theirs, aim=aim, weights=weights, flash=flash, runs=runs))
    for threads in sorted(comparison.ceilings):
        ceilings = comparison.median_ceilings(threads)
        int8 = ceilings['int8GigaoperationsPerSecond']
        print(f"ceilings (medians), {threads} thread{'s' if threads > 1 else ''}: reads "
              f"{ceilings['gigabytesPerSecond']:.1f} GB/s, int8 "
              f"{f'{int8:.0f} GOPS' if int8 else 'none'}, F32 "
              f"{ceilings['floatGigaoperationsPerSecond']:.0f} GOPS")
    busy = max(comparison.busy)
    if busy >= 4:
        print(f'note: the machine was not quiet, {busy:.0f} % busy before the runs')
    return dict(model=comparison.name, title=title, tests=values, ceilings=comparison.ceilings,
                busyPercent=busy)


def options():
    parser = argparse.ArgumentParser(
        formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
    numbers = lambda text: [int(word) for word in text.split(',')]
    parser.add_argument('--folder', required=True, help='where models are made and kept')
    parser.add_argument('--program', required=True, help='the hybrimoe program')
    parser.add_argument('--models', default=','.join(MODELS), help='names, comma-separated')
    parser.add_argument('--threads', type=numbers, default=[1, 2])
    parser.add_argument('--runs', type=int, help='of each test on each engine (default: 9, quick: 3)')
    parser.add_argument('--decode', type=int, default=64)
    parser.add_argument('--prefill', type=numbers, default=[32, 128, 512])
    parser.add_argument('--quick', action='store_true',
                        help='3 runs, 16 tokens of decode, prefill of 32 and 128')
    parser.add_argument('--quiet-seconds', type=float, default=60,
                        help='how long to wait for a quiet machine at most')
    parser.add_argument('--json', help='writes the results to this file too')
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.decode, arguments.prefill = 16, [32, 128]
    if arguments.runs is None:
        arguments.runs = 3 if arguments.quick else 9
    arguments.models = arguments.models.split(',')
    unknown = [name for name in arguments.models if name not in MODELS]
    if unknown:
        parser.error(f"there is no model {', '.join(unknown)}; known are {', '.join(MODELS)}")
    if arguments.runs < 1:
        parser.error('--runs must be at least 1')
    return arguments


def main():
    arguments = options()
    tests = [(test, threads) for threads in arguments.threads
             for test in [f'pp{n}' for n in arguments.prefill] + [f'tg{arguments.decode}']]
    results = []
    for name in arguments.models:
        path = model_file(arguments.folder, name)
        comparison = Comparison(name, path, tests, arguments)
        comparison.run()
        if not results:
            print(f"{comparison.ready['processor']}, {comparison.ready['version']}, llama-cpp-python "
                  f'{importlib.metadata.version("llama-cpp-python")}; medians of {arguments.runs} runs in '
                  'turn, tokens a second')
        results.append(report(comparison))
        if arguments.json:
            with open(arguments.json, 'w') as file:
                json.dump(results, file, indent=1)


if __name__ == '__main__':
    main()
