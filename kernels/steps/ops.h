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

enum class PoolKind { maximum, average };

enum class PadMode { constant, reflect, edge };

}  // namespace mho
