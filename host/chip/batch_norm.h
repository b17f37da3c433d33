// host/chip/batch_norm.h - batch normalisation at inference: an affine map a channel, folded into a layer or
// standing alone.
#pragma once

#include <cstdint>
#include <vector>

#include "models/queries.h"

namespace mho {

/// y = scale x + shift, one of each a channel.
struct ChannelAffine {
    std::vector<float> scale;  ///< gamma / sqrt(variance + epsilon)
    std::vector<float> shift;  ///< beta - mean scale
};

/// Effective scale and shift of a batch norm, computed in double precision. Source: docs/physics.md
/// section 5.
ChannelAffine channel_affine(const op::BatchNorm& norm);

/// Folds every batch norm into the convolution or linear layer that alone feeds it; one that has no such
/// layer stays.
NumberedGraph fold_batch_norm(const NumberedGraph& network);

}  // namespace mho
