// kernels/cpu/score.h - logits against labels: top-1, top-5 and cross-entropy, as whole numbers that add up
// in any order.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/backend.h"

namespace mho::cpu {

/// logits: labels.size() x classes. The loss of one image is log(sum exp(l - max)) - (l[label] - max) in
/// float32, the sum taken in order of class; it counts rounded to a multiple of 2^-20, and at most 2^20.
Score score(std::span<const float> logits, std::span<const int32_t> labels);

}  // namespace mho::cpu
