// kernels/cpu/product.h - digital and parameter-level convolutions and linear layers, through oneDNN, in
// float32. One Product a step and batch size holds the primitive; weights lie in the format that oneDNN chose
// for it.
#pragma once

#include <cstdint>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
#include <vector>

#include "kernels/product_shape.h"

namespace mho::cpu {

dnnl::engine& engine();

/// Only ReLU and clip are oneDNN post-operations with exact results; others are applied afterwards.
bool fuses(const Activation& activation);

class Product {
  public:
    /// weight_format: as another Product of this layer chose it (for another batch size), or nothing: let
    /// oneDNN choose.
    Product(const ProductShape& shape, bool has_bias, const std::optional<Activation>& activation,
            const std::optional<dnnl::memory::desc>& weight_format = {});

    dnnl::memory::desc weight_format() const { return primitive_.weights_desc(); }
    size_t scratch_bytes() const { return primitive_.scratchpad_desc().get_size(); }

    /// weight: as weight_format() says; bias: O floats or null.
    void run(dnnl::stream& stream, const float* x, const void* weight, const float* bias, float* y,
             void* scratch);

  private:
    dnnl::convolution_forward::primitive_desc primitive_;
    dnnl::convolution_forward convolution_;
    dnnl::memory x_, weight_, bias_, y_, scratch_;
};

/// Weights O x C/groups x kernel, row-major, moved into a Product's format.
class PackedWeight {
  public:
    PackedWeight() = default;
    PackedWeight(const ProductShape& shape, const dnnl::memory::desc& format);
    void pack(const float* weight);
    const void* data() const { return packed_.get_data_handle(); }
    dnnl::memory::desc format() const { return packed_.get_desc(); }

  private:
    dnnl::memory plain_, packed_;
    dnnl::reorder reorder_;
};

}  // namespace mho::cpu
