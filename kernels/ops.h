// kernels/ops.h - plain parameters of the operations that the network graph and the backends share.
// To add an activation: its kind here, its formula in elementary.h, its ONNX names in models/onnx_*.cc.
#pragma once

#include <array>
#include <cstdint>

namespace mho {

/// A sliding window over up to three spatial axes, in the order depth, height, width.
/// A network of fewer spatial axes leaves the leading ones at their defaults. Units: elements.
struct Window {
    std::array<int64_t, 3> kernel{1, 1, 1};
    std::array<int64_t, 3> stride{1, 1, 1};
    std::array<int64_t, 3> dilation{1, 1, 1};
    std::array<int64_t, 3> pad_begin{0, 0, 0};
    std::array<int64_t, 3> pad_end{0, 0, 0};  ///< resolved: auto_pad and ceil_mode are already in it

    bool operator==(const Window&) const = default;
};

enum class ActivationKind {
    relu,          // max(x, 0)
    clip,          // min(max(x, alpha), beta)
    leaky_relu,    // x < 0 ? alpha x : x
    sigmoid,       // 1 / (1 + exp(-x))
    hard_sigmoid,  // min(max(alpha x + beta, 0), 1)
    hard_swish,    // x hard_sigmoid(x) with alpha = 1/6, beta = 1/2
    silu,          // x sigmoid(x)
    tanh,
    gelu,       // x/2 (1 + erf(x / sqrt 2))
    gelu_tanh,  // x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
    erf,
    exp,
    sqrt,
};

/// One elementwise function; alpha and beta mean what their kind says.
struct Activation {
    ActivationKind kind = ActivationKind::relu;
    float alpha = 0;
    float beta = 0;

    bool operator==(const Activation&) const = default;
};

enum class BinaryKind { add, subtract, multiply, divide };

/// a kind b.
inline double combined(BinaryKind kind, double a, double b) {
    switch (kind) {
        case BinaryKind::add:
            return a + b;
        case BinaryKind::subtract:
            return a - b;
        case BinaryKind::multiply:
            return a * b;
        case BinaryKind::divide:
            return a / b;
    }
    return 0;
}

enum class PoolKind { maximum, average };

enum class PadMode { constant, reflect, edge };

}  // namespace mho
