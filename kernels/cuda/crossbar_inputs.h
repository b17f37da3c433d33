// kernels/cuda/crossbar_inputs.h - the codes of a block's input vectors, gathered from the input into
// shared memory: im2col patches that never reach device memory.
#pragma once

#include <type_traits>

#include "kernels/crossbar/input_code.h"
#include "kernels/cuda/crossbar_kinds.h"
#include "kernels/cuda/crossbar_mvm_adc.h"

namespace mho::cuda {

/// What phase `phase` reads of a code as it is stored: shifted, or signed.
template <class Code>
__device__ inline uint32_t stored_part(Code stored, int phases, int phase) {
    if (phases == 1) return stored;
    using Signed = std::make_signed_t<Code>;
    return static_cast<uint32_t>(phase_part(static_cast<Signed>(stored), 0, phase));
}

/// Where a vector's window begins.
struct WindowBegin {
    int32_t image, depth, height, width;
};

/// In 32 bits: read_crossbar() sees to it that vectors have no larger numbers.
__device__ inline WindowBegin window_of(const VectorGeometry& g, int64_t vector) {
    const uint32_t width = static_cast<uint32_t>(g.out_width), height = static_cast<uint32_t>(g.out_height),
                   depth = static_cast<uint32_t>(g.out_depth), v = static_cast<uint32_t>(vector);
    const uint32_t row = v / width, plane = row / height, image = plane / depth;
    return {static_cast<int32_t>(image), static_cast<int32_t>(plane - image * depth) * g.stride[0] - g.pad[0],
            static_cast<int32_t>(row - plane * height) * g.stride[1] - g.pad[1],
            static_cast<int32_t>(v - row * width) * g.stride[2] - g.pad[2]};
}

/// The stored code of one row of one vector.
template <class Code>
__device__ inline Code gather_code(const CrossbarParams& p, const WindowBegin& at, int64_t group,
                                   int32_t row) {
    const VectorGeometry& g = p.geometry;
    if (row >= p.inputs) return static_cast<Code>(p.read.bias_drive + p.read.code_offset);
    const RowTap tap = g.taps[row];
    const int32_t z = at.depth + tap.depth, y = at.height + tap.height, x = at.width + tap.width;
    const bool inside = z >= 0 && z < g.in_depth && y >= 0 && y < g.in_height && x >= 0 && x < g.in_width;
    if (!inside) return static_cast<Code>(p.read.code_offset);  // code 0
    const int64_t pixel =
        ((int64_t{at.image} * g.in_depth + at.depth) * g.in_height + at.height) * g.in_width + at.width;
    return static_cast<const Code*>(p.codes)[pixel * g.channels + tap.offset + group * g.group_channels];
}

/// The signed code of a stored one.
template <class Code>
__device__ inline int32_t signed_code(const CrossbarParams& p, Code stored) {
    if (p.read.phases == 1) return static_cast<int32_t>(stored) - p.read.code_offset;
    return static_cast<std::make_signed_t<Code>>(stored);
}

/// Fills the codes of one row tile, [phase][vector][row], and adds each vector's signed codes to its sum.
template <class Kind, bool kInspect>
__device__ inline void load_codes(const CrossbarParams& p, int32_t row_tile) {
    using Code = typename Kind::Code;
    Code* codes = shared_part<Code>(p.block.codes);
    int64_t* sums = shared_part<int64_t>(p.block.code_sums);
    const int32_t begin = p.row_begin[row_tile], rows = p.row_begin[row_tile + 1] - begin;
    const int32_t pitch = p.block.row_pitch, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    for (int32_t v = warp; v < p.block.vectors; v += kWarps) {
        const int64_t vector = p.first_vector + int64_t{blockIdx.x} * p.block.vectors + v;
        const bool there = vector < p.geometry.vectors;
        const WindowBegin at = window_of(p.geometry, there ? vector : 0);
        int64_t sum = 0;
        for (int32_t r = lane; r < pitch; r += 32) {
            const bool real = there && r < rows;
            const Code stored = real ? gather_code<Code>(p, at, blockIdx.z, begin + r) : Code{0};
            for (int phase = 0; phase < p.read.phases; ++phase)
                codes[(phase * p.block.vectors + v) * pitch + r] =
                    real ? static_cast<Code>(stored_part(stored, p.read.phases, phase)) : Code{0};
            if (!real) continue;
            sum += signed_code(p, stored);
            if constexpr (kInspect)
                if (p.inspect.input && blockIdx.y == 0) {
                    const int64_t position =
                        blockIdx.z * (p.geometry.vectors - p.first_vector) + vector - p.first_vector;
                    p.inspect.input[position * p.cells.extents.rows + begin + r] = signed_code(p, stored);
                }
        }
        if (p.rule.per_code == 0) continue;
        for (int distance = 16; distance > 0; distance /= 2)
            sum += __shfl_down_sync(~0u, sum, static_cast<unsigned>(distance));
        if (lane == 0) sums[v] += sum;
    }
}

}  // namespace mho::cuda
