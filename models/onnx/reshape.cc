// models/onnx/reshape.cc - operators that see the same elements under other axes: Reshape, Flatten, Squeeze,
// Unsqueeze, Transpose. The same importer serves values and constants, which are moved at once. To add one:
// see import.h.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "kernels/base/error.h"
#include "models/onnx/import.h"
#include "models/onnx/strided.h"

namespace mho {

namespace {

/// Gives input 0 the extents of `target`.
void reshape_to(OnnxNode& node, const Shape& target) {
    const Symbol& in = node.input(0);
    if (!in.is_constant()) {
        const ValueId value = node.value(0);
        if (node.shape(0) == target) return node.set_output_like(in, 0, value);
        return node.set_output_like(in, 0, node.emit_as(op::Reshape{}, {value}, target));
    }
    check_shapes(op::Reshape{}, {node.shape(0)}, target);
    node.state().charge(in.constant->size());
    Constant moved = *in.constant;
    moved.dims = target.dims;
    node.set_output(0, std::move(moved));
}

/// What a Reshape asks for, one entry an axis.
struct Target {
    std::vector<int64_t> extents;  ///< -1 for the one that follows from the others
    int scaled = -1;               ///< the axis whose extent counts times the number of images, -1 for none
    int free = -1;                 ///< the axis of extent -1, or -1
};

Target read_target(const Constant& list, const Shape& in, bool allow_zero) {
    if (list.is_real() || list.dims.size() != 1) refuse("the shape asked for is not a list of integers");
    Target target;
    for (size_t i = 0; i < list.integers.size(); ++i) {
        int64_t extent = list.integers[i];
        const int axis = static_cast<int>(i);
        bool scales = list.scales(i);
        if (extent == 0 && !scales && !allow_zero) {
            if (i >= in.dims.size())
                refuse(fmt::format("the shape asked for copies axis {} of {}", i, to_string(in)));
            extent = in.dims[i];
            scales = in.per_image && i == 0;
        }
        if (extent < -1 || (extent < 0 && scales) || (extent == -1 && target.free >= 0))
            refuse(fmt::format("the shape asked for is ({})", fmt::join(list.integers, " ")));
        if (extent == -1) target.free = axis;
        if (scales) {
            if (target.scaled >= 0) refuse("the shape asked for has the number of images in two axes");
            target.scaled = axis;
        }
        target.extents.push_back(extent);
    }
    return target;
}

/// Product of the extents that are given.
int64_t given_size(const Target& target) {
    std::vector<int64_t> given = target.extents;
    std::erase(given, -1);
    return checked_count(given);
}

int64_t divided(int64_t size, int64_t by, const Shape& in) {
    if (by == 0 || size % by != 0)
        refuse(fmt::format("{} does not divide into the shape asked for", to_string(in)));
    return size / by;
}

/// The shape of each image's part, where the file's batch stands in `target` as a number, as -1, or as a
/// multiple of the batch: the batch has to stay what varies slowest.
Shape per_image_target(Target target, const Shape& in, const std::optional<int64_t>& file_batch) {
    if (target.extents.empty()) refuse("the shape asked for has no axes, so none for the batch");
    int64_t& first = target.extents[0];
    const bool batch_counted =
        target.scaled != 0 && target.free != 0;  // axis 0 states the file's batch as a number
    if (batch_counted && !file_batch)
        refuse(fmt::format(
            "the shape asked for has the number {} in axis 0, where the batch is symbolic: images "
            "would mix",
            first));
    const int64_t size = batch_counted ? in.size() * *file_batch : in.size();
    if (target.free >= 0)
        target.extents[static_cast<size_t>(target.free)] = divided(size, given_size(target), in);
    if (batch_counted) first = divided(first, *file_batch, in);
    return {target.extents, true};
}

Shape resolve_target(OnnxNode& node, const Constant& list, bool allow_zero) {
    const Shape in = node.shape(0);
    Target target = read_target(list, in, allow_zero);
    if (target.scaled > 0)
        refuse(fmt::format("the shape asked for has the number of images in axis {}", target.scaled));
    Shape result;
    if (in.per_image) {
        result = per_image_target(std::move(target), in, node.state().file_batch);
    } else {
        // A constant that is asked to have one copy an image stays single: it broadcasts along the batch.
        if (target.free >= 0)
            target.extents[static_cast<size_t>(target.free)] = divided(in.size(), given_size(target), in);
        result = {target.extents, false};
    }
    checked_count(result.dims);
    return result;
}

void import_reshape(OnnxNode& node) {
    const bool allow_zero = node.integer("allowzero", 0) != 0;
    const Constant& list = node.constant(1, "shape");
    reshape_to(node, resolve_target(node, list, allow_zero));
}

void import_flatten(OnnxNode& node) {
    const Shape in = node.shape(0);
    const auto rank = static_cast<int64_t>(in.dims.size());
    int64_t axis = node.integer("axis", 1);
    if (axis < -rank || axis > rank)
        refuse(fmt::format("attribute 'axis' is {} for {}", axis, to_string(in)));
    if (axis < 0) axis += rank;
    if (axis == 0 && in.per_image)
        refuse("attribute 'axis' is 0: flattening would join all images of the batch");
    const auto middle = in.dims.begin() + axis;
    const int64_t before = Shape{{in.dims.begin(), middle}, false}.size();
    const int64_t after = Shape{{middle, in.dims.end()}, false}.size();
    reshape_to(node, {{before, after}, in.per_image});
}

void import_squeeze(OnnxNode& node) {
    const Shape in = node.shape(0);
    std::vector<int> axes = resolve_axes(listed_axes(node, 1, 13), in.dims.size());
    if (axes.empty()) {
        if (in.per_image)
            refuse("no axes are listed, so a batch of one would lose its batch axis: list the axes");
        for (size_t i = 0; i < in.dims.size(); ++i)
            if (in.dims[i] == 1) axes.push_back(static_cast<int>(i));
    }
    Shape out{{}, in.per_image};
    for (size_t i = 0; i < in.dims.size(); ++i) {
        const bool goes = std::binary_search(axes.begin(), axes.end(), static_cast<int>(i));
        if (!goes) out.dims.push_back(in.dims[i]);
        if (goes && in.per_image && i == 0) refuse("axis 0, the batch, cannot be squeezed away");
        if (goes && in.dims[i] != 1) refuse(fmt::format("axis {} of {} is not 1", i, to_string(in)));
    }
    reshape_to(node, out);
}

void import_unsqueeze(OnnxNode& node) {
    const Shape in = node.shape(0);
    const std::vector<int64_t> listed = listed_axes(node, 1, 13);
    const std::vector<int> axes = resolve_axes(listed, in.dims.size() + listed.size());
    if (in.per_image && !axes.empty() && axes[0] == 0) refuse("a new axis 0 would move the batch to axis 1");
    Shape out = in;
    for (int axis : axes) out.dims.insert(out.dims.begin() + axis, 1);
    reshape_to(node, out);
}

// ---- Transpose, Slice, Split

constexpr OnnxOperator operators[] = {
    {"Flatten", import_flatten},
    {"Reshape", import_reshape},
    {"Squeeze", import_squeeze},
    {"Unsqueeze", import_unsqueeze},
};

}  // namespace

std::span<const OnnxOperator> reshaping_operators() { return operators; }

}  // namespace mho
