#!/usr/bin/env python3
"""Writes the golden fixtures of ExpertArithmeticTests; see README.md beside this file.

Computes the bits of Docs/ARITHMETIC.md from the definition alone: integers of each type decoded here
(and held against the gguf package's values), sums as Python and numpy integers, fused steps rounded
once by way of round-to-odd."""

import struct
import sys
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T

ROOT = Path(__file__).resolve().parents[3]
FIXTURES = ROOT / "Tests" / "ExpertArithmeticTests" / "Fixtures"
F = np.float32

IQ4 = np.array([-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113])
E2M1 = np.array([0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12])

# --- Arithmetic ----------------------------------------------------------------------------------


def fma(a, b, c):
    """a b + c in F32, rounded once: exact product and sum in F64 rounded to odd, then to F32."""
    product = np.asarray(a, F).astype(np.float64) * np.asarray(b, F).astype(np.float64)
    c = np.asarray(c, F).astype(np.float64)
    product, c = np.broadcast_arrays(product, c)
    total = product + c
    part = total - product
    error = (product - (total - part)) + (c - part)
    bits = total.view(np.int64)
    sticky = np.isfinite(total) & np.isfinite(error) & (error != 0) & (bits & 1 == 0)
    towards = np.where((error > 0) == (total > 0), 1, -1)
    return (bits + np.where(sticky, towards, 0)).view(np.float64).astype(F)


def quantize(x, width):
    """numbers [tokens, columns], scales [tokens, columns / width]."""
    blocks = x.reshape(len(x), -1, width)
    finite = np.isfinite(blocks).all(-1)
    largest = np.where(finite, np.abs(blocks).max(-1), F(0)).astype(F)
    small = largest < F(2.0 ** -100)
    safe = np.where(small, F(1), largest)
    inverse = np.where(small, F(0), F(127) / safe)
    scales = np.where(small, F(0), safe / F(127))
    scales = np.where(finite, scales, F(np.nan)).astype(F)
    numbers = np.rint(np.where(finite[..., None], blocks, F(0)) * inverse[..., None])
    return numbers.astype(np.int8).reshape(x.shape), scales


