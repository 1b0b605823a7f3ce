#!/usr/bin/env python3
"""Runs llama.cpp's side of a comparison: one model, loaded once, measured on request.

    llama_worker.py MODEL --weights repacked|native [--threads N] [--context TOKENS]

Reads requests from standard input, one a line, and answers each with a line of JSON:

    pp128 [threads] [flash]    a prompt of 128 tokens, from an empty context, in batches of 512
    tg64 [threads] [flash]     64 tokens one by one, from an empty context
    quit

flash: on or off. The time is that of `llama_decode` and of waiting for its result; there is no sampling
and no tokenizer, as in llama-bench.
"""
import argparse, ctypes, json, os, random, sys, time

# The library prints on descriptor 1 now and then: answers go to a copy, and 1 is joined to 2.
answers = os.fdopen(os.dup(1), 'w')
os.dup2(2, 1)
import llama_cpp as ll  # noqa: E402


@ll.llama_log_callback
def quiet(level, text, data):
    if level >= 4:
        sys.stderr.buffer.write(text)


class Peer:
    """One model with a context for each kind of attention; the context is made when first used."""

    def __init__(self, path, repacked, context):
        ll.llama_log_set(quiet, None)
        ll.llama_backend_init()
        parameters = ll.llama_model_default_params()
        parameters.n_gpu_layers = 0
        parameters.load_mode = ll.LLAMA_LOAD_MODE_MMAP
        parameters.use_extra_bufts = repacked
        self.model = ll.llama_model_load_from_file(path.encode(), parameters)
        if not self.model:
            sys.exit(f'llama.cpp cannot load {path}')
        self.context_length = context
        self.contexts = {}
        self.vocabulary_size = ll.llama_vocab_n_tokens(ll.llama_model_get_vocab(self.model))

    def context(self, flash):
        if flash not in self.contexts:
            parameters = ll.llama_context_default_params()
            parameters.n_ctx = self.context_length
            parameters.n_batch = parameters.n_ubatch = 512
            parameters.n_seq_max = 1
            parameters.flash_attn_type = (
                ll.LLAMA_FLASH_ATTN_TYPE_ENABLED if flash else ll.LLAMA_FLASH_ATTN_TYPE_DISABLED)
            parameters.no_perf = True
            context = ll.llama_init_from_model(self.model, parameters)
            if not context:
                sys.exit('llama.cpp cannot make a context')
            self.contexts[flash] = context
        return self.contexts[flash]

    def decode(self, context, tokens):
        numbers = (ll.llama_token * len(tokens))(*tokens)  # the batch points at them
        code = ll.llama_decode(context, ll.llama_batch_get_one(numbers, len(tokens)))
        if code != 0:
            sys.exit(f'llama_decode returned {code}')
        ll.llama_synchronize(context)

    def measure(self, test, threads, flash):
        """Seconds of one run."""
        count = int(test[2:])
        context = self.context(flash)
        ll.llama_set_n_threads(context, threads, threads)
        ll.llama_memory_clear(ll.llama_get_memory(context), True)
        generator = random.Random(1)
        tokens = [generator.randrange(self.vocabulary_size) for _ in range(count)]
        step = 1 if test.startswith('tg') else 512
        start = time.perf_counter()
        for first in range(0, count, step):
            self.decode(context, tokens[first:first + step])
        return time.perf_counter() - start


def answer(**values):
    answers.write(json.dumps(values) + '\n')
    answers.flush()


def main():
    parser = argparse.ArgumentParser(
        formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
    parser.add_argument('model')
    parser.add_argument('--weights', choices=['repacked', 'native'], required=True)
    parser.add_argument('--context', type=int, default=1024)
    arguments = parser.parse_args()
    start = time.perf_counter()
    peer = Peer(arguments.model, arguments.weights == 'repacked', arguments.context)
    answer(ready=True, version=ll.__version__, seconds=time.perf_counter() - start,
           system=ll.llama_print_system_info().decode())
    for line in sys.stdin:
        words = line.split()
        if not words or words[0] == 'quit':
            break
        threads = int(words[1]) if len(words) > 1 else 1
        flash = len(words) > 2 and words[2] == 'on'
        seconds = peer.measure(words[0], threads, flash)
        answer(test=words[0], threads=threads, seconds=seconds, tokensPerSecond=int(words[0][2:]) / seconds)


if __name__ == '__main__':
    main()
