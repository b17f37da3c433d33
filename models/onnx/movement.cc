// models/onnx/movement.cc - operators that move elements and change none: Transpose, Concat, Split, Slice,
// Gather, Pad, Expand. The same importer serves values and constants, which are moved at once. To add one:
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

// ---------------------------------------------------------------------------------------

void import_transpose(OnnxNode& node) {
    const Symbol& in = node.input(0);
    const Shape shape = node.shape(0);
    op::Transpose transpose;
    for (int64_t axis : node.integers("perm"))
        transpose.permutation.push_back(resolve_axis(axis, shape.dims.size()));
    if (transpose.permutation.empty()) {
        transpose.permutation.resize(shape.dims.size());
        std::iota(transpose.permutation.rbegin(), transpose.permutation.rend(), 0);
    }
    if (!in.is_constant()) return node.set_output_like(in, 0, node.emit(transpose, {node.value(0)}));
    const Shape out = infer_shape(transpose, {shape});
    const std::vector<int64_t> own = row_major(shape.dims);
    std::vector<int64_t> strides;
    for (int axis : transpose.permutation) strides.push_back(own[static_cast<size_t>(axis)]);
    node.state().charge(out.size());
    node.set_output(0, strided(*in.constant, out.dims, 0, strides));
}

/// Output `i` becomes the elements `slice` of input 0, `dims` of them; `label` tells several of one node
/// apart.
void take_slice(OnnxNode& node, size_t i, const op::Slice& slice, const std::vector<int64_t>& dims,
                const std::string& label) {
    const Symbol& in = node.input(0);
    const Shape shape = node.shape(0), out{dims, shape.per_image};
    if (!in.is_constant()) {
        const ValueId value = node.value(0);
        return node.set_output_like(in, i,
                                    shape == out && slice.step == std::vector<int64_t>(dims.size(), 1)
                                        ? value
                                        : node.emit_as(slice, {value}, out, label));
    }
    check_shapes(slice, {shape}, out);
    std::vector<int64_t> strides = row_major(shape.dims);
    int64_t offset = 0;
    for (size_t axis = 0; axis < dims.size(); ++axis) {
        offset += slice.begin[axis] * strides[axis];
        strides[axis] *= slice.step[axis];
    }
    node.state().charge(out.size());
    node.set_output(i, strided(*in.constant, dims, offset, strides));
}

/// Begin, step and count of one axis, by the rules of the ONNX operator Slice.
void clamp_slice(int64_t begin, int64_t end, int64_t step, size_t axis, op::Slice& slice,
                 std::vector<int64_t>& dims) {
    const int64_t extent = dims[axis];
    if (step == 0 || step == std::numeric_limits<int64_t>::min()) refuse(fmt::format("a step of {}", step));
    // Up: begin and end in [0, extent]. Down: begin in [0, extent - 1], end in [-1, extent - 1].
    const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? extent : extent - 1;
    const auto clamped = [&](int64_t at, int64_t least) {
        return std::clamp(at < 0 ? std::max(at, -extent - 1) + extent : at, least, std::max(high, least));
    };
    begin = clamped(begin, 0);
    end = clamped(end, low);
    const int64_t distance = step > 0 ? end - begin : begin - end;
    const int64_t stride = std::min(std::abs(step), max_elements);
    dims[axis] = extent == 0 || distance <= 0 ? 0 : (distance - 1) / stride + 1;
    slice.begin[axis] = begin;
    slice.step[axis] = step > 0 ? stride : -stride;
}

struct SliceLists {
    std::vector<int64_t> begins, ends, axes, steps;
    std::vector<uint8_t> end_scales;  ///< not empty: where not 0, the end counts times the number of images
};

SliceLists slice_lists(OnnxNode& node) {
    if (node.opset() < 10)
        return {node.integers("starts"), node.integers("ends"), node.integers("axes"), {}, {}};
    const Constant& ends = node.constant(2, "list of ends");
    if (ends.is_real()) refuse("the list of ends holds no integers");
    SliceLists lists{node.integer_list(1, "list of starts"), ends.integers, {}, {}, ends.per_batch};
    if (node.has_input(3)) lists.axes = node.integer_list(3, "list of axes");
    if (node.has_input(4)) lists.steps = node.integer_list(4, "list of steps");
    return lists;
}

