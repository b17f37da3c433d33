// kernels/steps/ops.h - plain parameters of the operations that the network graph and the backends share.
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

/// DO(kind) for every way to pool. To add one: a line here, its branch in kernels/cpu/pooling.cc and
/// kernels/cuda/reduction.cu, its oracle in tests/oracle/graph_oracle.cc, its ONNX names in models/onnx.
#define MHO_EACH_POOL(DO) \
    DO(maximum)           \
    DO(average)

enum class PoolKind {
#define MHO_ENUMERATOR(kind) kind,
    MHO_EACH_POOL(MHO_ENUMERATOR)
#undef MHO_ENUMERATOR
};

inline constexpr PoolKind kPools[] = {
#define MHO_ENUMERATOR(kind) PoolKind::kind,
    MHO_EACH_POOL(MHO_ENUMERATOR)
#undef MHO_ENUMERATOR
};

inline const char* name_of(PoolKind kind) {
    switch (kind) {
#define MHO_NAME(kind)   \
    case PoolKind::kind: \
        return #kind;
        MHO_EACH_POOL(MHO_NAME)
#undef MHO_NAME
    }
    return "";
}

/// DO(mode) for everything that padding can be filled with. To add one: a line here, its source in
/// kernels/steps/pad_source.h, its oracle in tests/oracle/graph_oracle.cc, its ONNX name in models/onnx.
#define MHO_EACH_PAD(DO) \
    DO(constant)         \
    DO(reflect)          \
    DO(edge)

enum class PadMode {
#define MHO_ENUMERATOR(mode) mode,
    MHO_EACH_PAD(MHO_ENUMERATOR)
#undef MHO_ENUMERATOR
};

inline constexpr PadMode kPads[] = {
#define MHO_ENUMERATOR(mode) PadMode::mode,
    MHO_EACH_PAD(MHO_ENUMERATOR)
#undef MHO_ENUMERATOR
};

inline const char* name_of(PadMode mode) {
    switch (mode) {
#define MHO_NAME(mode)  \
    case PadMode::mode: \
        return #mode;
        MHO_EACH_PAD(MHO_NAME)
#undef MHO_NAME
    }
    return "";
}

}  // namespace mho
