#include "kernels/product_shape.h"

namespace mho {
namespace {

std::vector<int64_t> as_rows(const std::vector<int64_t>& dims) {
    int64_t rows = 1;
    for (size_t i = 0; i + 1 < dims.size(); ++i) rows *= dims[i];
    return {rows, 1, 1, 1, dims.back()};
}

}  // namespace

std::optional<ProductSite> product_site(const Plan& plan, const Step& step) {
    const auto* conv = std::get_if<step::Conv>(&step.operation);
    const auto* linear = std::get_if<step::Linear>(&step.operation);
    if (!conv && !linear) return std::nullopt;
    const std::vector<int64_t>& x = plan.tensors[static_cast<size_t>(step.inputs[0])].dims;
    const std::vector<int64_t>& y = plan.tensors[static_cast<size_t>(step.output)].dims;
    if (conv)
        return ProductSite{conv->weight, conv->bias, {x, y, conv->window, conv->groups, plan.precision}};
    return ProductSite{linear->weight, linear->bias, {as_rows(x), as_rows(y), {}, 1, plan.precision}};
}

ProductShape batch_shape(const Plan& plan, const Step& step, const ProductSite& site, int64_t images) {
    ProductShape shape = site.image;
    if (!plan.tensors[static_cast<size_t>(step.inputs[0])].per_image) return shape;
    shape.x[0] *= images;
    shape.y[0] *= images;
    return shape;
}

}  // namespace mho
