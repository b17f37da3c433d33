#include "host/run/chips_to_run.h"

#include <algorithm>
#include <span>

#include "host/results/findings.h"
#include "host/statistics/statistics.h"

namespace mho {
namespace {

/// The first chip number that the point goes without for now.
int64_t end_of_next(const std::vector<ChipResult>& finished, const MonteCarloConfig& wanted) {
    if (wanted.until <= 0) return wanted.chips;
    size_t complete = 0;  // chips from the first one on, without a gap
    while (complete < finished.size() && finished[complete].chip == static_cast<int64_t>(complete))
        ++complete;
    const int64_t chips = static_cast<int64_t>(complete);
    const RightImages top1 = right_images(std::span(finished).first(complete));
    const bool stops = is_checkpoint(chips) && narrow_enough(top1, wanted.until, wanted.confidence);
    return std::min(wanted.chips, stops ? chips : next_checkpoint(chips));
}

}  // namespace

std::vector<uint32_t> next_chips(const std::vector<ChipResult>& finished, const MonteCarloConfig& wanted) {
    constexpr size_t kMost = 4096;  // nothing grows with chips that are not done
    const int64_t end = end_of_next(finished, wanted);
    std::vector<uint32_t> chips;
    auto there = finished.begin();
    for (int64_t chip = 0; chip < end && chips.size() < kMost; ++chip) {
        while (there != finished.end() && there->chip < chip) ++there;
        if (there == finished.end() || there->chip != chip) chips.push_back(static_cast<uint32_t>(chip));
    }
    return chips;
}

}  // namespace mho