def segments(count):
    return [range(i * count // 4, (i + 1) * count // 4) for i in range(4)]


def fold(parts):
    return (parts[0] + parts[1]) + (parts[2] + parts[3])


def block_products(kind, blocks, numbers, scales):
    """[tokens, rows]: blocks as `decode` gives them, numbers and scales as `quantize` does."""
    d, weights, subs, second, minimums = blocks
    rows, count, size = weights.shape
    q = numbers.reshape(len(numbers), count, size).astype(np.int64)
    parts = []
    for segment in segments(count):
        sums = np.zeros((len(numbers), rows), F)
        for b in segment:
            sub = subs.shape[-1]
            w = weights[:, b].reshape(rows, sub, -1)
            x = q[:, b].reshape(len(numbers), sub, -1)
            per_sub = np.einsum("rsk,tsk->trs", w, x)
            integer = (per_sub * subs[None, :, b]).sum(-1)
            scale = d[None, :, b] * scales[:, b, None]
            sums = fma(scale, integer.astype(F), sums)
            if kind in (T.Q4_1, T.Q5_1):
                offset = second[None, :, b] * scales[:, b, None]
                sums = fma(offset, x.sum((1, 2))[:, None].astype(F), sums)
            elif minimums is not None:
                low = np.einsum("rs,ts->tr", minimums[:, b], x.sum(-1))
                sums = fma(-(second[None, :, b] * scales[:, b, None]), low.astype(F), sums)
        parts.append(sums)
    return fold(parts)


def float_products(weights, x):
    parts = []
    for segment in segments(weights.shape[1]):
        sums = np.zeros((len(x), len(weights)), F)
        for c in segment:
            sums = fma(weights[None, :, c], x[:, c, None], sums)
        parts.append(sums)
    return fold(parts)


def exponential(x):
    magic = F(12582912)
    below, above = x < F(-87.33654), x > F(88.72284)
    c = np.where(below | above, F(0), x).astype(F)
    n = fma(c, F(1.44269504), magic) - magic
    r = fma(n, F(-1.42860677e-6), fma(n, F(-0.693145752), c))
    p = F(1) / F(5040)
    for divisor in (720, 120, 24, 6, 2, 1, 1):
        p = fma(p, r, F(1) / F(divisor))
    whole = np.where(np.isnan(n), F(0), n).astype(np.int32)
    half = whole >> 1
    a, b = (((e + 127) << 23).astype(np.int32).view(F) for e in (half, whole - half))
    return np.where(below, F(0), np.where(above, F(np.inf), p * a * b)).astype(F)


def silu(gate, up):
    return gate * (F(1) / (F(1) + exponential(-gate))) * up


def clamped(gate, up, alpha, limit):
    g = np.where(gate > limit, limit, gate)
    u = np.where(up > limit, limit, up)
    u = np.where(u < -limit, -limit, u)
    return g * (F(1) / (F(1) + exponential(-(alpha * g)))) * (u + F(1))


# --- Types ---------------------------------------------------------------------------------------


def halves(raw, at):
    return raw[..., at:at + 2].copy().view(np.float16)[..., 0].astype(F)


def bits(raw, shifts, mask):
    """Each shift's bits of all bytes, one run of bytes after another."""
    return np.concatenate([(raw >> s) & mask for s in shifts], -1).astype(np.int64)


def six_bit(raw):
    a, b, c = (raw[..., i:i + 4].astype(np.int64) for i in (4, 8, 12))
    scales = np.concatenate([a & 63, (c & 15) | (a >> 6) << 4], -1)
    return scales, np.concatenate([b & 63, (c >> 4) | (b >> 6) << 4], -1)


def runs(raw, length, shifts, mask):
    """Bits of runs of `length` bytes, in each run shift after shift."""
    shape = raw.shape[:-1]
    return bits(raw.reshape(*shape, -1, length), shifts, mask).reshape(*shape, -1)


def decode(kind, raw):
    """d, weights [rows, blocks, size], subscales, m or dmin, minimums of raw [rows, blocks, bytes]."""
    one = np.ones((*raw.shape[:2], 1), np.int64)
    none = (None, None)
    if kind in (T.Q4_0, T.Q4_1, T.IQ4_NL, T.MXFP4, T.Q5_0, T.Q5_1, T.Q8_0):
        if kind == T.Q8_0:
            return halves(raw, 0), raw[..., 2:].view(np.int8).astype(np.int64), one, *none
        q = bits(raw[..., -16:], (0, 4), 15)
        if kind in (T.Q5_0, T.Q5_1):
            at = 2 if kind == T.Q5_0 else 4
            fifths = raw[..., at:at + 4].copy().view(np.uint32).astype(np.int64)
            q = q | ((fifths >> np.arange(32)) & 1) << 4
        if kind == T.MXFP4:
            d = np.ldexp(1.0, raw[..., 0].astype(np.int64) - 128).astype(F)
            return d, E2M1[q], one, *none
        d = halves(raw, 0)
        if kind == T.IQ4_NL:
            return d, IQ4[q], one, *none
        if kind in (T.Q4_1, T.Q5_1):
            return d, q, one, halves(raw, 2), None
        return d, q - (8 if kind == T.Q4_0 else 16), one, *none
    if kind == T.Q2_K:
        q = runs(raw[..., 16:80], 32, (0, 2, 4, 6), 3)
        packed = raw[..., :16].astype(np.int64)
        return halves(raw, 80), q, packed & 15, halves(raw, 82), packed >> 4
    if kind == T.Q3_K:
        q = runs(raw[..., 32:96], 32, (0, 2, 4, 6), 3) + 4 * bits(raw[..., :32], range(8), 1) - 4
        scales = bits(raw[..., 96:104], (0, 4), 15) + 16 * bits(raw[..., 104:108], (0, 2, 4, 6), 3)
        return halves(raw, 108), q, scales - 32, *none
    if kind == T.Q4_K:
        scales, minimums = six_bit(raw)
        return halves(raw, 0), runs(raw[..., 16:], 32, (0, 4), 15), scales, halves(raw, 2), minimums
    if kind == T.Q5_K:
        scales, minimums = six_bit(raw)
        q = runs(raw[..., 48:], 32, (0, 4), 15) + 16 * bits(raw[..., 16:48], range(8), 1)
        return halves(raw, 0), q, scales, halves(raw, 2), minimums
    if kind == T.Q6_K:
        q = runs(raw[..., :128], 64, (0, 4), 15) + 16 * runs(raw[..., 128:192], 32, (0, 2, 4, 6), 3)
        return halves(raw, 208), q - 32, raw[..., 192:208].view(np.int8).astype(np.int64), *none
    assert kind == T.IQ4_XS
    high = raw[..., 2:4].copy().view(np.uint16).astype(np.int64)
    low = runs(raw[..., 4:8], 1, (0, 4), 15)
    scales = low + 16 * ((high >> (2 * np.arange(8))) & 3) - 32
    return halves(raw, 0), IQ4[runs(raw[..., 8:], 16, (0, 4), 15)], scales, *none


def hold_against_gguf(kind, raw, blocks):
    """The integers mean what the gguf package reads."""
    d, weights, subs, second, minimums = blocks
    n = weights.shape[-1] // subs.shape[-1]
    values = d[..., None].astype(np.float64) * np.repeat(subs, n, -1) * weights
    if minimums is not None:
        values -= second[..., None].astype(np.float64) * np.repeat(minimums, n, -1)
    elif second is not None:
        values += second[..., None]
    found = gguf.quants.dequantize(raw.reshape(len(raw), -1), kind).reshape(values.shape)
    usual = np.isfinite(found)
    assert np.allclose(values[usual], found[usual], rtol=1e-5, atol=1e-5 * np.abs(found[usual]).max()), kind


# --- Files ---------------------------------------------------------------------------------------

# Byte offsets of the F16 scales within a block.
SCALES = {
    T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0],
    T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208],
    T.IQ4_NL: [0], T.IQ4_XS: [0], T.MXFP4: [], T.F32: [], T.F16: [], T.BF16: [],
}
ROWS, TOKENS = 18, 4


