#include "kernels/plan.h"

namespace mho {

int64_t extent_between(const std::vector<int64_t>& dims, size_t begin, size_t end) {
    int64_t product = 1;
    for (size_t axis = begin; axis < end; ++axis) product *= dims[axis];
    return product;
}

int64_t Plan::elements(TensorId tensor, int64_t images) const {
    const PlanTensor& t = tensors[static_cast<size_t>(tensor)];
    return (t.per_image ? images : 1) * extent_between(t.dims, 0, t.dims.size());
}

}  // namespace mho
