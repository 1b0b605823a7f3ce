#!/usr/bin/env python3
"""Writes a checkpoint as a GGUF file of architecture `deepseek2`, matrices in Q8_0.

    convert.py --out out --to hybrimoe-demo.gguf

Keys and tensor names are those that llama.cpp reads for DeepSeek-V2 with split `attn_k_b` and `attn_v_b`.
One-dimensional tensors and the router stay F32. The same checkpoint gives the same bytes.
"""
import argparse
import json
import pathlib

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type

from model import Config
from tokenizer import END, END_OF_TEXT, SPECIAL

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
DESCRIPTION = ('A very small Mixture-of-Experts model for trying hybrimoe: little stories, sums of two small numbers '
               'and questions about the program. Trained from nothing on generated text.')


def tensors(state, c):
    """(GGUF name, F32 array with the outermost dimension first) of every tensor, in file order."""
    def get(name):
        return state[name].float().contiguous().numpy()

    yield 'token_embd.weight', get('embedding.weight')
    for i in range(c.layers):
        source, to = f'layers.{i}.', f'blk.{i}.'
        yield to + 'attn_norm.weight', get(source + 'attention_norm.weight')
        yield to + 'attn_q.weight', get(source + 'attention.query.weight')
        yield to + 'attn_kv_a_mqa.weight', get(source + 'attention.compress.weight')
        yield to + 'attn_kv_a_norm.weight', get(source + 'attention.latent_norm.weight')
        key = get(source + 'attention.key_up.weight').reshape(c.heads, c.nope, c.latent)
        yield to + 'attn_k_b.weight', key.transpose(0, 2, 1)        # stored ready for absorption into the query
        yield to + 'attn_v_b.weight', get(source + 'attention.value_up.weight').reshape(c.heads, c.value, c.latent)
        yield to + 'attn_output.weight', get(source + 'attention.output.weight')
        yield to + 'ffn_norm.weight', get(source + 'feed_norm.weight')
        if i < c.dense_layers:
            gate, up = get(source + 'feed.gate_up')
            yield to + 'ffn_gate.weight', gate
            yield to + 'ffn_up.weight', up
            yield to + 'ffn_down.weight', get(source + 'feed.down')
            continue
        yield to + 'ffn_gate_inp.weight', get(source + 'feed.router')
        experts = get(source + 'feed.gate_up')
        yield to + 'ffn_gate_exps.weight', experts[:, 0]
        yield to + 'ffn_up_exps.weight', experts[:, 1]
        yield to + 'ffn_down_exps.weight', get(source + 'feed.down')
        gate, up = get(source + 'feed.shared.gate_up')
        yield to + 'ffn_gate_shexp.weight', gate
        yield to + 'ffn_up_shexp.weight', up
        yield to + 'ffn_down_shexp.weight', get(source + 'feed.shared.down')
    yield 'output_norm.weight', get('norm.weight')
    yield 'output.weight', get('output.weight')


def element_type(name, array, matrix_type):
    return Type.F32 if array.ndim == 1 or name.endswith('ffn_gate_inp.weight') else matrix_type


def add_metadata(writer, c, matrix_type):
    writer.add_type('model')
    writer.add_name('HybriMoE demo')
    writer.add_description(DESCRIPTION)
    writer.add_license('apache-2.0')
    writer.add_languages(['en'])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if matrix_type == Type.Q8_0 else gguf.LlamaFileType.ALL_F32)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_block_count(c.layers)
    writer.add_context_length(c.context)
    writer.add_embedding_length(c.hidden)
    writer.add_feed_forward_length(c.dense_width)
    writer.add_head_count(c.heads)
    writer.add_head_count_kv(1)
    writer.add_rope_freq_base(c.rope_base)
    writer.add_rope_dimension_count(c.rope)
    writer.add_layer_norm_rms_eps(c.epsilon)
    writer.add_vocab_size(c.vocabulary)
    writer.add_q_lora_rank(0)                                # no low-rank query projection
    writer.add_kv_lora_rank(c.latent)
    writer.add_key_length(c.latent + c.rope)
    writer.add_value_length(c.latent)
    writer.add_key_length_mla(c.nope + c.rope)
    writer.add_value_length_mla(c.value)
    writer.add_leading_dense_block_count(c.dense_layers)
    writer.add_expert_count(c.experts)
    writer.add_expert_used_count(c.active)
    writer.add_expert_shared_count(1)
    writer.add_expert_feed_forward_length(c.expert_width)
    writer.add_expert_weights_scale(1.0)
    writer.add_expert_weights_norm(True)
    writer.add_expert_gating_func(gguf.ExpertGatingFuncType.SOFTMAX)


def add_tokenizer(writer, path, vocabulary):
    model = json.loads(path.read_text(encoding='utf-8'))
    ids = dict(model['model']['vocab']) | {t['content']: t['id'] for t in model['added_tokens']}
    tokens = sorted(ids, key=ids.get)
    if [ids[t] for t in tokens] != list(range(vocabulary)):
        raise SystemExit(f'{path}: expected {vocabulary} tokens without gaps, found {len(tokens)}')
    merges = [m if isinstance(m, str) else ' '.join(m) for m in model['model']['merges']]
    writer.add_tokenizer_model('gpt2')
    writer.add_tokenizer_pre('qwen2')
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if t in SPECIAL else gguf.TokenType.NORMAL for t in tokens])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(ids[END_OF_TEXT])
    writer.add_eos_token_id(ids[END])
    writer.add_eot_token_id(ids[END])
    writer.add_pad_token_id(ids[END_OF_TEXT])
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def write(out, to, matrix_type=Type.Q8_0, name='checkpoint'):
    state = torch.load(out / f'{name}.pt', weights_only=True)
    c = Config(**state['config'])
    writer = gguf.GGUFWriter(to, 'deepseek2')
    add_metadata(writer, c, matrix_type)
    add_tokenizer(writer, out / 'tokenizer.json', c.vocabulary)
    for name, array in tensors(state['model'], c):
        kind = element_type(name, array, matrix_type)
        data = gguf.quants.quantize(np.ascontiguousarray(array), kind)
        writer.add_tensor(name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return state['step']


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', default='out')
    parser.add_argument('--to', default='hybrimoe-demo.gguf')
    parser.add_argument('--name', default='checkpoint', help='of the checkpoint')
    parser.add_argument('--f32', action='store_true', help='keep every tensor in F32')
    a = parser.parse_args()
    step = write(pathlib.Path(a.out), a.to, Type.F32 if a.f32 else Type.Q8_0, a.name)
    print(f'{a.to}: {pathlib.Path(a.to).stat().st_size} bytes, training step {step}')


if __name__ == '__main__':
    main()