def weights_of(kind, columns, random):
    """[rows, blocks, bytes]: rows of random bytes; rows of the extremes; rows with odd scales."""
    size, block_bytes = gguf.GGML_QUANT_SIZES[kind]
    count = columns // size
    if size == 1:
        values = random.normal(0, 0.5, (ROWS, columns)).astype(F)
        values[1, :] = 0
        values[2, 3] = np.inf
        values[3, 5] = np.nan
        values[4] *= F(1e-38) if kind != T.F16 else F(1e-6)
        values[5] *= F(1e38) if kind != T.F16 else F(1e4)
        raw = gguf.quants.quantize(values, kind).view(np.uint8)
        return raw.reshape(ROWS, count, block_bytes)
    raw = random.integers(0, 256, (ROWS, count, block_bytes)).astype(np.uint8)
    raw[1], raw[2], raw[3], raw[4] = 0xFF, 0x00, 0x7F, 0x80
    scales = random.normal(0, 0.02, (ROWS, count, 2)).astype(np.float16).view(np.uint16)
    odd = [0x0000, 0x8000, 0x0001, 0x83FF, 0x7BFF, 0x7C00, 0xFC00, 0x7E00]
    for b in range(count):
        scales[5, b], scales[6, b] = odd[b % 8], odd[(b + 3) % 8]
    scales[7] = [0x7BFF, 0x0001]
    for index, offset in enumerate(SCALES[kind]):
        raw[..., offset:offset + 2] = scales[..., index:index + 1].copy().view(np.uint8)
    if kind == T.MXFP4:
        raw[..., 0] = random.integers(110, 135, raw.shape[:2])
        raw[5, :, 0], raw[6, :, 0], raw[7, :, 0] = 0, 1, 255
    return raw


