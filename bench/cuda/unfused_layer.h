// bench/cuda/unfused_layer.h - one crossbar layer the way other simulators run it on a GPU: all conductances
// of a chip are drawn by cuRAND and written to memory, inputs are unrolled bit by bit (im2col), every slice,
// polarity, row tile and read step is a GEMM of cuBLAS, and a kernel of its own converts and adds up the
// codes. The baseline of fused_bench.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace mho::bench {

/// A linear layer: vectors x rows times rows x columns; 8-bit unsigned inputs read bit by bit.
struct LayerShape {
    int64_t vectors = 0, rows = 0, columns = 0;
    int64_t tile_rows = 256;
    int slices = 4, polarities = 2, steps = 8, cell_bits = 2;
};

/// code = clamp(rint(sum a + b), 0, largest).
struct PlainConverter {
    float a = 1, b = 0, largest = 255;
};

class UnfusedLayer {
  public:
    /// target: [slice][polarity][row][column], grid codes; codes: [vector][row].
    UnfusedLayer(const LayerShape& shape, const std::vector<int16_t>& target,
                 const std::vector<uint8_t>& codes, const PlainConverter& converter);
    ~UnfusedLayer();

    /// Draws a chip with programming errors of `sigma` grid codes and reads all vectors once; returns when
    /// done.
    void run(float sigma, uint64_t seed);
    /// Codes joined over slices, polarities, tiles and steps: [vector][column].
    std::vector<float> joined() const;

  private:
    struct Device;
    std::unique_ptr<Device> device_;
};

}  // namespace mho::bench
