#!/usr/bin/env python3
"""Trains the tokenizer on the generated text and writes the token streams for training.

    tokenizer.py --out out

Byte-level BPE with the splitter that GGUF files call `qwen2`: digits stand alone, so sums can be learned.
Writes tokenizer.json, and per part NAME.npz with `tokens` (uint16), `weights` (loss weight in percent) and
`starts` (where each text begins).
"""
import argparse
import json
import pathlib

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

VOCABULARY = 2048
END_OF_TEXT, START, END = '<|endoftext|>', '<|im_start|>', '<|im_end|>'
SPECIAL = [END_OF_TEXT, START, END]
QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
         r"|\s*[\r\n]+|\s+(?!\S)|\s+")
# What the assistant says and plain text count fully; what the user says is hardly predictable.
ANSWER, QUESTION = 100, 15


def chat_pieces(messages):
    """(text, loss weight) pieces of a conversation in ChatML, as the chat template renders it."""
    for role, text in messages:
        if role == 'assistant':
            yield f'{START}assistant\n', QUESTION
            yield f'{text}{END}', ANSWER
            yield '\n', QUESTION
        else:
            yield f'{START}{role}\n{text}{END}\n', QUESTION


def pieces(entry):
    if 'text' in entry:
        return [(entry['text'] + END_OF_TEXT, ANSWER)]
    return chat_pieces(entry['messages'])


def read(path):
    with open(path, encoding='utf-8') as file:
        return [json.loads(line) for line in file]


def train(entries):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(QWEN2), 'isolated'),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY - len(SPECIAL), min_frequency=2, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    texts = (t for e in entries for t in ([e['text']] if 'text' in e else [m[1] for m in e['messages']]))
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL])
    return tokenizer


def encode(tokenizer, entries, path):
    flat, weights, lengths = [], [], []
    texts = [list(pieces(e)) for e in entries]
    encoded = iter(tokenizer.encode_batch([p for t in texts for p, _ in t], add_special_tokens=False))
    for text in texts:
        length = 0
        for _, weight in text:
            ids = next(encoded).ids
            flat.extend(ids)
            weights.extend([weight] * len(ids))
            length += len(ids)
        lengths.append(length)
    np.savez(path, tokens=np.array(flat, np.uint16), weights=np.array(weights, np.uint8),
             starts=np.concatenate(([0], np.cumsum(lengths))).astype(np.int64))
    print(f'{path.name}: {len(flat)} tokens in {len(texts)} texts')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', default='out')
    parser.add_argument('--encode', nargs='+', help='only these parts, with the tokenizer that is there')
    a = parser.parse_args()
    out = pathlib.Path(a.out)
    if a.encode:
        tokenizer = Tokenizer.from_file(str(out / 'tokenizer.json'))
        for part in a.encode:
            encode(tokenizer, read(out / f'{part}.jsonl'), out / f'{part}.npz')
        return
    entries = {part: read(out / f'{part}.jsonl') for part in ('train', 'plain', 'valid', 'practice', 'drill')}
    tokenizer = train(entries['train'])
    tokenizer.save(str(out / 'tokenizer.json'))
    print(f'vocabulary: {tokenizer.get_vocab_size()} tokens')
    for part, list_ in entries.items():
        encode(tokenizer, list_, out / f'{part}.npz')


if __name__ == '__main__':
    main()
