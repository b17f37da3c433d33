"""Mutants of the CPU backend."""

from mutant import Mutant, Test

ELEMENTWISE, NORMALISE = "kernels/cpu/elementwise.cc", "kernels/cpu/normalise.cc"
MOVEMENT, POOLING = "kernels/cpu/movement.cc", "kernels/cpu/pooling.cc"
PRODUCT, PROGRAM, STREAM = "kernels/cpu/product.cc", "kernels/cpu/program.cc", "kernels/cpu/stream.cc"
RANDOM, MEMORY, SCORE = "kernels/cpu/random.cc", "kernels/cpu/memory.cc", "kernels/cpu/score.cc"

LOOKED_AT_BY = {
    "kernels/cpu/": [
        Test("cpu_contract_test", "*Operations*:*Quantiser*:*Measuring*", 120),
        Test("cpu_contract_test", "*Lowering*:*ChipContract*", 300),
    ],
    RANDOM: [Test("random_test", "*", 300)],
    MEMORY: [Test("memory_test", "*", 120)],
}

MUTANTS = [
    # elementwise
    Mutant(ELEMENTWISE, "v > floor ? v : floor", "v", 1),
    Mutant(ELEMENTWISE, "v > floor ? v : floor", "v", 2),
    Mutant(ELEMENTWISE, "relu ? 0.0f : -HUGE_VALF", "0.0f"),
    Mutant(ELEMENTWISE, "y[i] = a[i] sign b[0]", "y[i] = b[0] sign a[i]"),
    Mutant(ELEMENTWISE, "y[i] = a[0] sign b[i]", "y[i] = a[i] sign b[i]"),
    Mutant(ELEMENTWISE, "dims[i] == to[i] && dims[i] != 1", "true"),
    Mutant(ELEMENTWISE, "w.a.back() == a[i] * dims[i] && w.b.back() == b[i] * dims[i]", "w.a.back() == a[i] * dims[i]"),
    Mutant(ELEMENTWISE, "b_at -= w.b[axis] * w.extent[axis];", ""),
    Mutant(ELEMENTWISE, "scale ? scale[c] : 1.0f", "scale ? scale[c] : 0.0f"),
    Mutant(ELEMENTWISE, "(o * d.extent + c) * d.inner", "(o * d.extent + c)"),
    Mutant(ELEMENTWISE, "y[i] = q.of(x[i])", "y[i] = q.of(x[i] + 0.25f)"),
    # sums along axes
    Mutant(NORMALISE, "std::fill_n(y, kept, 0.0f);", ""),
    Mutant(NORMALISE, "reduced[axis] ? y : y + i * kept", "y + i * kept"),
    Mutant(NORMALISE, "if (!reduced[i]) kept *= dims[i];", "kept *= dims[i];"),
    Mutant(NORMALISE, "1.0f / static_cast<float>(count)", "1.0f / static_cast<float>(kept)"),
    Mutant(NORMALISE, "x + r * inner, inner, scale", "x + r, inner, scale"),
    Mutant(NORMALISE, "o * d.extent * d.inner + i", "o * d.inner + i"),
    # windows
    Mutant(POOLING, "x[i] > y[i] ? x[i] : y[i]", "x[i] < y[i] ? x[i] : y[i]"),
    Mutant(POOLING, "-HUGE_VALF", "0.0f"),
    Mutant(POOLING, "v.first_input + kw * w.dilation[2]", "v.first_input + kw"),
    Mutant(POOLING, "if (average) scale_by(", "if (!average) scale_by("),
    Mutant(POOLING, "n * xd[1] + id", "id"),
    # movement
    Mutant(MOVEMENT, "y[i] = from[i * strides[last]]", "y[i] = from[i]"),
    Mutant(MOVEMENT, "from -= strides[axis] * dims[axis];", ""),
    Mutant(MOVEMENT, "offset += s.begin[i] * strides[i];", "offset += s.begin[i];"),
    Mutant(MOVEMENT, "strides[i] *= s.step[i];", ""),
    Mutant(MOVEMENT, "o * d.extent + index", "index"),
    Mutant(MOVEMENT, "std::fill_n(target, y_strides[axis], p.value)", "std::fill_n(target, y_strides[axis], 0.0f)"),
    Mutant(MOVEMENT, "i - p.begin[axis]", "i"),
    Mutant(MOVEMENT, "(o * d.extent + begin) * d.inner", "o * d.extent * d.inner"),
    # products
    Mutant(PRODUCT, "activation->alpha, activation->beta", "activation->beta, activation->alpha"),
    Mutant(PRODUCT, "activation.kind == ActivationKind::relu || activation.kind == ActivationKind::clip", "true"),
    Mutant(PRODUCT, "axes(s.window.dilation, flat, 1)", "axes(s.window.dilation, flat, s.window.dilation[1])"),
    Mutant(PRODUCT, "if (s.groups > 1) d.insert", "if (s.groups > 2) d.insert"),
    # steps and chips
    Mutant(STREAM, "step.activation->kind == ActivationKind::relu", "true"),
    Mutant(STREAM, "calibration().quantise_high[static_cast<size_t>(q.site)]", "calibration().quantise_high[0]"),
    Mutant(STREAM, "begin += part[static_cast<size_t>(concat.axis)];", ""),
    Mutant(STREAM, "InputHistogram h(*low, *high);", "InputHistogram h(*high, *high);"),
    Mutant(STREAM, "InputHistogram h(*low, *high);", "InputHistogram h(*low, std::max(*high, -*low));"),
    Mutant(PROGRAM, "p.distribution == Distribution::gaussian", "p.distribution != Distribution::gaussian"),
    Mutant(PROGRAM, "fill_normals(stream, p.first_element, values)", "fill_normals(stream, 0, values)"),
    Mutant(PROGRAM, "if (own.address_ != address)", "if (!own.address_)"),
    Mutant(PROGRAM, "own.report_ = {};", ""),
    Mutant(SCORE, "rank < 5", "rank <= 5"),
    Mutant(SCORE, "loss += other.loss;", ""),
    # random draws
    Mutant(RANDOM, "(first_block + i) >> 32", "first_block >> 32"),
    Mutant(RANDOM, "stream.domain) << 24 | stream.layer", "stream.domain) << 24"),
    Mutant(RANDOM, "round < 10", "round < 9"),
    Mutant(RANDOM, "key1 += 0xBB67AE85u;", ""),
    Mutant(RANDOM, "normal_pair(x.word[pair][i], x.word[pair + 1][i])", "normal_pair(x.word[pair + 1][i], x.word[pair][i])"),
    Mutant(RANDOM, "buffer + skip, count", "buffer, count"),
    Mutant(RANDOM, "if (skip == 0 && left >= kChunk)", "if (left >= kChunk)"),
    Mutant(RANDOM, "stream.layer >= kLayerLimit", "stream.layer > kLayerLimit"),
    # memory
    Mutant(MEMORY, "*kib * 1024", "*kib * 1000"),
    Mutant(MEMORY, "*usage - cached", "*usage"),
    Mutant(MEMORY, "if (!limit || !usage) return kNoLimit;", "if (!limit || !usage) return 0;"),
    Mutant(MEMORY, "std::max<int64_t>(0, *limit", "std::max<int64_t>(1024, *limit"),
]
