// kernels/memory_plan.h - where the activations of a plan lie in one block of memory.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/plan.h"

namespace mho {

struct MemoryPlan {
    std::vector<int64_t> offset;  ///< of each tensor, in floats, a multiple of 16
    int64_t size = 0;             ///< floats in all
};

/// Tensors share memory where the steps that need them do not overlap; an alias lies where its input does.
/// Plan inputs and outputs keep theirs from beginning to end, and so does everything with `keep_all`.
MemoryPlan plan_memory(const Plan& plan, int64_t images, bool keep_all);

}  // namespace mho
