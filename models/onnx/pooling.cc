// models/onnx/pooling.cc - operators that slide a window or reduce: pooling, means; and the window's
// attributes. To add one: see import.h.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "kernels/base/error.h"
#include "models/onnx/import.h"
#include "models/onnx/window.h"

namespace mho {

namespace {

/// A list attribute of `count` numbers in [least, max_window], each `fallback` where the attribute is absent.
std::vector<int64_t> numbers(OnnxNode& node, const std::string& attribute, size_t count, int64_t least,
                             int64_t fallback) {
    std::vector<int64_t> values = node.integers(attribute);
    if (values.empty()) values.assign(count, fallback);
    const bool in_range =
        std::all_of(values.begin(), values.end(), [&](int64_t v) { return v >= least && v <= max_window; });
    if (values.size() != count || !in_range)
        refuse(fmt::format("attribute '{}' is ({}); expected {} numbers from {} to {}", attribute,
                           fmt::join(values, " "), count, least, max_window));
    return values;
}

/// Splits the padding that gives ceil(extent / stride) positions: the odd element goes to the end, or to the
/// begin.
void pad_same(Window& w, size_t axis, int64_t extent, bool odd_at_end) {
    const int64_t reach = (w.kernel[axis] - 1) * w.dilation[axis] + 1;
    const int64_t positions = (extent + w.stride[axis] - 1) / w.stride[axis];
    const int64_t total = std::max<int64_t>((positions - 1) * w.stride[axis] + reach - extent, 0);
    w.pad_begin[axis] = odd_at_end ? total / 2 : total - total / 2;
    w.pad_end[axis] = total - w.pad_begin[axis];
}

/// What rounding the number of positions up adds to the end. A window that would begin in the padding at the
/// end does not count, as in PyTorch.
int64_t ceil_padding(const Window& w, size_t axis, int64_t extent) {
    const int64_t reach = (w.kernel[axis] - 1) * w.dilation[axis] + 1, stride = w.stride[axis];
    const int64_t padded = extent + w.pad_begin[axis] + w.pad_end[axis];
    if (padded < reach) return 0;
    int64_t last = (padded - reach + stride - 1) / stride;  // index of the last position
    if (last * stride >= extent + w.pad_begin[axis]) --last;
    return std::max<int64_t>(last * stride + reach - padded, 0);
}

void import_pool(OnnxNode& node) {
    const bool is_average = node.operation() == "AveragePool";
    const Shape shape = node.shape(0);
    op::Pool pool;
    pool.kind = is_average ? PoolKind::average : PoolKind::maximum;
    if (is_average) pool.count_include_pad = node.integer("count_include_pad", 0) != 0;
    if (!is_average) node.integer("storage_order", 0);  // of the indices, which are not computed
    const size_t rank = shape.dims.size();
    if (rank < 3 || rank > 5)
        refuse(fmt::format("the input is {}; supported are 1 to 3 spatial axes", to_string(shape)));
    const std::vector<int64_t> kernel = node.integers("kernel_shape");
    if (kernel.size() != rank - 2)
        refuse(fmt::format("attribute 'kernel_shape' is ({}); expected {} numbers", fmt::join(kernel, " "),
                           rank - 2));
    const ResolvedWindow resolved = read_window(node, kernel, shape, true);
    pool.window = resolved.window;
    pool.ceil_extra = resolved.ceil_extra;
    pool.spatial_rank = static_cast<int>(rank - 2);
    node.set_output(0, node.emit(pool, {node.value(0)}));
}

std::vector<int> spatial_axes(const Shape& shape) {
    if (shape.dims.size() < 3) refuse(fmt::format("the input {} has no spatial axes", to_string(shape)));
    std::vector<int> axes(shape.dims.size() - 2);
    std::iota(axes.begin(), axes.end(), 2);
    return axes;
}

void import_global_average(OnnxNode& node) {
    node.set_output(0, node.emit(op::ReduceMean{spatial_axes(node.shape(0)), true}, {node.value(0)}));
}

void import_global_max(OnnxNode& node) {
    const Shape shape = node.shape(0);
    const size_t spatial = spatial_axes(shape).size();
    if (spatial > 3)
        refuse(fmt::format("the input is {}; supported are 1 to 3 spatial axes", to_string(shape)));
    op::Pool pool;
    pool.spatial_rank = static_cast<int>(spatial);
    std::copy(shape.dims.begin() + 2, shape.dims.end(),
              pool.window.kernel.end() - static_cast<int64_t>(spatial));
    node.set_output(0, node.emit(pool, {node.value(0)}));
}

constexpr OnnxOperator operators[] = {
    {"AveragePool", import_pool},
    {"GlobalAveragePool", import_global_average},
    {"GlobalMaxPool", import_global_max},
    {"MaxPool", import_pool},
};

}  // namespace

ResolvedWindow read_window(OnnxNode& node, const std::vector<int64_t>& kernel, const Shape& shape,
                           bool may_ceil) {
    const size_t rank = kernel.size(), first = 3 - rank;
    if (shape.dims.size() != rank + 2)
        refuse(fmt::format("a kernel of {} axes over an input of {}; expected N x C and {} spatial axes",
                           rank, to_string(shape), rank));
    const std::vector<int64_t> stride = numbers(node, "strides", rank, 1, 1);
    const std::vector<int64_t> dilation = numbers(node, "dilations", rank, 1, 1);
    const std::vector<int64_t> pads = numbers(node, "pads", 2 * rank, 0, 0);
    const std::string mode = node.text("auto_pad", "NOTSET");
    const bool ceil_mode = may_ceil && node.integer("ceil_mode", 0) != 0;
    if (mode != "NOTSET" && mode != "VALID" && mode != "SAME_UPPER" && mode != "SAME_LOWER")
        refuse(fmt::format(
            "attribute 'auto_pad' is '{}'; supported are NOTSET, VALID, SAME_UPPER, SAME_LOWER", mode));
    ResolvedWindow result;
    Window& w = result.window;
    for (size_t i = 0; i < rank; ++i) {
        const size_t axis = first + i;
        if (kernel[i] < 1 || kernel[i] > max_window)
            refuse(fmt::format("the kernel ({}) has extents outside 1 to {}", fmt::join(kernel, " "),
                               max_window));
        w.kernel[axis] = kernel[i];
        w.stride[axis] = stride[i];
        w.dilation[axis] = dilation[i];
        if (mode == "NOTSET") {
            w.pad_begin[axis] = pads[i];
            w.pad_end[axis] = pads[rank + i];
        }
        if (mode == "SAME_UPPER" || mode == "SAME_LOWER")
            pad_same(w, axis, shape.dims[2 + i], mode == "SAME_UPPER");
        else if (ceil_mode)
            result.ceil_extra[axis] = ceil_padding(w, axis, shape.dims[2 + i]);
        w.pad_end[axis] += result.ceil_extra[axis];
    }
    return result;
}

std::span<const OnnxOperator> pooling_operators() { return operators; }

}  // namespace mho
