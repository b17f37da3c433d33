// kernels/cuda/tensor_core.h - integer matrix products of one warp: unsigned bytes times unsigned bytes,
// summed in 32 bits. A tile is 16 rows (input vectors) by 8 columns by 32 bytes of depth. Fragments lie as
// PTX lays them out (PTX ISA, mma.m16n8k32 with .u8): lane l holds of A rows l/4 and l/4 + 8, of B column
// l/4, of the sums rows l/4 and l/4 + 8 at columns 2 (l mod 4) and the one after it.
#pragma once

#include <cstdint>

#include "kernels/cuda/portable.h"

namespace mho::cuda {

/// multiply_tile() without tensor cores, in the same layout: a lane gathers its two rows of A and two columns
/// of B from the four lanes that hold each.
__device__ inline void multiply_tile_dp4a(int32_t sums[4], const uint32_t a[4], const uint32_t b[2]) {
    const int lane = threadIdx.x % 32, row = lane / 4 * 4, column = lane % 4 * 8;
    for (int quarter = 0; quarter < 4; ++quarter)
        for (int half = 0; half < 2; ++half) {
            uint32_t x[2], y[2];
            for (int i = 0; i < 2; ++i) {
                x[i] = __shfl_sync(~0u, a[2 * half + i], row + quarter);
                y[i] = __shfl_sync(~0u, b[half], column + 4 * i + quarter);
            }
            for (int i = 0; i < 4; ++i)
                sums[i] = static_cast<int32_t>(__dp4a(x[i / 2], y[i % 2], static_cast<uint32_t>(sums[i])));
        }
}

#if defined(MHO_CUDA_ON_CPU)

struct LoadMatrixOperands {
    const std::byte* row;  // 16 bytes that this lane points at
    uint32_t* fragment;    // four registers
};

/// Four 8 x 16 byte matrices: lane l points at row l mod 8 of matrix l/8, and gets bytes 4 (l mod 4) of row
/// l/4 of each.
inline void load_matrix4(const std::byte* row, uint32_t fragment[4]) {
    LoadMatrixOperands mine{row, fragment};
    if (reinterpret_cast<uintptr_t>(row) % 16 != 0) __builtin_trap();  // ldmatrix faults there
    cuda_on_cpu::whole_warp(
        [](void* const operands[32]) {
            for (int lane = 0; lane < 32; ++lane)
                for (int m = 0; m < 4; ++m) {
                    const auto* from = static_cast<LoadMatrixOperands*>(operands[8 * m + lane / 4]);
                    std::memcpy(&static_cast<LoadMatrixOperands*>(operands[lane])->fragment[m],
                                from->row + 4 * (lane % 4), 4);
                }
        },
        &mine);
}

struct MultiplyOperands {
    const uint32_t *a, *b;
    int32_t* sums;
};

inline void multiply_tile(int32_t sums[4], const uint32_t a[4], const uint32_t b[2]) {
    MultiplyOperands mine{a, b, sums};
    cuda_on_cpu::whole_warp(
        [](void* const operands[32]) {
            uint8_t a_rows[16][32], b_columns[8][32];
            for (int lane = 0; lane < 32; ++lane) {
                const auto* from = static_cast<MultiplyOperands*>(operands[lane]);
                for (int i = 0; i < 4; ++i)
                    std::memcpy(&a_rows[lane / 4 + 8 * (i % 2)][16 * (i / 2) + 4 * (lane % 4)], &from->a[i],
                                4);
                for (int i = 0; i < 2; ++i)
                    std::memcpy(&b_columns[lane / 4][16 * i + 4 * (lane % 4)], &from->b[i], 4);
            }
            for (int lane = 0; lane < 32; ++lane)
                for (int i = 0; i < 4; ++i) {
                    const uint8_t* row = a_rows[lane / 4 + 8 * (i / 2)];
                    const uint8_t* column = b_columns[2 * (lane % 4) + i % 2];
                    int32_t sum = 0;
                    for (int k = 0; k < 32; ++k) sum += row[k] * column[k];
                    static_cast<MultiplyOperands*>(operands[lane])->sums[i] += sum;
                }
        },
        &mine);
}

#else

__device__ __forceinline__ void load_matrix4(const std::byte* row, uint32_t fragment[4]) {
    const uint32_t at = static_cast<uint32_t>(__cvta_generic_to_shared(row));
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(fragment[0]), "=r"(fragment[1]), "=r"(fragment[2]), "=r"(fragment[3])
                 : "r"(at)
                 : "memory");
}

__device__ __forceinline__ void multiply_tile(int32_t sums[4], const uint32_t a[4], const uint32_t b[2]) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 750
#error "mho needs ldmatrix: sm_75 or later"
#elif defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800  // no products of this shape
    multiply_tile_dp4a(sums, a, b);
#else
    asm("mma.sync.aligned.m16n8k32.row.col.s32.u8.u8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, "
        "%1, %2, %3};"
        : "+r"(sums[0]), "+r"(sums[1]), "+r"(sums[2]), "+r"(sums[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

#endif

/// The bytes that lane `lane` points load_matrix4 at, for 16 rows by 32 bytes of `tile` (rows `pitch` bytes
/// apart): as the fragment of A.
__device__ __forceinline__ const std::byte* row_fragment(const std::byte* tile, int64_t pitch, int lane) {
    return tile + (lane % 8 + 8 * (lane / 8 % 2)) * pitch + 16 * (lane / 16);
}

/// The same for two times 8 columns by 32 bytes: the fragments of B for two neighbouring tiles.
__device__ __forceinline__ const std::byte* column_fragment(const std::byte* tile, int64_t pitch, int lane) {
    return tile + (lane % 8 + 8 * (lane / 16)) * pitch + 16 * (lane / 8 % 2);
}

}  // namespace mho::cuda
