#include "kernels/cpu/score.h"

#include <algorithm>

#include "kernels/steps/loss.h"

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

Score score(std::span<const float> logits, std::span<const int32_t> labels) {
    Score s;
    const size_t classes = logits.size() / std::max<size_t>(labels.size(), 1);
    for (size_t i = 0; i < labels.size(); ++i) {
        const float* row = logits.data() + i * classes;
        const int64_t rank = rank_of(row, static_cast<int64_t>(classes), labels[i]);
        ++s.images;
        s.top1 += rank < 1;
        s.top5 += rank < 5;
        s.loss += fixed_loss(row, static_cast<int64_t>(classes), labels[i]);
    }
    return s;
}

}  // namespace mho::cpu
