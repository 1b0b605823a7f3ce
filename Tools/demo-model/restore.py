"""The PyTorch model with the weights of a GGUF file: the inverse of convert.py."""
import gguf
import numpy as np
import torch

from model import Config, Model


def from_gguf(path):
    """The model in evaluation mode; the file's own keys say its shape."""
    reader = gguf.GGUFReader(path)
    key = lambda name: reader.get_field('deepseek2.' + name).contents()
    t = {x.name: torch.from_numpy(gguf.quants.dequantize(x.data, x.tensor_type).astype(np.float32)
                                  .reshape([int(n) for n in x.shape[::-1]]).copy()) for x in reader.tensors}
    rope, width = key('rope.dimension_count'), key('attention.key_length_mla')
    c = Config(vocabulary=key('vocab_size'), layers=key('block_count'), dense_layers=key('leading_dense_block_count'),
               hidden=key('embedding_length'), heads=key('attention.head_count'), latent=key('attention.kv_lora_rank'),
               nope=width - rope, rope=rope, value=key('attention.value_length_mla'),
               dense_width=key('feed_forward_length'), experts=key('expert_count'), active=key('expert_used_count'),
               expert_width=key('expert_feed_forward_length'), rope_base=key('rope.freq_base'),
               context=key('context_length'), epsilon=key('attention.layer_norm_rms_epsilon'))
    state = {'embedding.weight': t['token_embd.weight'], 'norm.weight': t['output_norm.weight'],
             'output.weight': t['output.weight']}
    for i in range(c.layers):
        b, to = f'blk.{i}.', f'layers.{i}.'
        for name, source in (('attention_norm', 'attn_norm'), ('attention.query', 'attn_q'),
                             ('attention.compress', 'attn_kv_a_mqa'), ('attention.latent_norm', 'attn_kv_a_norm'),
                             ('attention.output', 'attn_output'), ('feed_norm', 'ffn_norm')):
            state[f'{to}{name}.weight'] = t[f'{b}{source}.weight']
        state[to + 'attention.key_up.weight'] = t[b + 'attn_k_b.weight'].transpose(1, 2).reshape(-1, c.latent)
        state[to + 'attention.value_up.weight'] = t[b + 'attn_v_b.weight'].reshape(-1, c.latent)
        kinds = [('feed.', '')] if i < c.dense_layers else [('feed.', '_exps'), ('feed.shared.', '_shexp')]
        for name, suffix in kinds:
            gate, up = t[f'{b}ffn_gate{suffix}.weight'], t[f'{b}ffn_up{suffix}.weight']
            state[f'{to}{name}gate_up'] = torch.stack((gate, up), -3)
            state[f'{to}{name}down'] = t[f'{b}ffn_down{suffix}.weight']
        if i >= c.dense_layers:
            state[to + 'feed.router'] = t[b + 'ffn_gate_inp.weight']
    model = Model(c)
    model.load_state_dict(state)
    return model.eval()