/// Whether entry i takes all of axis 0, for any number of images: up to an end that is as far as integers go,
/// or counts every image, or lies beyond the batch that the file bakes in.
bool takes_whole_batch(const OnnxNode& node, const SliceLists& lists, size_t i, int64_t extent) {
    constexpr int64_t to_the_end = std::numeric_limits<int32_t>::max();
    if (lists.begins[i] != 0 || lists.steps[i] != 1) return false;
    if (!lists.end_scales.empty() && lists.end_scales[i]) return lists.ends[i] >= extent;
    const std::optional<int64_t>& batch = node.state().file_batch;
    return lists.ends[i] >= (batch ? *batch * extent : to_the_end);
}

void import_slice(OnnxNode& node) {
    SliceLists lists = slice_lists(node);
    const Shape in = node.shape(0);
    const size_t count = lists.begins.size();
    if (lists.steps.empty()) lists.steps.assign(count, 1);
    if (lists.axes.empty())
        for (size_t i = 0; i < count; ++i) lists.axes.push_back(static_cast<int64_t>(i));
    if (lists.ends.size() != count || lists.axes.size() != count || lists.steps.size() != count)
        refuse(fmt::format("{} starts, {} ends, {} axes and {} steps", count, lists.ends.size(),
                           lists.axes.size(), lists.steps.size()));
    resolve_axes(lists.axes, in.dims.size());  // none may be listed twice
    std::vector<int64_t> dims = in.dims;
    op::Slice slice{std::vector<int64_t>(dims.size(), 0), std::vector<int64_t>(dims.size(), 1)};
    for (size_t i = 0; i < count; ++i) {
        const auto axis = static_cast<size_t>(resolve_axis(lists.axes[i], dims.size()));
        if (in.per_image && axis == 0) {
            if (takes_whole_batch(node, lists, i, dims[0])) continue;
            refuse("slices axis 0, the batch: images must not be picked");
        }
        if (!lists.end_scales.empty() && lists.end_scales[i])
            refuse(fmt::format("the end along axis {} depends on the number of images", axis));
        clamp_slice(lists.begins[i], lists.ends[i], lists.steps[i], axis, slice, dims);
    }
    take_slice(node, 0, slice, dims, "");
}

/// Extents of the parts: listed, or as equal as they come.
std::vector<int64_t> split_sizes(OnnxNode& node, int64_t extent) {
    if (node.opset() < 13 && node.has_attribute("split")) return node.integers("split");
    if (node.opset() >= 13 && node.has_input(1)) return node.integer_list(1, "list of parts");
    const auto parts = static_cast<int64_t>(node.outputs());
    if (node.integer("num_outputs", parts) != parts)
        refuse(fmt::format("attribute 'num_outputs' is not {}", parts));
    if (parts == 0) refuse("it has no outputs");
    const int64_t each = (extent + parts - 1) / parts;
    std::vector<int64_t> sizes(static_cast<size_t>(parts), each);
    sizes.back() = extent - each * (parts - 1);
    return sizes;
}

void import_split(OnnxNode& node) {
    const Shape in = node.shape(0);
    const auto axis = static_cast<size_t>(resolve_axis(node.integer("axis", 0), in.dims.size()));
    if (in.per_image && axis == 0) refuse("splits axis 0, the batch: images must not be picked");
    const std::vector<int64_t> sizes = split_sizes(node, in.dims[axis]);
    op::Slice slice{std::vector<int64_t>(in.dims.size(), 0), std::vector<int64_t>(in.dims.size(), 1)};
    int64_t& begin = slice.begin[axis];
    if (sizes.size() < node.outputs())
        refuse(fmt::format("{} parts for {} outputs", sizes.size(), node.outputs()));
    for (size_t i = 0; i < sizes.size(); ++i) {
        if (sizes[i] < 0 || sizes[i] > in.dims[axis] - begin)
            refuse(
                fmt::format("parts of ({}) along axis {} of {}", fmt::join(sizes, " "), axis, to_string(in)));
        std::vector<int64_t> dims = in.dims;
        dims[axis] = sizes[i];
        if (node.has_output(i)) take_slice(node, i, slice, dims, fmt::format("{}", i));
        begin += sizes[i];
    }
    if (begin != in.dims[axis])
        refuse(fmt::format("parts of ({}) along axis {} of {}", fmt::join(sizes, " "), axis, to_string(in)));
}

// ---- Gather, Concat, Pad, Expand
// -----------------------------------------------------------------------------------

/// How PyTorch writes as_strided of what is contiguous: every entry along the batch axis, in order, under new
/// extents. With the file's batch of 1 that is a reshape of each image.
bool picks_all_in_order(const OnnxNode& node, const op::Gather& gather, const Shape& shape) {
    if (node.state().file_batch != 1) return false;  // of several images it picks the first
    if (gather.axis != 0 || !shape.per_image || gather.indices_dims.empty()) return false;
    if (static_cast<int64_t>(gather.indices.size()) != shape.dims[0]) return false;
    for (size_t i = 0; i < gather.indices.size(); ++i)
        if (gather.indices[i] != static_cast<int64_t>(i)) return false;
    return true;
}

