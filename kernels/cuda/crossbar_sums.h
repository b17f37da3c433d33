// kernels/cuda/crossbar_sums.h - one warp's column sums: 16 input vectors by 16 columns over the rows of an
// array, read noise included. Instead of shifting bit t of a code down, its product keeps the weight 2^t; the
// sum is shifted, or its converter scaled, both exact.
//
// A lane holds of a 16 x 8 tile the sums of rows lane/4 and lane/4 + 8 at columns 2 (lane mod 4) and the one
// after it; so each lane alone owns its (vector, column) pairs from the product to the joined codes.
#pragma once

#include "kernels/crossbar/input_code.h"
#include "kernels/cuda/crossbar_arrays.h"
#include "kernels/cuda/crossbar_kinds.h"
#include "kernels/cuda/tensor_core.h"

namespace mho::cuda {

/// The sums of one 16 x 8 tile that a lane holds, low and high plane.
struct PlaneSums {
    int32_t low[4], high[4];
};

/// Bits of four codes that step `step` reads, where they are: products keep their weight.
__device__ inline uint32_t step_mask(const ReadPlan& read, int step) {
    return (((1u << read.dac_bits) - 1) << (step * read.dac_bits) & 0xffu) * 0x01010101u;
}

/// Adds the products of bytes: kSteps steps from `first_step` on of 16 vectors with 16 columns (two tiles),
/// over all rows.
template <int kSteps>
__device__ inline void multiply_bytes(const CrossbarParams& p, const std::byte* codes,
                                      const CellPlanes& cells, int tile, int rows, int first_step,
                                      PlaneSums sums[][2]) {
    const int lane = threadIdx.x % 32, pitch = p.block.row_pitch;
    const std::byte* x = row_fragment(codes, pitch, lane);
    const std::byte* g = column_fragment(cells.low + 8 * tile * pitch, pitch, lane);
    uint32_t mask[kSteps];
    for (int t = 0; t < kSteps; ++t) mask[t] = step_mask(p.read, first_step + t);
    for (int k = 0; k < rows; k += kDepth) {
        uint32_t raw[4], low[4], high[4];
        load_matrix4(x + k, raw);
        load_matrix4(g + k, low);
        load_matrix4(g + cells.plane + k, high);
        MHO_UNROLL
        for (int t = 0; t < kSteps; ++t) {
            uint32_t a[4];
            for (int i = 0; i < 4; ++i) a[i] = raw[i] & mask[t];
            for (int j = 0; j < 2; ++j) {
                multiply_tile(sums[t][j].low, a, low + 2 * j);
                multiply_tile(sums[t][j].high, a, high + 2 * j);
            }
        }
    }
}

/// The same for up to kMost steps: all at once, or those left of a read one by one.
template <int kMost>
__device__ inline void multiply_steps(const CrossbarParams& p, const std::byte* codes,
                                      const CellPlanes& cells, int tile, int rows, int first_step,
                                      PlaneSums sums[kMost][2]) {
    if (first_step + kMost <= p.read.steps)
        return multiply_bytes<kMost>(p, codes, cells, tile, rows, first_step, sums);
    MHO_UNROLL
    for (int t = 0; t < kMost - 1; ++t)  // sums stay in registers: no step ends the loop
        if (first_step + t < p.read.steps)
            multiply_bytes<1>(p, codes, cells, tile, rows, first_step + t, sums + t);
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

/// By what power of two the sums of a step are too large.
template <class Kind>
__device__ inline int kept_shift(const CrossbarParams& p, int step) {
    return Kind::kBytes ? step * p.read.dac_bits : 0;
}

/// 256 high + low, after the weight 2^shift that every product kept is taken off: exact, each plane has it.
template <class Sum>
__device__ inline Sum joined_planes(const PlaneSums& s, int i, int shift) {
    return static_cast<Sum>(s.high[i] >> shift) * 256 + static_cast<Sum>(s.low[i] >> shift);
}

/// Where a vector lies over the whole data set; one that is not there, anywhere. In 32 bits, as window_of().
__device__ inline uint64_t place_of(const CrossbarParams& p, int64_t vector) {
    if (!p.images || vector >= p.geometry.vectors) return static_cast<uint64_t>(vector);
    const uint32_t v = static_cast<uint32_t>(vector), places = static_cast<uint32_t>(p.places);
    const uint32_t image = v / places;
    return static_cast<uint64_t>(p.images[image]) * places + (v - image * places);
}

/// Sums that a lane holds of 16 x 16, as [2][4]. Loops over them are unrolled, so that they stay in
/// registers.
inline constexpr int kLaneSums = 8;

/// What a lane holds of 16 vectors by 16 columns: element i of tile j is vector i/2 at column [j][i mod 2].
struct LanePlaces {
    int64_t vector[2];     // of the batch
    uint64_t place[2];     // of its vectors, over the whole data set
    int32_t quad[2];       // first of the four columns that share random words; -1: none
    int32_t column[2][2];  // of the layer; -1: none
    int32_t slot[2];       // in the chunk, of column [j][0]
    bool vector_there[2];

    __device__ LanePlaces(const CrossbarParams& p, const ColumnChunk& chunk, int32_t first_vector, int tile) {
        const int lane = threadIdx.x % 32;
        MHO_UNROLL
        for (int h = 0; h < 2; ++h) {
            vector[h] =
                p.first_vector + int64_t{blockIdx.x} * p.block.vectors + first_vector + lane / 4 + 8 * h;
            place[h] = place_of(p, vector[h]);
            vector_there[h] = vector[h] < p.geometry.vectors;
        }
        MHO_UNROLL
        for (int j = 0; j < 2; ++j) {
            slot[j] = 8 * (tile + j) + 2 * (lane % 4);
            quad[j] = chunk.quad_column[slot[j] / 4];
            for (int i = 0; i < 2; ++i) {
                const int32_t c = quad[j] + slot[j] % 4 + i;
                column[j][i] = quad[j] >= 0 && c < p.cells.columns ? c : -1;
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

/// The draws of tile j's columns for both vectors of a lane. A block of random words is for four columns of
/// one vector, which two neighbouring lanes hold two each: the even lane makes that of the first vector, the
/// odd one that of the second, and they exchange halves.
__device__ inline void draw_tile(const CrossbarParams& p, Domain domain, const Conversion& c,
                                 int32_t polarity, const LanePlaces& at, int j, Normal2 n[2]) {
    const bool odd = threadIdx.x % 2 != 0;
    const uint64_t element = read_element(p.cells.extents, odd ? at.place[1] : at.place[0], blockIdx.z,
                                          c.row_tile, c.read, c.slice, polarity, at.quad[j]);
    const Words4 w =
        keyed_block(p.cells.keys, {p.cells.seed, p.cells.chip, domain, p.cells.layer}, element / 4);
    const uint32_t first = __shfl_xor_sync(~0u, odd ? w.word[0] : w.word[2], 1);
    const uint32_t second = __shfl_xor_sync(~0u, odd ? w.word[1] : w.word[3], 1);
    n[0] = odd ? normal_pair(first, second) : normal_pair(w.word[0], w.word[1]);
    n[1] = odd ? normal_pair(w.word[2], w.word[3]) : normal_pair(first, second);
}

/// The polarities that one conversion subtracts.
__device__ inline int polarities_of_conversion(const CrossbarParams& p) {
    return p.polarities == 2 && p.conversions == 1 ? 2 : 1;
}

/// Adds the read noise of one read of one polarity, from the sums of its cells' variances.
template <class Sum>
__device__ inline void add_noise(const CrossbarParams& p, const Conversion& c, int32_t polarity,
                                 const LanePlaces& at, const Sum variance[2][4], Sum noise[2][4]) {
    MHO_UNROLL
    for (int j = 0; j < 2; ++j) {
        Normal2 n[2];
        draw_tile(p, Domain::read_noise, c, polarity, at, j, n);
        MHO_UNROLL
        for (int i = 0; i < 4; ++i) {
            const float drawn = read_noise(static_cast<float>(variance[j][i]), p.read_noise,
                                           i % 2 == 0 ? n[i / 2].first : n[i / 2].second);
            noise[j][i] += static_cast<Sum>(drawn);
        }
    }
}

/// Adds the read noise of kSteps reads of one polarity.
template <class Kind>
__device__ inline void add_noise_of_reads(const CrossbarParams& p, const Conversion& first, int32_t polarity,
                                          const std::byte* codes, const CellPlanes& variances, int rows,
                                          int first_step, int tile, const LanePlaces& at,
                                          typename Kind::Sum noise[Kind::kSteps][2][4]) {
    using Sum = typename Kind::Sum;
    PlaneSums square[Kind::kSteps][2] = {}, high_square[2] = {};
    if constexpr (Kind::kBytes) {
        multiply_steps<Kind::kSteps>(p, codes, variances, tile, rows, first_step, square);
    } else {
        multiply_wide(p, codes, variances, tile, rows, first_step, 1, square[0]);
        multiply_wide(p, codes, variances, tile, rows, first_step, 2, high_square);
    }
    MHO_UNROLL
    for (int t = 0; t < Kind::kSteps; ++t) {
        if (first_step + t >= p.read.steps) continue;
        Sum variance[2][4];
        MHO_UNROLL
        for (int e = 0; e < kLaneSums; ++e) {
            const int j = e / 4, i = e % 4;
            // A part of a byte is one bit, which is its own square.
            variance[j][i] = joined_planes<Sum>(square[t][j], i, kept_shift<Kind>(p, first_step + t));
            if constexpr (!Kind::kBytes) variance[j][i] += 256 * joined_planes<Sum>(high_square[j], i, 0);
        }
        Conversion c = first;
        c.read += t;
        add_noise(p, c, polarity, at, variance, noise[t]);
    }
}

__device__ inline void negate(PlaneSums& s) {
    for (int i = 0; i < 4; ++i) s.low[i] = -s.low[i], s.high[i] = -s.high[i];
}

/// Column sums of 16 vectors by 16 columns for up to Kind::kSteps reads, exact, noise included; with
/// subtraction before the ADC the difference of the polarities. Quiet kinds keep the weight of their step.
template <class Kind, bool kNoisy>
__device__ inline void sum_columns(const CrossbarParams& p, const Conversion& first, int32_t phase,
                                   int32_t first_vector, int tile, const LanePlaces& at,
                                   typename Kind::Sum sums[Kind::kSteps][2][4]) {
    using Sum = typename Kind::Sum;
    const int32_t rows = p.row_begin[first.row_tile + 1] - p.row_begin[first.row_tile];
    const std::byte* codes = shared_part<std::byte>(p.block.codes) +
                             (int64_t{phase} * p.block.vectors + first_vector) * p.block.row_pitch *
                                 static_cast<int64_t>(sizeof(typename Kind::Code));
    const int first_step = first.read - phase * p.read.steps, last = polarities_of_conversion(p) - 1;
    PlaneSums plane[Kind::kSteps][2] = {};
    Sum noise[Kind::kSteps][2][4] = {};
    for (int place = last; place >= 0; --place) {
        if (place < last) {  // what is there is the second polarity's
            for (int t = 0; t < Kind::kSteps; ++t)
                for (int j = 0; j < 2; ++j) negate(plane[t][j]);
            for (int e = 0; e < Kind::kSteps * kLaneSums; ++e)
                noise[e / kLaneSums][e / 4 % 2][e % 4] = -noise[e / kLaneSums][e / 4 % 2][e % 4];
        }
        const CellPlanes cells = planes_of(p, p.block.cells, place);
        if constexpr (Kind::kBytes)
            multiply_steps<Kind::kSteps>(p, codes, cells, tile, rows, first_step, plane);
        else
            multiply_wide(p, codes, cells, tile, rows, first_step, 0, plane[0]);
        if constexpr (kNoisy)
            add_noise_of_reads<Kind>(p, first, last > 0 ? place : first.polarity, codes,
                                     planes_of(p, p.block.variances, place), rows, first_step, tile, at,
                                     noise);
    }
    MHO_UNROLL
    for (int e = 0; e < Kind::kSteps * kLaneSums; ++e) {
        const int t = e / kLaneSums, j = e / 4 % 2, i = e % 4;
        sums[t][j][i] =
            noise[t][j][i] +
            joined_planes<Sum>(plane[t][j], i, Kind::kQuiet ? 0 : kept_shift<Kind>(p, first_step + t));
    }
}

}  // namespace mho::cuda
