// models/shapes.cc - the shape that each operation of graph.h gives, and what it asks of its inputs.
// The only place with shape rules. One function an operation; check_shapes for the two whose output states
// the target. All arithmetic stays below 2^63: extents and sizes are at most max_elements, window numbers at
// most max_window.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>

#include "kernels/base/error.h"
#include "models/graph.h"

namespace mho {

namespace {

constexpr size_t max_rank = 16;

using Shapes = std::vector<Shape>;

template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) {
    throw InputError(fmt::format(text, std::forward<Args>(args)...));
}

void check_size(const Shape& shape) {
    if (shape.dims.size() > max_rank)
        fail("a value of {} axes; at most {} are allowed", shape.dims.size(), max_rank);
    int64_t size = 1;
    for (int64_t extent : shape.dims) {
        if (extent < 0) fail("the shape {} has a negative extent", to_string(shape));
        // Zero extents do not lift the limit: the other extents still have to multiply.
        if (extent > max_elements / size)
            fail("the shape {} has more than 2^31 elements{}", to_string(shape),
                 shape.per_image ? " an image" : "");
        size *= std::max<int64_t>(extent, 1);
    }
    if (shape.per_image && shape.dims.empty()) fail("a scalar has no batch axis");
}

const Shape& only(const Shapes& inputs) {
    if (inputs.size() != 1) fail("takes one input, found {}", inputs.size());
    return inputs[0];
}

int rank_of(const Shape& shape) { return static_cast<int>(shape.dims.size()); }

void check_axis(const Shape& shape, int axis) {
    if (axis < 0 || axis >= rank_of(shape)) fail("axis {} of the shape {}", axis, to_string(shape));
}

void keep_batch(const Shape& shape, int axis, const char* what) {
    if (shape.per_image && axis == 0)
        fail(
            "{} along axis 0, the batch, of {}: images must not mix (was the batch meant to be another "
            "axis?)",
            what, to_string(shape));
}

/// Of `tensor`: its size matches its dims, which are `dims`.
void check_tensor(const Tensor& tensor, const std::vector<int64_t>& dims, const char* name) {
    uint64_t size = 1;  // unsigned: a graph made by hand may state anything
    for (int64_t extent : dims) size *= static_cast<uint64_t>(extent);
    if (tensor.dims != dims || tensor.data.size() != size)
        fail("the {} has the shape {} and {} elements; expected {}", name, to_string({tensor.dims, false}),
             tensor.data.size(), to_string({dims, false}));
}

/// Number of window positions along one axis: floor((in + pads - reach) / stride) + 1.
int64_t positions(const Window& w, size_t axis, int64_t extent) {
    for (int64_t number : {w.kernel[axis], w.stride[axis], w.dilation[axis]})
        if (number < 1 || number > max_window)
            fail("kernel, stride and dilation must be 1 to {}, found {}", max_window, number);
    for (int64_t pad : {w.pad_begin[axis], w.pad_end[axis]})
        if (pad < 0 || pad > max_window) fail("padding must be 0 to {}, found {}", max_window, pad);
    const int64_t reach = (w.kernel[axis] - 1) * w.dilation[axis] + 1;
    const int64_t padded = extent + w.pad_begin[axis] + w.pad_end[axis];
    if (padded < reach)
        fail("the window spans {} elements of an axis of {}, padding included", reach, padded);
    return (padded - reach) / w.stride[axis] + 1;
}

Shape slide(const Window& window, int spatial_rank, const Shape& in, int64_t channels) {
    if (spatial_rank < 1 || spatial_rank > 3) fail("{} spatial axes; 1 to 3 are supported", spatial_rank);
    if (rank_of(in) != spatial_rank + 2)
        fail("a window over {} spatial axes needs an input of {} axes (N, C, spatial), found {}",
             spatial_rank, spatial_rank + 2, to_string(in));
    Shape out = in;
    out.dims[1] = channels;
    for (int i = 0; i < spatial_rank; ++i) {
        const auto axis = static_cast<size_t>(3 - spatial_rank + i);
        int64_t& extent = out.dims[static_cast<size_t>(2 + i)];
        if (extent == 0) fail("the input {} is empty", to_string(in));
        extent = positions(window, axis, extent);
    }
    return out;
}

Shape shape_of(const op::Conv& conv, const Shapes& inputs) {
    const Shape& in = only(inputs);
    const auto& dims = conv.weight.dims;
    if (static_cast<int>(dims.size()) != conv.spatial_rank + 2)
        fail("the weight {} needs {} axes", to_string({dims, false}), conv.spatial_rank + 2);
    const Shape out = slide(conv.window, conv.spatial_rank, in, dims[0]);
    if (conv.groups < 1 || dims[0] < 1 || dims[0] % conv.groups != 0)
        fail("{} outputs do not divide into {} groups", dims[0], conv.groups);
    std::vector<int64_t> expected = {dims[0], in.dims[1] / conv.groups};
    if (in.dims[1] % conv.groups != 0)
        fail("{} channels do not divide into {} groups", in.dims[1], conv.groups);
    for (size_t axis = static_cast<size_t>(3 - conv.spatial_rank); axis < 3; ++axis)
        expected.push_back(conv.window.kernel[axis]);
    check_tensor(conv.weight, expected, "weight");
    if (conv.weight.empty() || out.size() == 0)
        fail("the convolution of {} with the weight {} is empty", to_string(in), to_string({dims, false}));
    if (!conv.bias.empty()) check_tensor(conv.bias, {dims[0]}, "bias");
    return out;
}

Shape shape_of(const op::Linear& linear, const Shapes& inputs) {
    Shape out = only(inputs);
    if (linear.weight.dims.size() != 2)
        fail("the weight {} needs 2 axes", to_string({linear.weight.dims, false}));
    if (out.dims.empty()) fail("the input is a scalar");
    if (out.size() == 0 || linear.weight.data.empty())
        fail("the product of {} with the weight {} is empty", to_string(out),
             to_string({linear.weight.dims, false}));
    keep_batch(out, rank_of(out) - 1, "a matrix product");
    check_tensor(linear.weight, {linear.weight.dims[0], out.dims.back()}, "weight");
    if (!linear.bias.empty()) check_tensor(linear.bias, {linear.weight.dims[0]}, "bias");
    out.dims.back() = linear.weight.dims[0];
    return out;
}

Shape shape_of(const op::BatchNorm& norm, const Shapes& inputs) {
    const Shape& in = only(inputs);
    if (rank_of(in) < 2) fail("the input {} has no channel axis", to_string(in));
    const std::vector<int64_t> channels = {in.dims[1]};
    check_tensor(norm.scale, channels, "scale");
    check_tensor(norm.shift, channels, "shift");
    check_tensor(norm.mean, channels, "mean");
    check_tensor(norm.variance, channels, "variance");
    return in;
}

Shape shape_of(const op::LayerNorm& norm, const Shapes& inputs) {
    const Shape& in = only(inputs);
    check_axis(in, norm.axis);
    keep_batch(in, norm.axis, "a normalisation");
    const std::vector<int64_t> normalised(in.dims.begin() + norm.axis, in.dims.end());
    check_tensor(norm.scale, normalised, "scale");
    if (!norm.shift.empty()) check_tensor(norm.shift, normalised, "shift");
    return in;
}

Shape shape_of(const op::Activate&, const Shapes& inputs) { return only(inputs); }

Shape shape_of(const op::Binary&, const Shapes& inputs) {
    if (inputs.size() != 2) fail("takes two inputs, found {}", inputs.size());
    const size_t rank = std::max(inputs[0].dims.size(), inputs[1].dims.size());
    Shape out{std::vector<int64_t>(rank, 1), inputs[0].per_image || inputs[1].per_image};
    for (const Shape& in : inputs) {
        const size_t missing = rank - in.dims.size();
        if (in.per_image && missing > 0)
            fail("broadcasting {} with {} would move the batch from axis 0", to_string(inputs[0]),
                 to_string(inputs[1]));
        for (size_t axis = 0; axis < in.dims.size(); ++axis) {
            int64_t& extent = out.dims[missing + axis];
            if (extent == 1) extent = in.dims[axis];
            if (in.dims[axis] != 1 && in.dims[axis] != extent)
                fail("the shapes {} and {} do not broadcast", to_string(inputs[0]), to_string(inputs[1]));
        }
    }
    for (const Shape& in : inputs) {
        // A whole value is the same for every image, so it has no extent of its own along the batch; an
        // image's value has all of its own.
        const bool has_batch_axis = in.dims.size() == rank;
        if (out.per_image && has_batch_axis && in.dims[0] != (in.per_image ? out.dims[0] : 1))
            fail("the shapes {} and {} do not broadcast along the batch", to_string(inputs[0]),
                 to_string(inputs[1]));
    }
    return out;
}

Shape shape_of(const op::Pool& pool, const Shapes& inputs) {
    const Shape& in = only(inputs);
    if (rank_of(in) < 2) fail("the input {} has no channel axis", to_string(in));
    const Shape out = slide(pool.window, pool.spatial_rank, in, in.dims[1]);
    for (size_t axis = 0; axis < 3; ++axis) {
        const Window& w = pool.window;
        const int64_t reach = (w.kernel[axis] - 1) * w.dilation[axis] + 1;
        if (pool.ceil_extra[axis] < 0 || pool.ceil_extra[axis] > w.pad_end[axis])
            fail("{} elements added by ceil_mode to a padding of {}", pool.ceil_extra[axis], w.pad_end[axis]);
        if (w.pad_begin[axis] >= reach || w.pad_end[axis] - pool.ceil_extra[axis] >= reach)
            fail(
                "padding of {} and {} elements around a window that spans {}: some windows would hold "
                "padding alone",
                w.pad_begin[axis], w.pad_end[axis] - pool.ceil_extra[axis], reach);
    }
    return out;
}

Shape shape_of(const op::ReduceMean& mean, const Shapes& inputs) {
    const Shape& in = only(inputs);
    Shape out{{}, in.per_image};
    size_t next = 0;
    for (int axis = 0; axis < rank_of(in); ++axis) {
        const bool reduced = next < mean.axes.size() && mean.axes[next] == axis;
        if (!reduced) {
            out.dims.push_back(in.dims[static_cast<size_t>(axis)]);
            continue;
        }
        keep_batch(in, axis, "a mean");
        if (mean.keep_dims) out.dims.push_back(1);
        ++next;
    }
    if (next == 0 || next != mean.axes.size())
        fail("the axes {} are not distinct ascending axes of {}", fmt::join(mean.axes, " "), to_string(in));
    return out;
}

Shape shape_of(const op::Transpose& transpose, const Shapes& inputs) {
    const Shape& in = only(inputs);
    std::vector<int> sorted = transpose.permutation;
    std::sort(sorted.begin(), sorted.end());
    bool valid = static_cast<int>(sorted.size()) == rank_of(in);
    for (size_t i = 0; valid && i < sorted.size(); ++i) valid = sorted[i] == static_cast<int>(i);
    if (!valid)
        fail("({}) is not a permutation of the axes of {}", fmt::join(transpose.permutation, " "),
             to_string(in));
    if (in.per_image && transpose.permutation[0] != 0)
        fail("the permutation ({}) moves axis 0, the batch, of {}", fmt::join(transpose.permutation, " "),
             to_string(in));
    Shape out{{}, in.per_image};
    for (int axis : transpose.permutation) out.dims.push_back(in.dims[static_cast<size_t>(axis)]);
    return out;
}

Shape shape_of(const op::Concat& concat, const Shapes& inputs) {
    if (inputs.empty()) fail("takes at least one input");
    Shape out = inputs[0];
    check_axis(out, concat.axis);
    keep_batch(out, concat.axis, "a concatenation");
    const auto axis = static_cast<size_t>(concat.axis);
    for (size_t i = 1; i < inputs.size(); ++i) {
        Shape other = inputs[i];
        if (other.dims.size() != out.dims.size())
            fail("the shapes {} and {} do not join along axis {}", to_string(out), to_string(inputs[i]),
                 axis);
        const int64_t extent = other.dims[axis];
        other.dims[axis] = out.dims[axis];
        if (other != out)
            fail("the shapes {} and {} do not join along axis {}", to_string(out), to_string(inputs[i]),
                 axis);
        out.dims[axis] += extent;
        check_size(out);
    }
    return out;
}

Shape shape_of(const op::Gather& gather, const Shapes& inputs) {
    const Shape& in = only(inputs);
    check_axis(in, gather.axis);
    keep_batch(in, gather.axis, "picking");
    const auto axis = static_cast<size_t>(gather.axis);
    const Shape picked{gather.indices_dims, false};
    check_size(picked);
    if (picked.size() != static_cast<int64_t>(gather.indices.size()))
        fail("{} indices of the shape {}", gather.indices.size(), to_string(picked));
    for (int64_t index : gather.indices)
        if (index < 0 || index >= in.dims[axis])
            fail("index {} into axis {} of {}", index, axis, to_string(in));
    Shape out = in;
    const auto place = out.dims.erase(out.dims.begin() + gather.axis);
    out.dims.insert(place, gather.indices_dims.begin(), gather.indices_dims.end());
    return out;
}

Shape shape_of(const op::Pad& pad, const Shapes& inputs) {
    Shape out = only(inputs);
    if (pad.begin.size() != out.dims.size() || pad.end.size() != out.dims.size())
        fail("{} and {} paddings for the {} axes of {}", pad.begin.size(), pad.end.size(), out.dims.size(),
             to_string(out));
    for (size_t axis = 0; axis < out.dims.size(); ++axis) {
        const int64_t begin = pad.begin[axis], end = pad.end[axis], extent = out.dims[axis];
        if (begin == 0 && end == 0) continue;
        keep_batch(out, static_cast<int>(axis), "padding");
        if (std::max(begin, end) > max_elements)
            fail("padding of {} and {} around an axis of {} makes more than 2^31 elements", begin, end,
                 extent);
        // An image can lend what lies beside its border, not the border itself.
        const bool reaches_too_far = pad.mode == PadMode::reflect && std::max(begin, end) > extent - 1;
        if (reaches_too_far || (pad.mode == PadMode::edge && extent == 0))
            fail("padding of {} and {} around an axis of {}", begin, end, extent);
        if (begin < -extent || end < -extent || extent + begin + end < 0)
            fail("cropping of {} and {} from an axis of {}", -begin, -end, extent);
        out.dims[axis] = extent + begin + end;
    }
    return out;
}

Shape shape_of(const op::Softmax& softmax, const Shapes& inputs) {
    check_axis(only(inputs), softmax.axis);
    keep_batch(only(inputs), softmax.axis, "a softmax");
    return only(inputs);
}

Shape shape_of(const op::Reshape&, const Shapes&) {
    fail("the shape stands in the output, not in the inputs");
}
Shape shape_of(const op::Slice&, const Shapes&) { fail("the shape stands in the output, not in the inputs"); }

void check_reshape(const Shape& in, const Shape& out) {
    if (in.per_image != out.per_image || in.size() != out.size())
        fail("{} cannot become {}: another number of elements", to_string(in), to_string(out));
}

void check_slice(const op::Slice& slice, const Shape& in, const Shape& out) {
    const size_t rank = in.dims.size();
    if (out.dims.size() != rank || slice.begin.size() != rank || slice.step.size() != rank ||
        in.per_image != out.per_image)
        fail("{} from {} with {} begins and {} steps", to_string(out), to_string(in), slice.begin.size(),
             slice.step.size());
    for (size_t axis = 0; axis < rank; ++axis) {
        const int64_t begin = slice.begin[axis], step = slice.step[axis], count = out.dims[axis];
        const int64_t extent = in.dims[axis];
        if (begin == 0 && step == 1 && count == extent) continue;
        keep_batch(in, static_cast<int>(axis), "a slice");
        if (step == 0 || step < -max_elements || step > max_elements)
            fail("step {} along axis {}", step, axis);
        if (count == 0) continue;
        const bool begins_inside = begin >= 0 && begin < extent;
        const int64_t room =
            step > 0 ? extent - 1 - begin : begin;  // elements beyond the first, in the direction
        if (!begins_inside || count - 1 > room / std::abs(step))
            fail("{} elements from {} in steps of {} leave axis {} of {}", count, begin, step, axis,
                 to_string(in));
    }
}

}  // namespace

Shape infer_shape(const Operation& operation, const std::vector<Shape>& inputs) {
    for (const Shape& in : inputs) check_size(in);
    Shape out = std::visit([&](const auto& kind) { return shape_of(kind, inputs); }, operation);
    check_size(out);
    return out;
}

void check_shapes(const Operation& operation, const std::vector<Shape>& inputs, const Shape& output) {
    const auto* slice = std::get_if<op::Slice>(&operation);
    if (slice || std::holds_alternative<op::Reshape>(operation)) {
        check_size(only(inputs));
        check_size(output);
        return slice ? check_slice(*slice, inputs[0], output) : check_reshape(inputs[0], output);
    }
    const Shape inferred = infer_shape(operation, inputs);
    if (inferred != output) fail("gives {}, but its output says {}", to_string(inferred), to_string(output));
}

}  // namespace mho
