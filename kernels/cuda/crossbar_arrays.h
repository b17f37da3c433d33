// kernels/cuda/crossbar_arrays.h - the cells of a block's columns, sampled array by array into shared
// memory as byte planes (G = 256 high + low), column after column, so that they are B fragments of the tensor
// cores.
#pragma once

#include "kernels/cuda/crossbar_mvm_adc.h"

namespace mho::cuda {

/// Four rows of one byte of a column, as one word of a plane.
__device__ inline uint32_t byte_column(const int16_t g[4], int shift) {
    uint32_t word = 0;
    for (int i = 0; i < 4; ++i) word |= (static_cast<uint32_t>(g[i]) >> shift & 0xffu) << (8 * i);
    return word;
}

/// Low and high bytes of one array's cells: [plane][column][row].
struct CellPlanes {
    std::byte* low;
    int64_t plane;  // bytes from the low to the high plane

    __device__ void store(int64_t at, const int16_t g[4]) const {
        *reinterpret_cast<uint32_t*>(low + at) = byte_column(g, 0);
        *reinterpret_cast<uint32_t*>(low + plane + at) = byte_column(g, 8);
    }
};

__device__ inline CellPlanes planes_of(const CrossbarParams& p, uint32_t part, int polarity) {
    const int64_t plane = int64_t{kChunkColumns} * p.block.row_pitch;
    return {shared_part<std::byte>(part) + 2 * plane * polarity, plane};
}

/// Samples one array of the block's columns into place `polarity` of shared memory: a thread takes four rows
/// of four columns, so that it writes whole words.
template <bool kNoisy>
__device__ inline void sample_array(const CrossbarParams& p, const ColumnChunk& chunk, int32_t row_tile,
                                    int32_t slice, int32_t polarity, int place) {
    const int32_t begin = p.row_begin[row_tile], rows = p.row_begin[row_tile + 1] - begin;
    const CellPlanes cells = planes_of(p, p.block.cells, place);
    const CellPlanes variances = planes_of(p, p.block.variances, place);
    const int32_t row_quads = (rows + kDepth - 1) / kDepth * kDepth / 4;
    for (int32_t i = threadIdx.x; i < row_quads * kQuads; i += kBlockThreads) {
        const int32_t row = i / kQuads * 4, quad = i % kQuads, column = chunk.quad_column[quad];
        int16_t g[4][4] = {};  // [column][row]
        for (int r = 0; r < 4; ++r) {
            if (column < 0 || row + r >= rows) continue;
            const Cells4 four = sample4(p.cells, blockIdx.z, slice, polarity, begin + row + r, column);
            for (int c = 0; c < 4; ++c) g[c][r] = four.g[c];
        }
        for (int c = 0; c < 4; ++c) {
            const int64_t at = int64_t{quad * 4 + c} * p.block.row_pitch + row;
            cells.store(at, g[c]);
            if constexpr (kNoisy) {
                int16_t variance[4];
                for (int r = 0; r < 4; ++r) variance[r] = read_variance(g[c][r]);
                variances.store(at, variance);
            }
        }
    }
}

}  // namespace mho::cuda
