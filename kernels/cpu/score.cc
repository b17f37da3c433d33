#include "kernels/cpu/score.h"

#include <algorithm>
#include <cmath>

#include "kernels/elementary.h"

namespace mho {

Score& Score::operator+=(const Score& other) {
    images += other.images;
    top1 += other.top1;
    top5 += other.top5;
    loss += other.loss;
    return *this;
}

}  // namespace mho

namespace mho::cpu {
namespace {

constexpr double kLossLimit = 0x1p20;  // a loss that is not finite must not swallow the sum

/// How many classes come before `label`: larger logits, and equal ones of lower class. A logit that is not a
/// number comes last, and so does its label.
int64_t rank_of(std::span<const float> logits, size_t label) {
    if (std::isnan(logits[label])) return static_cast<int64_t>(logits.size());
    int64_t rank = 0;
    for (size_t c = 0; c < logits.size(); ++c)
        rank += logits[c] > logits[label] || (c < label && logits[c] == logits[label]);
    return rank;
}

double loss_of(std::span<const float> logits, size_t label) {
    const float largest = *std::max_element(logits.begin(), logits.end());
    float sum = 0;
    for (float l : logits) sum += exp_of(l - largest);
    const double loss = log_unit(sum) - (logits[label] - largest);
    return std::isfinite(loss) ? std::min(loss, kLossLimit) : kLossLimit;
}

}  // namespace

Score score(std::span<const float> logits, std::span<const int32_t> labels) {
    Score s;
    const size_t classes = logits.size() / std::max<size_t>(labels.size(), 1);
    for (size_t i = 0; i < labels.size(); ++i) {
        const std::span<const float> row = logits.subspan(i * classes, classes);
        const size_t label = static_cast<size_t>(labels[i]);
        const int64_t rank = rank_of(row, label);
        ++s.images;
        s.top1 += rank < 1;
        s.top5 += rank < 5;
        s.loss += static_cast<int64_t>(std::llrint(loss_of(row, label) * 0x1p32));
    }
    return s;
}

}  // namespace mho::cpu
