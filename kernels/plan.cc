#include "kernels/plan.h"

#include "kernels/steps/axes.h"

namespace mho {

int64_t Plan::elements(TensorId tensor, int64_t images) const {
    const PlanTensor& t = tensors[static_cast<size_t>(tensor)];
    return (t.per_image ? images : 1) * extent_between(t.dims, 0, t.dims.size());
}

}  // namespace mho
