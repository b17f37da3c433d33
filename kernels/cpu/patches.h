// kernels/cpu/patches.h - the integer codes that enter a crossbar layer, and the im2col patches of them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/crossbar/calibration.h"
#include "kernels/crossbar/input_code.h"
#include "kernels/plan.h"

namespace mho::cpu {

/// The input vectors of one crossbar step for one batch: one a position of the output, K codes for each
/// group, in the order of the weights (channel, depth, height, width). Padding is code 0.
class Patches {
  public:
    /// x_dims, y_dims: extents of input and output for the batch (images channels last; a linear layer reads
    /// the last axis).
    Patches(const step::Crossbar& step, int64_t groups, const std::vector<int64_t>& x_dims,
            const std::vector<int64_t>& y_dims);

    void encode(const float* x, const CodePlan& plan, float x_lsb_inverse);

    int64_t vectors() const { return vectors_; }  ///< over the batch
    void gather(int64_t group, int64_t vector, int32_t* codes) const;

  private:
    Window window_;
    std::array<int64_t, 3> in_{1, 1, 1}, out_{1, 1, 1};  // depth, height, width
    int64_t channels_ = 0, group_channels_ = 0, vectors_ = 0;
    std::vector<int32_t> codes_;  // of the whole input
};

}  // namespace mho::cpu
