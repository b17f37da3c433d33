// kernels/steps/loss.h - what one image adds to a score: the rank of its label and its loss.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/base/elementary.h"
#include "kernels/base/host_device.h"
#include "kernels/base/normal.h"

namespace mho {

/// Losses add up as whole numbers of 2^-20 nats, so that any order gives the same sum.
inline constexpr double kLossUnits = 0x1p20;
/// The most that one image counts: a loss that is not finite must not swallow the sum, and 2^23 images of
/// this one fit 63 bits.
inline constexpr float kLossLimit = 0x1p20f;

/// How many classes come before `label`: larger logits, and equal ones of lower class. A logit that is not a
/// number comes last, and so does its label.
MHO_HD inline int64_t rank_of(const float* logits, int64_t classes, int64_t label) {
    if (logits[label] != logits[label]) return classes;
    int64_t rank = 0;
    for (int64_t c = 0; c < classes; ++c)
        rank += logits[c] > logits[label] || (c < label && logits[c] == logits[label]);
    return rank;
}

/// -log softmax[label], rounded to whole units of 2^-20.
MHO_HD inline int64_t fixed_loss(const float* logits, int64_t classes, int64_t label) {
    float largest = logits[0], sum = 0;
    for (int64_t c = 1; c < classes; ++c)
        if (largest < logits[c]) largest = logits[c];
    for (int64_t c = 0; c < classes; ++c) sum += exp_of(logits[c] - largest);
    const float loss = log_unit(sum) - (logits[label] - largest);
    const bool usable = loss < kLossLimit;  // neither infinite nor no number
    return static_cast<int64_t>(rint(static_cast<double>(usable ? loss : kLossLimit) * kLossUnits));
}

}  // namespace mho