void import_gather(OnnxNode& node) {
    const Symbol& in = node.input(0);
    const Shape shape = node.shape(0);
    op::Gather gather;
    gather.axis = resolve_axis(node.integer("axis", 0), shape.dims.size());
    gather.indices = node.integer_list(1, "list of indices");
    gather.indices_dims = node.input(1).constant->dims;
    const int64_t extent = shape.dims[static_cast<size_t>(gather.axis)];
    for (int64_t& index : gather.indices)
        if (index < 0 && index >= -extent) index += extent;
    if (picks_all_in_order(node, gather, shape)) {
        Shape out{gather.indices_dims, true};
        out.dims.insert(out.dims.end(), shape.dims.begin() + 1, shape.dims.end());
        return node.set_output_like(in, 0, node.emit_as(op::Reshape{}, {node.value(0)}, std::move(out)));
    }
    if (!in.is_constant()) return node.set_output_like(in, 0, node.emit(gather, {node.value(0)}));
    const Shape out = infer_shape(gather, {shape});
    node.state().charge(out.size());
    node.set_output(0, picked(*in.constant, gather.axis, gather.indices, out.dims));
}

/// Joins a value with constants, which come to be the same for every image: the value is padded with zeros to
/// its place, then the constants, with zeros in the place of the value, are added.
ValueId concat_with_constants(OnnxNode& node, int axis) {
    const auto at = static_cast<size_t>(axis);
    Shape like{{}, false};
    std::vector<size_t> values;
    for (size_t i = 0; i < node.inputs(); ++i)
        if (!node.input(i).is_constant()) values.push_back(i), like = node.shape(i);
    if (values.size() != 1) refuse("joins several computed values with constants; supported is one value");
    if (like.per_image && axis == 0) refuse("joins along axis 0, the batch: images must not mix");
    op::Pad pad{PadMode::constant, std::vector<int64_t>(like.dims.size(), 0),
                std::vector<int64_t>(like.dims.size(), 0), 0};
    std::vector<Constant> parts;
    for (size_t i = 0; i < node.inputs(); ++i) {
        std::vector<int64_t> dims = like.dims;
        if (like.per_image) dims[0] = 1;
        if (i == values[0]) {
            node.state().charge(checked_count(dims));
            parts.push_back(make_constant(1, dims));
            continue;
        }
        const Tensor constant = node.numbers(i, "input");
        if (constant.dims.size() == dims.size()) dims[at] = constant.dims[at];
        if (constant.dims != dims)
            refuse(fmt::format("joins {} with the constant {} along axis {}", to_string(like),
                               to_string({constant.dims, false}), axis));
        int64_t& beside = i < values[0] ? pad.begin[at] : pad.end[at];
        beside += dims[at];
        parts.push_back(real_constant(dims, constant.data));
    }
    std::vector<const Constant*> pointers;
    for (const Constant& part : parts) pointers.push_back(&part);
    Constant all = joined(pointers, axis);
    const ValueId padded = node.emit(pad, {node.value(values[0])}, "pad");
    return node.emit(op::Binary{BinaryKind::add},
                     {padded, node.emit_constant(all.dims, all.reals, "constants")});
}

Constant joined_inputs(OnnxNode& node, int axis) {
    std::vector<const Constant*> parts;
    std::vector<Shape> shapes;
    for (size_t i = 0; i < node.inputs(); ++i) {
        parts.push_back(&node.constant(i, "input"));
        shapes.push_back(node.shape(i));
        if (parts[i]->type != parts[0]->type) refuse("joins elements of different types");
    }
    node.state().charge(infer_shape(op::Concat{axis}, shapes).size());
    return joined(parts, axis);
}

void import_concat(OnnxNode& node) {
    if (node.inputs() == 0) refuse("it has no inputs");
    const int axis = resolve_axis(node.integer("axis", 0), node.shape(0).dims.size());
    if (node.all_constant()) return node.set_output(0, joined_inputs(node, axis));
    std::vector<ValueId> values;
    bool has_constants = false;
    for (size_t i = 0; i < node.inputs(); ++i) has_constants = has_constants || node.input(i).is_constant();
    if (has_constants) return node.set_output(0, concat_with_constants(node, axis));
    for (size_t i = 0; i < node.inputs(); ++i) values.push_back(node.value(i));
    node.set_output(0, node.emit(op::Concat{axis}, values));
}

