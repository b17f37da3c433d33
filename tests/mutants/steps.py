"""Mutants of what both backends share of a step, and of the plan's memory."""

from mutant import CONTRACT, Mutant, Test

QUANTISE, ROWS = "kernels/steps/quantise.h", "kernels/steps/row_formulas.h"
TAPS, PAD = "kernels/steps/pool_taps.h", "kernels/steps/pad_source.h"
ACTIVATIONS, BINARY, LOSS = "kernels/steps/activations.h", "kernels/steps/binary.h", "kernels/steps/loss.h"
MEMORY, SHAPE = "kernels/memory_plan.cc", "kernels/product_shape.cc"

LOOKED_AT_BY = {
    "kernels/steps/": [
        Test("cpu_contract_test", "*Operations*", 120),
        Test("emulated_contract_test", CONTRACT, 1800),
    ],
    LOSS: [
        Test("loss_test", "*", 120),
        Test("cpu_contract_test", "*ChipContract*", 300),
    ],
    "kernels/": [
        Test("cpu_contract_test", "*Operations*:*Lowering*:*ChipContract*", 300),
        Test("emulated_contract_test", CONTRACT, 1800),
    ],
}

MUTANTS = [
    # levels of a ReLU
    Mutant(QUANTISE, "static_cast<float>(levels - 1) / largest", "static_cast<float>(levels) / largest"),
    Mutant(QUANTISE, "largest / static_cast<float>(levels - 1)", "largest / static_cast<float>(levels)"),
    Mutant(QUANTISE, "rintf(", "roundf("),
    Mutant(QUANTISE, "cut(x, 0.0f, high)", "fmaxf(x, 0.0f)"),
    Mutant(QUANTISE, "cut(x, 0.0f, high)", "fminf(x, high)", 1, "what is quantised is the output of a ReLU: nothing is below 0"),
    Mutant(QUANTISE, "largest > 0 ? static_cast<float>(levels - 1) / largest : 0.0f", "static_cast<float>(levels - 1) / largest"),
    # layer norm
    Mutant(ROWS, "mean = sum * factor", "mean = sum"),
    Mutant(ROWS, "1.0f / static_cast<float>(count)", "1.0f / static_cast<float>(count - 1)"),
    Mutant(ROWS, "fmaf(x[i] - mean, x[i] - mean, squares)", "fmaf(x[i], x[i], squares)"),
    Mutant(ROWS, "fmaf(squares, factor, epsilon)", "squares * factor"),
    Mutant(ROWS, "1.0f / sqrtf(", "1.0f / ("),
    Mutant(ROWS, "scale ? scale[i] : 1.0f", "1.0f"),
    Mutant(ROWS, "shift ? shift[i] : 0.0f", "0.0f"),
    Mutant(ROWS, "y[i] = fmaf((x[i] - mean)", "y[i] = fmaf(x[i]"),
    # softmax
    Mutant(ROWS, "largest = x[0]", "largest = 0"),
    Mutant(ROWS, "largest = fmaxf(largest, x[k * stride])", "largest = x[k * stride]"),
    Mutant(ROWS, "exp_of(x[k * stride] - largest)", "exp_of(x[k * stride])"),
    Mutant(ROWS, "sum += v;", "sum = v;"),
    Mutant(ROWS, "y[k * stride] /= sum", "y[k] /= sum"),
    # pooling
    Mutant(TAPS, "output * w.stride[axis] - w.pad_begin[axis]", "output * w.stride[axis]"),
    Mutant(TAPS, "w.pad_end[axis] - pool.ceil_extra[axis]", "w.pad_end[axis]"),
    Mutant(TAPS, "start + k * w.dilation[axis]", "start + k"),
    Mutant(TAPS, "at >= 0 && at < extent", "at > 0 && at < extent"),
    Mutant(TAPS, "t.end = k + 1;", "t.end = k;"),
    Mutant(TAPS, "at < padded_end", "at <= padded_end"),
    Mutant(TAPS, "if (pool.count_include_pad)", "if (!pool.count_include_pad)"),
    Mutant(TAPS, "inside(d) * inside(h) * inside(w)", "inside(h) * inside(w)"),
    # padding
    Mutant(PAD, "i >= 0 && i < extent", "i > 0 && i < extent"),
    Mutant(PAD, "i < 0 ? 0 : extent - 1", "i < 0 ? extent - 1 : 0"),
    Mutant(PAD, "2 * (extent - 1)", "2 * extent"),
    Mutant(PAD, "period - way", "period - way - 1"),
    Mutant(PAD, "if (mode == PadMode::constant) return -1;", ""),
    Mutant(PAD, "if (extent == 1) return 0;", "", 1, "models/shapes.cc refuses to reflect beyond an extent, so that nothing is reflected around a single element"),
    # each activation
    Mutant(ACTIVATIONS, "x > 0.0f ? x : 0.0f", "x > 1.0f ? x : 0.0f"),
    Mutant(ACTIVATIONS, "fminf(fmaxf(x, alpha), beta)", "fmaxf(x, alpha)"),
    Mutant(ACTIVATIONS, "x < 0.0f ? alpha * x : x", "x > 0.0f ? alpha * x : x"),
    Mutant(ACTIVATIONS, "1.0f / (1.0f + exp_of(-x))", "1.0f / (1.0f + exp_of(x))"),
    Mutant(ACTIVATIONS, "return sigmoid_of(x);", "return tanh_of(x);"),
    Mutant(ACTIVATIONS, "fmaf(alpha, x, beta)", "fmaf(alpha, x, 0.5f)"),
    Mutant(ACTIVATIONS, "1.0f / 6, 0.5f", "0.2f, 0.5f"),
    Mutant(ACTIVATIONS, "x * sigmoid_of(x)", "sigmoid_of(x)"),
    Mutant(ACTIVATIONS, "return tanh_of(x)", "return erf_of(x)"),
    Mutant(ACTIVATIONS, "0.707106781f", "0.707f"),
    Mutant(ACTIVATIONS, "fmaf(0.044715f * x * x, x, x)", "fmaf(0.0447f * x * x, x, x)"),
    Mutant(ACTIVATIONS, "return erf_of(x)", "return tanh_of(x)"),
    Mutant(ACTIVATIONS, "return exp_of(x)", "return exp_of(-x)"),
    Mutant(ACTIVATIONS, "return sqrtf(x)", "return sqrtf(fabsf(x))"),
    # arithmetic, scores, chips
    Mutant(BINARY, "DO(subtract, -)", "DO(subtract, +)"),
    Mutant(BINARY, "DO(divide, /)", "DO(divide, *)"),
    Mutant(LOSS, "c < label && logits[c] == logits[label]", "c > label && logits[c] == logits[label]"),
    Mutant(LOSS, "return classes;", "return 0;"),
    Mutant(LOSS, "usable ? loss : kLossLimit", "loss"),
    Mutant(LOSS, "exp_of(logits[c] - largest)", "exp_of(logits[c])"),
    Mutant("kernels/steps/perturbation.h", "fmaf(e.sigma, n, e.mu)", "e.sigma * n"),
    # memory and shapes
    Mutant(MEMORY, "if (b.last < first || last < b.first) continue;", "if (b.last <= first || last < b.first) continue;"),
    Mutant(MEMORY, "b.begin + b.size", "b.begin + b.size - kAlign"),
    Mutant(MEMORY, "if (at + size <= b.begin) break;", "break;"),
    Mutant(MEMORY, "for (TensorId output : plan.outputs) needed(output, end);", ""),
    Mutant(SHAPE, "shape.y[0] *= images;", "", 1),
]