def activations_of(columns, width, random):
    """[tokens, columns]: usual; blocks with odd sizes; large; NaN, infinity."""
    x = random.normal(0, 1, (TOKENS, columns)).astype(F)
    step = width or 8
    odd = [
        np.zeros(step), np.full(step, 1e-40), np.full(step, 2.0 ** -101), np.full(step, -(2.0 ** -100)),
        np.concatenate([[127.0], np.arange(step - 1) % 60 - 30.5]), np.full(step, -3.0),
        np.concatenate([[3e38], random.normal(0, 1e38, step - 1).clip(-2e38, 2e38)]),
    ]
    for index, values in enumerate(odd[: columns // step]):
        x[1, index * step:(index + 1) * step] = values.astype(F)
    x[2] *= F(1e4) * np.exp(random.normal(0, 3, columns)).astype(F)
    x[3, columns // 2], x[3, -1] = np.nan, -np.inf
    return x


def one_nan(values):
    """F32 with one bit pattern for NaN: which it is, is not defined."""
    return np.where(np.isnan(values), F(np.nan), values).astype(F)


def golden(kind, random):
    size, _ = gguf.GGML_QUANT_SIZES[kind]
    columns = {256: 256 * 7, 32: 32 * 11, 1: 45}[size]
    raw = weights_of(kind, columns, random)
    x = activations_of(columns, size if size > 1 else 0, random)
    numbers = np.zeros((TOKENS, 0), np.int8)
    scales = np.zeros((TOKENS, 0), F)
    with np.errstate(all="ignore"):
        if size == 1:
            values = gguf.quants.dequantize(raw.reshape(ROWS, -1), kind)
            y = float_products(values, x)
        else:
            blocks = decode(kind, raw)
            hold_against_gguf(kind, raw, blocks)
            numbers, scales = quantize(x, size)
            y = block_products(kind, blocks, numbers, scales)
    head = struct.pack("<4I", int(kind), ROWS, columns, TOKENS)
    data = raw.tobytes() + x.tobytes() + numbers.tobytes() + scales.tobytes()
    data += one_nan(y).tobytes()
    return head + data


def golden_activations(random):
    """x, exp(x); then gate, up, silu, clamped."""
    edges = [0.0, -0.0, 88.72283, 88.72284, 88.73, -87.33654, -87.33655, -87.3, 1e-40, 1e30, -1e30,
             np.inf, -np.inf, np.nan, 0.34657359, -0.34657359]
    x = np.concatenate([edges, random.normal(0, 30, 500), random.normal(0, 1, 508)]).astype(F)
    gate = np.concatenate([x[:512], random.normal(0, 4, 512)]).astype(F)
    up = np.concatenate([random.normal(0, 4, 1008), edges]).astype(F)
    with np.errstate(all="ignore"):
        results = [exponential(x), silu(gate, up), clamped(gate, up, F(1.702), F(7))]
    parts = [x, gate, up, *results]
    return struct.pack("<I", len(x)) + b"".join(one_nan(part).tobytes() for part in parts)


def main():
    assert np.__version__ == "2.4.6", np.__version__
    FIXTURES.mkdir(parents=True, exist_ok=True)
    for kind in SCALES:
        (FIXTURES / f"{kind.name}.product").write_bytes(golden(kind, np.random.default_rng(int(kind))))
    (FIXTURES / "activations").write_bytes(golden_activations(np.random.default_rng(99)))
    for path in sorted(FIXTURES.iterdir()):
        print(f"{path.stat().st_size:8} {path.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
