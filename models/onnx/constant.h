// models/onnx/constant.h - constants while an ONNX file is read: any element type, decoded from TensorProto.
// To add an element type: its line in `element_types` in constant.cc.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "models/graph.h"

namespace onnx {
class TensorProto;
}

namespace mho {

/// A constant tensor, row-major. Every float type is held as float32, every integer type and bool as int64.
struct Constant {
    int32_t type = 1;  ///< onnx::TensorProto_DataType
    std::vector<int64_t> dims;
    std::vector<float> reals;       ///< the elements, where the type is a float type
    std::vector<int64_t> integers;  ///< the elements, where it is not
    /// Where not empty: per_batch[i] says that element i stands for its value times the number of images (an
    /// extent that grows with the batch). See docs of OnnxOptions::any_batch.
    std::vector<uint8_t> per_batch;

    bool is_real() const;
    int64_t size() const { return static_cast<int64_t>(is_real() ? reals.size() : integers.size()); }
    bool scales(size_t i) const { return !per_batch.empty() && per_batch[i] != 0; }
    double number(size_t i) const { return is_real() ? double{reals[i]} : static_cast<double>(integers[i]); }
};

using ConstantPtr = std::shared_ptr<const Constant>;

/// float, double, float16 or bfloat16.
bool is_real_type(int32_t onnx_type);
/// A type that a Constant can hold.
bool is_supported_type(int32_t onnx_type);
/// "FLOAT", "INT64", ..., or the number of a type that has no name here.
std::string type_name(int32_t onnx_type);

/// Product of `dims`. Throws InputError where one is negative or the product is over max_elements.
int64_t checked_count(const std::vector<int64_t>& dims);

/// Makes an empty constant of `type` and `dims`, its elements zero.
Constant make_constant(int32_t onnx_type, std::vector<int64_t> dims);
Constant integer_constant(std::vector<int64_t> values);
Constant real_constant(std::vector<int64_t> dims, std::vector<float> values);

/// Decodes a tensor, inline or in an external file below `directory`.
/// Throws InputError that says what is wrong with it.
Constant decode_tensor(const onnx::TensorProto& tensor, const std::filesystem::path& directory);

}  // namespace mho
