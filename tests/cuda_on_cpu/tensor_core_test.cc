// A warp's integer products, with tensor cores and without, from fragments as load_matrix4 fills them,
// against plain sums.
#include "kernels/cuda/tensor_core.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>

namespace mho::cuda {
namespace {

constexpr int kPitch = 48;  // bytes from one row or column to the next: more than the 32 of a product

struct Operands {
    alignas(16) std::byte rows[16 * kPitch], columns[16 * kPitch];
    int32_t start = 0;
    int32_t with_tensor_cores[16][16], with_dp4a[16][16];
};

__global__ void multiply_kernel(Operands* o) {
    const int lane = threadIdx.x % 32;
    uint32_t a[4], b[4];
    load_matrix4(row_fragment(o->rows, kPitch, lane), a);
    load_matrix4(column_fragment(o->columns, kPitch, lane), b);
    for (int tile = 0; tile < 2; ++tile) {
        int32_t sums[4], dp4a[4];
        for (int i = 0; i < 4; ++i) sums[i] = dp4a[i] = o->start;
        multiply_tile(sums, a, b + 2 * tile);
        multiply_tile_dp4a(dp4a, a, b + 2 * tile);
        for (int i = 0; i < 4; ++i) {
            const int row = lane / 4 + 8 * (i / 2), column = 8 * tile + 2 * (lane % 4) + i % 2;
            o->with_tensor_cores[row][column] = sums[i];
            o->with_dp4a[row][column] = dp4a[i];
        }
    }
}

TEST(TensorCore, products_are_plain_sums_with_and_without_tensor_cores) {
    std::mt19937 random(5);
    for (const bool largest : {false, true}) {
        auto o = std::make_unique<Operands>();
        o->start = largest ? 0x7fffffff - 32 * 255 * 255 : -77;
        for (auto* bytes : {o->rows, o->columns})
            std::generate_n(bytes, 16 * kPitch,
                            [&] { return static_cast<std::byte>(largest ? 255 : random() & 255); });
        cuda_on_cpu::launch("multiply", 1, 32, 0, {}, [&] { multiply_kernel(o.get()); });
        for (int r = 0; r < 16; ++r)
            for (int c = 0; c < 16; ++c) {
                int32_t want = o->start;
                for (int k = 0; k < 32; ++k)
                    want += std::to_integer<int>(o->rows[r * kPitch + k]) *
                            std::to_integer<int>(o->columns[c * kPitch + k]);
                EXPECT_EQ(o->with_tensor_cores[r][c], want) << r << " " << c;
                EXPECT_EQ(o->with_dp4a[r][c], want) << r << " " << c;
            }
    }
}

}  // namespace
}  // namespace mho::cuda
