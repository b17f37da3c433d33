#include "kernels/backend.h"

#include <numeric>
#include <stdexcept>

namespace mho {

std::span<const int64_t> Stream::consecutive(int64_t first, int64_t count) {
    consecutive_.resize(static_cast<size_t>(count));
    std::iota(consecutive_.begin(), consecutive_.end(), first);
    return consecutive_;
}

void Stream::load(const ImageStore& store, std::span<const int64_t> indices) {
    for (int64_t index : indices)
        if (index < 0 || index >= store.images())
            throw std::out_of_range("image " + std::to_string(index) + " of " +
                                    std::to_string(store.images()));
    load_images(store, indices);
}

void Stream::load(const ImageStore& store, int64_t first, int64_t count) {
    load(store, consecutive(first, count));
}

}  // namespace mho
