// models/onnx/folded.cc - operators that pass a value on, or exist in folded chains alone: Constant, Shape,
// Cast, ... To add one: see import.h.
#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <cmath>

#include "models/onnx/import.h"
#include "models/onnx/strided.h"

namespace mho {

namespace {

constexpr int32_t kInt64 = onnx::TensorProto::INT64;

void import_constant(OnnxNode& node) {
    for (const char* form : {"value_string", "value_strings", "sparse_value"})
        if (node.has_attribute(form))
            refuse(fmt::format("attribute '{}' is not supported: constants are dense numbers here", form));
    if (node.has_attribute("value_float"))
        return node.set_output(0, real_constant({}, {node.real("value_float", 0)}));
    if (node.has_attribute("value_floats")) {
        std::vector<float> values = node.reals("value_floats");
        const int64_t count = static_cast<int64_t>(values.size());
        return node.set_output(0, real_constant({count}, std::move(values)));
    }
    if (node.has_attribute("value_int")) {
        Constant c = make_constant(kInt64, {});
        c.integers[0] = node.integer("value_int", 0);
        return node.set_output(0, std::move(c));
    }
    if (node.has_attribute("value_ints"))
        return node.set_output(0, integer_constant(node.integers("value_ints")));
    node.set_output(0, node.tensor("value"));
}

void import_identity(OnnxNode& node) { node.set_output(0, node.input(0)); }

/// In evaluation mode: its input. Ratio, seed and training_mode do not matter then.
void import_dropout(OnnxNode& node) {
    node.integer("seed", 0);
    node.real("ratio", 0.5f);
    if (node.has_input(2) && node.number(2, "input training_mode") != 0)
        refuse("input 'training_mode' is true: export the network in evaluation mode (model.eval())");
    node.set_output(0, node.input(0));
}

/// The extents of its input; axis 0 of a value that is per image grows with the batch.
void import_shape(OnnxNode& node) {
    const Shape shape = node.shape(0);
    const int64_t rank = static_cast<int64_t>(shape.dims.size());
    auto bound = [&](int64_t place) {
        return std::clamp<int64_t>(place < 0 ? place + rank : place, 0, rank);
    };
    const int64_t begin = bound(node.integer("start", 0)),
                  end = std::max(begin, bound(node.integer("end", rank)));
    Constant c = integer_constant({shape.dims.begin() + begin, shape.dims.begin() + end});
    if (shape.per_image && begin == 0 && end > 0) {
        c.per_batch.assign(c.integers.size(), 0);
        c.per_batch[0] = 1;
    }
    node.set_output(0, std::move(c));
}

/// A constant as another type; a computed value between float types stays as it is.
void cast_to(OnnxNode& node, int32_t type) {
    if (!is_supported_type(type))
        refuse(fmt::format("casts to elements of type {}, which is not supported", type_name(type)));
    const Symbol& in = node.input(0);
    if (!in.is_constant()) {
        if (!is_real_type(type) || !is_real_type(in.type))
            refuse(fmt::format("casts a computed value to {}; mho computes with float types alone",
                               type_name(type)));
        return node.set_output(0, in);
    }
    const Constant& from = *in.constant;
    node.state().charge(from.size());
    Constant to = make_constant(type, from.dims);
    to.per_batch = from.per_batch;
    for (size_t i = 0; i < static_cast<size_t>(from.size()); ++i) {
        const double x = from.number(i);
        if (to.is_real()) {
            to.reals[i] = static_cast<float>(x);
        } else if (type == onnx::TensorProto::BOOL) {
            to.integers[i] = x != 0;
        } else {
            if (!(std::fabs(x) < 0x1p62)) refuse("casts a number to an integer that cannot hold it");
            to.integers[i] = from.is_real() ? static_cast<int64_t>(x) : from.integers[i];
        }
    }
    node.set_output(0, std::move(to));
}

void import_cast(OnnxNode& node) {
    node.integer("saturate", 1);
    const int64_t type = node.integer("to", 0);
    if (type < 0 || type > 1000) refuse("attribute 'to' is no element type");
    cast_to(node, static_cast<int32_t>(type));
}

void import_cast_like(OnnxNode& node) {
    node.integer("saturate", 1);
    cast_to(node, node.input(1).type);
}

void import_constant_of_shape(OnnxNode& node) {
    const std::vector<int64_t> dims = node.integer_list(0, "shape");
    node.state().charge(checked_count(dims));
    Constant value = node.has_attribute("value") ? node.tensor("value") : real_constant({1}, {0.0f});
    if (value.size() != 1) refuse("attribute 'value' must have one element");
    node.set_output(0, strided(value, dims, 0, std::vector<int64_t>(dims.size(), 0)));
}

constexpr OnnxOperator operators[] = {
    {"Cast", import_cast},         {"CastLike", import_cast_like},
    {"Constant", import_constant}, {"ConstantOfShape", import_constant_of_shape},
    {"Dropout", import_dropout},   {"Identity", import_identity},
    {"Shape", import_shape},
};

}  // namespace

std::span<const OnnxOperator> constant_operators() { return operators; }

}  // namespace mho