/// Both begin and end of every axis: from the attribute (opset < 11), or the inputs, which may list axes
/// (opset 18).
std::vector<int64_t> read_pads(OnnxNode& node, size_t rank) {
    const std::vector<int64_t> given =
        node.opset() < 11 ? node.integers("pads") : node.integer_list(1, "list of pads");
    std::vector<int64_t> axes;
    if (node.opset() >= 18 && node.has_input(3)) {
        axes = node.integer_list(3, "list of axes");
        resolve_axes(axes, rank);  // none may be listed twice
    } else {
        axes.resize(rank);
        std::iota(axes.begin(), axes.end(), 0);
    }
    if (given.size() != 2 * axes.size())
        refuse(
            fmt::format("{} pads for {} axes; expected a begin and an end each", given.size(), axes.size()));
    std::vector<int64_t> pads(2 * rank, 0);
    for (size_t i = 0; i < axes.size(); ++i) {
        const auto axis = static_cast<size_t>(resolve_axis(axes[i], rank));
        pads[axis] = given[i];
        pads[rank + axis] = given[axes.size() + i];
    }
    return pads;
}

void import_pad(OnnxNode& node) {
    const Shape in = node.shape(0);
    const std::string mode = node.text("mode", "constant");
    const auto rank = static_cast<int64_t>(in.dims.size());
    const std::vector<int64_t> pads = read_pads(node, in.dims.size());
    op::Pad pad;
    pad.begin.assign(pads.begin(), pads.begin() + rank);
    pad.end.assign(pads.begin() + rank, pads.end());
    pad.value = node.opset() < 11 ? node.real("value", 0) : node.scalar(2, "padding value", 0);
    if (mode == "reflect")
        pad.mode = PadMode::reflect;
    else if (mode == "edge")
        pad.mode = PadMode::edge;
    else if (mode != "constant")
        refuse(fmt::format("attribute 'mode' is '{}'; supported are constant, reflect, edge", mode));
    if (pad.mode != PadMode::constant) pad.value = 0;
    node.set_output(0, node.emit(std::move(pad), {node.value(0)}));
}

/// The extents an Expand asks for, those along the batch being 1: a constant broadcasts along it.
std::vector<int64_t> expand_target(OnnxNode& node, const Shape& in) {
    const Constant& list = node.constant(1, "shape");
    if (list.is_real() || list.dims.size() != 1) refuse("the shape asked for is not a list of integers");
    std::vector<int64_t> target = list.integers;
    for (size_t i = 0; i < target.size(); ++i)
        if (list.scales(i)) {
            if (i != 0) refuse(fmt::format("the shape asked for has the number of images in axis {}", i));
            target[0] = 1;
        }
    const std::optional<int64_t>& batch = node.state().file_batch;
    const bool batch_as_number = batch && in.per_image && target.size() == in.dims.size() && !list.scales(0);
    if (batch_as_number && target[0] == in.dims[0] * *batch) target[0] = 1;
    checked_count(target);
    return target;
}

void import_expand(OnnxNode& node) {
    const Symbol& in = node.input(0);
    const Shape shape = node.shape(0), target{expand_target(node, shape), false};
    const Shape out = infer_shape(op::Binary{}, {shape, target});
    if (in.is_constant()) {
        node.state().charge(out.size());
        return node.set_output(0,
                               strided(*in.constant, out.dims, 0, broadcast_strides(shape.dims, out.dims)));
    }
    const ValueId value = node.value(0);
    if (out == shape) return node.set_output_like(in, 0, value);
    // x times ones of the target's extents; where x has the extent already, one of them is enough.
    std::vector<int64_t> ones = target.dims;
    for (size_t i = 0; i < ones.size() && i < shape.dims.size(); ++i)
        if (shape.dims[shape.dims.size() - 1 - i] != 1) ones[ones.size() - 1 - i] = 1;
    node.state().charge(checked_count(ones));
    std::vector<float> data(static_cast<size_t>(checked_count(ones)), 1.0f);
    node.set_output(0, node.emit(op::Binary{BinaryKind::multiply},
                                 {value, node.emit_constant(ones, std::move(data), "ones")}));
}

constexpr OnnxOperator operators[] = {
    {"Concat", import_concat}, {"Expand", import_expand}, {"Gather", import_gather},
    {"Pad", import_pad},       {"Slice", import_slice},   {"Split", import_split},
    {"Transpose", import_transpose},
};

}  // namespace

std::span<const OnnxOperator> movement_operators() { return operators; }

}  // namespace mho
