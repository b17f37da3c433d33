// kernels/cuda/crossbar_sums.h - one warp's column sums: 16 input vectors by 16 columns over the rows of an
// array, read noise included. Instead of shifting bit t of a code down, its product keeps the weight 2^t and
// the sum is shifted, which is exact.
//
// A lane holds of a 16 x 8 tile the sums of rows lane/4 and lane/4 + 8 at columns 2 (lane mod 4) and the one
// after it; so each lane alone owns its (vector, column) pairs from the product to the joined codes.
#pragma once

#include "kernels/cuda/crossbar_arrays.h"
#include "kernels/cuda/tensor_core.h"
#include "kernels/input_code.h"

namespace mho::cuda {

/// The sums of one 16 x 8 tile that a lane holds, low and high plane.
struct PlaneSums {
    int32_t low[4], high[4];
};

/// Raw A fragments of 16 vectors by 32 rows, and the part of them that a step reads.
struct ByteFragment {
    uint32_t raw[4];

    __device__ void load(const std::byte* codes, int64_t pitch, int lane) {
        load_matrix4(row_fragment(codes, pitch, lane), raw);
    }
    /// The step's bits where they are: the product keeps their weight.
    __device__ void part(int step, int dac_bits, uint32_t a[4]) const {
        const uint32_t mask = (((1u << dac_bits) - 1) << (step * dac_bits) & 0xffu) * 0x01010101u;
        for (int i = 0; i < 4; ++i) a[i] = raw[i] & mask;
    }
};

/// Sums of 32-bit kinds: `steps` steps from `first_step` on of 16 vectors with 16 columns (two tiles), over
/// all rows.
template <int kSteps>
__device__ inline void multiply_bytes(const CrossbarParams& p, const std::byte* codes,
                                      const CellPlanes& cells, int tile, int rows, int first_step,
                                      PlaneSums sums[kSteps][2]) {
    const int lane = threadIdx.x % 32;
    const std::byte* columns = cells.low + int64_t{8 * tile} * p.block.row_pitch;
    for (int k = 0; k < rows; k += kDepth) {
        ByteFragment x;
        uint32_t low[4], high[4];
        x.load(codes + k, p.block.row_pitch, lane);
        load_matrix4(column_fragment(columns + k, p.block.row_pitch, lane), low);
        load_matrix4(column_fragment(columns + cells.plane + k, p.block.row_pitch, lane), high);
        // Unrolled, so that sums stay in registers: no step ends the loop, those past the last do nothing.
        MHO_UNROLL
        for (int t = 0; t < kSteps; ++t) {
            if (first_step + t >= p.read.steps) continue;
            uint32_t a[4];
            x.part(first_step + t, p.read.dac_bits, a);
            for (int j = 0; j < 2; ++j) {
                multiply_tile(sums[t][j].low, a, low + 2 * j);
                multiply_tile(sums[t][j].high, a, high + 2 * j);
            }
        }
    }
}

/// The same for one step of 16-bit codes. `square`: 0 the part itself, 1 and 2 the low and high byte of its
/// square.
__device__ inline void multiply_wide(const CrossbarParams& p, const std::byte* codes, const CellPlanes& cells,
                                     int tile, int rows, int step, int square, PlaneSums sums[2]) {
    const int lane = threadIdx.x % 32;
    const std::byte* columns = cells.low + int64_t{8 * tile} * p.block.row_pitch;
    const uint16_t* x = reinterpret_cast<const uint16_t*>(codes);
    for (int k = 0; k < rows; k += kDepth) {
        uint32_t low[4], high[4], a[4];
        load_matrix4(column_fragment(columns + k, p.block.row_pitch, lane), low);
        load_matrix4(column_fragment(columns + cells.plane + k, p.block.row_pitch, lane), high);
        for (int i = 0; i < 4; ++i) {
            const uint16_t* four =
                x + (lane / 4 + 8 * (i % 2)) * p.block.row_pitch + k + 16 * (i / 2) + 4 * (lane % 4);
            a[i] = 0;
            for (int b = 0; b < 4; ++b) {
                uint32_t part = static_cast<uint32_t>(step_part(four[b], step, p.read.dac_bits));
                if (square > 0) part = part * part >> (square == 2 ? 8 : 0) & 0xffu;
                a[i] |= part << (8 * b);
            }
        }
        for (int j = 0; j < 2; ++j) {
            multiply_tile(sums[j].low, a, low + 2 * j);
            multiply_tile(sums[j].high, a, high + 2 * j);
        }
    }
}

/// 256 high + low, after the weight 2^shift that every product kept is taken off: exact, each plane has it.
template <class Sum>
__device__ inline Sum joined_planes(const PlaneSums& s, int i, int shift) {
    return static_cast<Sum>(s.high[i] >> shift) * 256 + static_cast<Sum>(s.low[i] >> shift);
}

/// Where vector 0 lies over the whole data set.
__device__ inline uint64_t first_place(const CrossbarParams& p) { return *p.first_image * p.places; }

/// Sums that a lane holds of 16 x 16, as [2][4]. Loops over them are unrolled, so that they stay in
/// registers.
inline constexpr int kLaneSums = 8;

/// What a lane holds of 16 vectors by 16 columns: element i of tile j is vector i/2 at column [j][i mod 2].
struct LanePlaces {
    uint64_t place[2];     // of its vectors, over the whole data set
    int32_t column[2][2];  // of the layer; -1: none
    int32_t slot[2];       // in the chunk, of column [j][0]
    bool vector_there[2];

