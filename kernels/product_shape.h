// kernels/product_shape.h - extents of one digital or parameter-level product, for the libraries that carry
// it out.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/plan.h"
#include "kernels/steps/ops.h"

namespace mho {

/// An image convolution; a linear layer is rows x inputs times outputs x inputs, that is, a 1 x 1 window over
/// images of one position.
struct ProductShape {
    std::vector<int64_t> x, y;  ///< n, D, H, W, C, images included
    Window window;
    int64_t groups = 1;
    Precision precision = Precision::f32;
};

/// A convolution or linear layer of a plan: what all its products share.
struct ProductSite {
    ParameterId weight = -1, bias = -1;
    ProductShape image;  ///< extents for one image
};

/// Nothing where the step is no such layer.
std::optional<ProductSite> product_site(const Plan& plan, const Step& step);

/// The site's shape for a batch.
ProductShape batch_shape(const Plan& plan, const Step& step, const ProductSite& site, int64_t images);

}  // namespace mho
