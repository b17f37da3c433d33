#include "kernels/plan.h"

namespace mho {

int64_t Plan::elements(TensorId tensor, int64_t images) const {
    const PlanTensor& t = tensors[static_cast<size_t>(tensor)];
    int64_t count = t.per_image ? images : 1;
    for (int64_t extent : t.dims) count *= extent;
    return count;
}

}  // namespace mho
