// models/onnx/window.h - kernel, strides, dilations and padding of an ONNX node, resolved to numbers.
#pragma once

#include <cstdint>
#include <vector>

#include "models/onnx/import.h"

namespace mho {

struct ResolvedWindow {
    Window window;
    std::array<int64_t, 3> ceil_extra{0, 0, 0};  ///< how much of window.pad_end only ceil_mode added
};

/// Reads the attributes strides, dilations, pads, auto_pad and, where `may_ceil`, ceil_mode, for a kernel of
/// 1 to 3 axes over an input of `shape`. Throws InputError that names the attribute at fault.
ResolvedWindow read_window(OnnxNode& node, const std::vector<int64_t>& kernel, const Shape& shape,
                           bool may_ceil);

}  // namespace mho
