// kernels/cuda/crossbar_arrays.h - the cells of a block's columns, sampled array by array into shared
// memory as byte planes (G = 256 high + low), column after column, so that they are B fragments of the tensor
// cores.
#pragma once

#include "kernels/cuda/crossbar_mvm_adc.h"

namespace mho::cuda {

/// Byte `byte` of four cells of one column, as one word of a plane.
__device__ inline uint32_t byte_column(const int32_t g[4], int byte) {
    const unsigned two = byte == 0 ? 0x0040u : 0x0051u;
    const unsigned low = __byte_perm(static_cast<unsigned>(g[0]), static_cast<unsigned>(g[1]), two);
    const unsigned high = __byte_perm(static_cast<unsigned>(g[2]), static_cast<unsigned>(g[3]), two);
    return __byte_perm(low, high, 0x5410u);
}

/// Low and high bytes of one array's cells: [plane][column][row].
struct CellPlanes {
    std::byte* low;
    int64_t plane;  // bytes from the low to the high plane

    /// Four rows of one column; `there`: whether the array has the column.
    __device__ void store(int64_t at, const int32_t g[4], bool there) const {
        *reinterpret_cast<uint32_t*>(low + at) = there ? byte_column(g, 0) : 0;
        *reinterpret_cast<uint32_t*>(low + plane + at) = there ? byte_column(g, 1) : 0;
    }
};

__device__ inline CellPlanes planes_of(const CrossbarParams& p, uint32_t part, int polarity) {
    const int64_t plane = int64_t{p.block.columns} * p.block.row_pitch;
    return {shared_part<std::byte>(part) + 2 * plane * polarity, plane};
}

/// Samples one array of the block's columns into buffer `buffer` of shared memory: a thread takes four
/// columns, and of them four rows at a time, so that it writes whole words.
template <bool kNoisy, CellErrors kErrors>
__device__ inline void sample_array(const CrossbarParams& p, const ColumnChunk& chunk, int32_t row_tile,
                                    int32_t slice, int32_t polarity, int buffer) {
    const int32_t begin = p.row_begin[row_tile], rows = p.row_begin[row_tile + 1] - begin;
    const CellPlanes cells = planes_of(p, p.block.cells, buffer);
    const CellPlanes variances = planes_of(p, p.block.variances, buffer);
    const int32_t quads = p.block.columns / 4, thread = threadIdx.x, quad = thread % quads;
    const int32_t column = chunk.quad_column[quad];
    const int32_t columns = column < 0 ? 0 : static_cast<int32_t>(p.cells.columns) - column;
    const uint64_t pitch = static_cast<uint64_t>(p.cells.extents.pitch);
    const int32_t first_row = thread / quads * 4, row_step = kBlockThreads / quads * 4;
    uint64_t element = cell_element(p.cells.extents, blockIdx.z, slice, polarity, begin + first_row,
                                    column < 0 ? 0 : column);
    const int32_t padded_rows = (rows + kDepth - 1) / kDepth * kDepth;
    for (int32_t row = first_row; row < padded_rows; row += row_step) {
        int32_t g[4][4] = {};  // [column][row]
        for (int r = 0; r < 4; ++r, element += pitch) {
            if (columns == 0 || row + r >= rows) continue;
            int32_t four[4];
            conductances4<kErrors>(p.cells, element, columns, four);
            for (int c = 0; c < 4; ++c) g[c][r] = four[c];
        }
        element += (row_step - 4) * pitch;
        for (int c = 0; c < 4; ++c) {
            const int64_t at = int64_t{quad * 4 + c} * p.block.row_pitch + row;
            cells.store(at, g[c], c < columns);
            if constexpr (kNoisy) {
                int32_t variance[4];
                for (int r = 0; r < 4; ++r) variance[r] = read_variance(static_cast<int16_t>(g[c][r]));
                variances.store(at, variance, c < columns);
            }
        }
    }
}

}  // namespace mho::cuda