    __device__ LanePlaces(const CrossbarParams& p, const ColumnChunk& chunk, int32_t first_vector, int tile) {
        const int lane = threadIdx.x % 32;
        MHO_UNROLL
        for (int h = 0; h < 2; ++h) {
            const int64_t vector =
                p.first_vector + int64_t{blockIdx.x} * p.block.vectors + first_vector + lane / 4 + 8 * h;
            place[h] = first_place(p) + static_cast<uint64_t>(vector);
            vector_there[h] = vector < p.geometry.vectors;
        }
        MHO_UNROLL
        for (int j = 0; j < 2; ++j) {
            slot[j] = 8 * (tile + j) + 2 * (lane % 4);
            const int32_t quad = chunk.quad_column[slot[j] / 4];
            for (int i = 0; i < 2; ++i) {
                const int32_t c = quad + slot[j] % 4 + i;
                column[j][i] = quad >= 0 && c < p.cells.columns ? c : -1;
            }
        }
    }
    __device__ bool there(int j, int i) const { return column[j][i % 2] >= 0 && vector_there[i / 2]; }
};

/// One conversion of a layer, and which read of it.
struct Conversion {
    int32_t row_tile, slice, polarity;
    int read;  // phase times steps, plus the step
};

__device__ inline uint64_t converter_of(const CrossbarParams& p, const Conversion& c, int32_t column) {
    return converter_element(p.cells.extents, blockIdx.z, c.row_tile, c.slice, c.polarity, column);
}

/// The draws of two neighbouring columns, which share a block of random words: the first column is even.
__device__ inline Normal2 draw_pair(const CrossbarParams& p, Domain domain, const Conversion& c,
                                    int32_t polarity, uint64_t place, int32_t column) {
    const uint64_t element =
        read_element(p.cells.extents, place, blockIdx.z, c.row_tile, c.read, c.slice, polarity, column);
    const Words4 w =
        keyed_block(p.cells.keys, {p.cells.seed, p.cells.chip, domain, p.cells.layer}, element / 4);
    const bool upper = element % 4 >= 2;
    return normal_pair(upper ? w.word[2] : w.word[0], upper ? w.word[3] : w.word[1]);
}

/// The polarities that one conversion subtracts.
__device__ inline int polarities_of_conversion(const CrossbarParams& p) {
    return p.polarities == 2 && p.conversions == 1 ? 2 : 1;
}

/// Adds read noise to the sums of one read and polarity.
template <class Sum>
__device__ inline void add_noise(const CrossbarParams& p, const Conversion& c, int32_t polarity,
                                 const LanePlaces& at, const Sum variance[2][4], Sum sums[2][4]) {
    MHO_UNROLL
    for (int pair = 0; pair < kLaneSums / 2; ++pair) {
        const int j = pair / 2, h = pair % 2;
        if (!at.there(j, 2 * h)) continue;
        const Normal2 n = draw_pair(p, Domain::read_noise, c, polarity, at.place[h], at.column[j][0]);
        sums[j][2 * h] +=
            static_cast<Sum>(read_noise(static_cast<float>(variance[j][2 * h]), p.read_noise, n.first));
        sums[j][2 * h + 1] +=
            static_cast<Sum>(read_noise(static_cast<float>(variance[j][2 * h + 1]), p.read_noise, n.second));
    }
}

/// Column sums of 16 vectors by 16 columns for up to Kind::kSteps reads, exact, noise included; with
/// subtraction before the ADC the difference of the polarities.
template <class Kind, bool kNoisy>
__device__ inline void sum_columns(const CrossbarParams& p, const Conversion& first, int32_t phase,
                                   int32_t first_vector, int tile, const LanePlaces& at,
                                   typename Kind::Sum sums[Kind::kSteps][2][4]) {
    using Sum = typename Kind::Sum;
    constexpr bool kBytes = Kind::kBytes;
    const int32_t rows = p.row_begin[first.row_tile + 1] - p.row_begin[first.row_tile];
    const std::byte* codes = shared_part<std::byte>(p.block.codes) +
                             (int64_t{phase} * p.block.vectors + first_vector) * p.block.row_pitch *
                                 static_cast<int64_t>(sizeof(typename Kind::Code));
    const int first_step = first.read - phase * p.read.steps;
    for (int e = 0; e < Kind::kSteps * kLaneSums; ++e) sums[e / kLaneSums][e / 4 % 2][e % 4] = 0;
    for (int place = polarities_of_conversion(p) - 1; place >= 0; --place) {
        const CellPlanes cells = planes_of(p, p.block.cells, place);
        const CellPlanes variances = planes_of(p, p.block.variances, place);
        PlaneSums plane[Kind::kSteps][2] = {}, square[Kind::kSteps][2] = {}, high_square[2] = {};
        if constexpr (kBytes) {
            multiply_bytes<Kind::kSteps>(p, codes, cells, tile, rows, first_step, plane);
            if constexpr (kNoisy)
                multiply_bytes<Kind::kSteps>(p, codes, variances, tile, rows, first_step, square);
        } else {
            multiply_wide(p, codes, cells, tile, rows, first_step, 0, plane[0]);
            if constexpr (kNoisy) {
                multiply_wide(p, codes, variances, tile, rows, first_step, 1, square[0]);
                multiply_wide(p, codes, variances, tile, rows, first_step, 2, high_square);
            }
        }
        MHO_UNROLL
        for (int t = 0; t < Kind::kSteps; ++t) {
            if (first_step + t >= p.read.steps) continue;
            const int shift = kBytes ? (first_step + t) * p.read.dac_bits : 0;
            Sum now[2][4], variance[2][4];
            MHO_UNROLL
            for (int e = 0; e < kLaneSums; ++e) {
                const int j = e / 4, i = e % 4;
                now[j][i] = joined_planes<Sum>(plane[t][j], i, shift);
                if constexpr (!kNoisy) continue;
                variance[j][i] = joined_planes<Sum>(square[t][j], i, shift);  // a bit is its own square
                if constexpr (!kBytes) variance[j][i] += 256 * joined_planes<Sum>(high_square[j], i, 0);
            }
            if constexpr (kNoisy) {
                Conversion c = first;
                c.read += t;
                add_noise(p, c, polarities_of_conversion(p) == 2 ? place : first.polarity, at, variance, now);
            }
            MHO_UNROLL
            for (int e = 0; e < kLaneSums; ++e)
                sums[t][e / 4][e % 4] = now[e / 4][e % 4] - sums[t][e / 4][e % 4];
        }
    }
}

}  // namespace mho::cuda
