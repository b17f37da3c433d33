#include "kernels/memory_plan.h"

#include <algorithm>
#include <limits>

namespace mho {
namespace {

constexpr int64_t kAlign = 16;  // floats: a cache line

struct Block {
    int64_t begin, size;
    int first, last;  // steps that need it, inclusive
};

/// The lowest place where nothing that is needed at the same time lies.
int64_t first_fit(const std::vector<Block>& placed, int64_t size, int first, int last) {
    int64_t at = 0;
    for (const Block& b : placed) {  // sorted by begin
        if (b.last < first || last < b.first) continue;
        if (at + size <= b.begin) break;
        at = std::max(at, b.begin + b.size);
    }
    return at;
}

}  // namespace

MemoryPlan plan_memory(const Plan& plan, int64_t images, bool keep_all) {
    const size_t count = plan.tensors.size();
    const int end = static_cast<int>(plan.steps.size());
    std::vector<int> root(count), first(count, end), last(count, -1);
    for (size_t t = 0; t < count; ++t) root[t] = static_cast<int>(t);
    auto needed = [&](TensorId tensor, int step) {
        const size_t r = static_cast<size_t>(root[static_cast<size_t>(tensor)]);
        first[r] = std::min(first[r], step);
        last[r] = std::max(last[r], step);
    };
    for (TensorId input : plan.inputs) needed(input, -1), needed(input, end);
    for (int i = 0; i < end; ++i) {
        const Step& step = plan.steps[static_cast<size_t>(i)];
        if (std::holds_alternative<step::Alias>(step.operation))
            root[static_cast<size_t>(step.output)] = root[static_cast<size_t>(step.inputs[0])];
        for (TensorId input : step.inputs) needed(input, i);
        needed(step.output, i);
        if (keep_all) needed(step.output, end);
    }
    for (TensorId output : plan.outputs) needed(output, end);

    MemoryPlan memory{std::vector<int64_t>(count, 0), 0};
    std::vector<Block> placed;
    for (size_t t = 0; t < count; ++t) {
        if (root[t] != static_cast<int>(t) || last[t] < first[t]) continue;
        const int64_t size = (plan.elements(static_cast<TensorId>(t), images) + kAlign - 1) / kAlign * kAlign;
        const int64_t at = first_fit(placed, size, first[t], last[t]);
        const Block block{at, size, first[t], last[t]};
        placed.insert(std::upper_bound(placed.begin(), placed.end(), block,
                                       [](const Block& a, const Block& b) { return a.begin < b.begin; }),
                      block);
        memory.offset[t] = at;
        memory.size = std::max(memory.size, at + size);
    }
    for (size_t t = 0; t < count; ++t) memory.offset[t] = memory.offset[static_cast<size_t>(root[t])];
    return memory;
}

}  // namespace mho
