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
__device__ inline uint64_t position_of(const CrossbarParams& p, int64_t vector) {
    if (!p.images || vector >= p.geometry.vectors) return static_cast<uint64_t>(vector);
    const uint32_t v = static_cast<uint32_t>(vector), positions = static_cast<uint32_t>(p.positions);
    const uint32_t image = v / positions;
    return static_cast<uint64_t>(p.images[image]) * positions + (v - image * positions);
}

/// What a lane holds of 16 vectors by 16 columns: of two tiles, four elements each.
template <class T>
using LaneSums = T[2][4];

/// Calls each(tile, element) for what a lane holds; unrolled, so that arrays stay in registers. Element i of
/// tile j is vector row_of(i) of the lane's two at column column_of(i) of the tile's two.
template <class Each>
__device__ inline void for_each_sum(const Each& each) {
    MHO_UNROLL
    for (int e = 0; e < 8; ++e) each(e / 4, e % 4);
}
__device__ inline constexpr int row_of(int element) { return element / 2; }
__device__ inline constexpr int column_of(int element) { return element % 2; }
/// Which of 16 vectors: `row` 0 or 1 of the lane's two.
__device__ inline int vector_of_lane(int row) { return static_cast<int>(threadIdx.x % 32 / 4) + 8 * row; }

/// Where what a lane holds lies.
struct LaneLayout {
    int64_t vector[2];     // of the batch
    uint64_t position[2];  // of its vectors, over the whole data set
    int32_t quad[2];       // first of the four columns that share random words; -1: none
    int32_t column[2][2];  // of the layer; -1: none
    int32_t slot[2];       // in the chunk, of column [j][0]
    bool vector_there[2];

    __device__ LaneLayout(const CrossbarParams& p, const ColumnChunk& chunk, int32_t first_vector, int tile) {
        const int lane = threadIdx.x % 32;
        MHO_UNROLL
        for (int h = 0; h < 2; ++h) {
            vector[h] =
                p.first_vector + int64_t{blockIdx.x} * p.block.vectors + first_vector + vector_of_lane(h);
            position[h] = position_of(p, vector[h]);
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
    __device__ bool there(int j, int i) const {
        return column[j][column_of(i)] >= 0 && vector_there[row_of(i)];
    }
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
                                 int32_t polarity, const LaneLayout& at, int j, Normal2 n[2]) {
    const bool odd = threadIdx.x % 2 != 0;
    const uint64_t element = read_element(p.cells.extents, odd ? at.position[1] : at.position[0], blockIdx.z,
                                          c.row_tile, c.read, c.slice, polarity, at.quad[j]);
    const Words4 w =
        keyed_block(p.cells.keys, {p.cells.seed, p.cells.chip, domain, p.cells.layer}, element / 4);
    const uint32_t first = __shfl_xor_sync(~0u, odd ? w.word[0] : w.word[2], 1);
    const uint32_t second = __shfl_xor_sync(~0u, odd ? w.word[1] : w.word[3], 1);
    n[0] = odd ? normal_pair(first, second) : normal_pair(w.word[0], w.word[1]);
    n[1] = odd ? normal_pair(w.word[2], w.word[3]) : normal_pair(first, second);
}

/// The draw of element i of a tile, from draw_tile's.
__device__ inline float draw_of(const Normal2 n[2], int i) {
    return column_of(i) == 0 ? n[row_of(i)].first : n[row_of(i)].second;
}

/// The polarities that one conversion subtracts.
__device__ inline int polarities_of_conversion(const CrossbarParams& p) {
    return p.polarities == 2 && p.conversions == 1 ? 2 : 1;
}

__device__ inline void negate(PlaneSums& s) {
    for (int i = 0; i < 4; ++i) s.low[i] = -s.low[i], s.high[i] = -s.high[i];
}

/// One warp's reads of 16 vectors at 16 columns of one array: up to Kind::kSteps steps of one phase, from
/// first.read on.
template <class Kind>
class TileRead {
    using Sum = typename Kind::Sum;
    static constexpr int kSteps = Kind::kSteps;

  public:
    /// `tile`: the first of two tiles of 8 columns.
    __device__ TileRead(const CrossbarParams& p, const Conversion& first, int32_t phase, int32_t first_vector,
                        int tile, const LaneLayout& at)
        : p_(p),
          first_(first),
          at_(at),
          codes_(shared_part<std::byte>(p.block.codes) +
                 (int64_t{phase} * p.block.vectors + first_vector) * p.block.row_pitch *
                     static_cast<int64_t>(sizeof(typename Kind::Code))),
          tile_(tile),
          rows_(p.row_begin[first.row_tile + 1] - p.row_begin[first.row_tile]),
          first_step_(first.read - phase * p.read.steps) {}

    /// Column sums, exact, noise included; with subtraction before the ADC the difference of the polarities.
    /// Quiet kinds keep the weight of their step.
    template <bool kNoisy>
    __device__ void sum(LaneSums<Sum> sums[kSteps]) const {
        const int last = polarities_of_conversion(p_) - 1;
        PlaneSums plane[kSteps][2] = {};
        LaneSums<Sum> noise[kSteps] = {};
        for (int buffer = last; buffer >= 0; --buffer) {
            if (buffer < last) {  // what is there is the second polarity's
                for (int t = 0; t < kSteps; ++t) {
                    for (int j = 0; j < 2; ++j) negate(plane[t][j]);
                    for_each_sum([&](int j, int i) { noise[t][j][i] = -noise[t][j][i]; });
                }
            }
            const CellPlanes cells = planes_of(p_, p_.block.cells, buffer);
            if constexpr (Kind::kBytes)
                multiply_steps(cells, plane);
            else
                multiply_wide(cells, 0, plane[0]);
            if constexpr (kNoisy) add_noise(last > 0 ? buffer : first_.polarity, buffer, noise);
        }
        MHO_UNROLL
        for (int t = 0; t < kSteps; ++t)
            for_each_sum([&](int j, int i) {
                sums[t][j][i] = noise[t][j][i] +
                                joined_planes<Sum>(plane[t][j], i,
                                                   Kind::kQuiet ? 0 : kept_shift<Kind>(p_, first_step_ + t));
            });
    }

  private:
    /// Adds the products of bytes: kCount steps from `step` on, over all rows.
    template <int kCount>
    __device__ void multiply_bytes(const CellPlanes& cells, int step, PlaneSums sums[][2]) const {
        const int lane = threadIdx.x % 32, pitch = p_.block.row_pitch;
        const std::byte* x = row_fragment(codes_, pitch, lane);
        const std::byte* g = column_fragment(cells.low + 8 * tile_ * pitch, pitch, lane);
        uint32_t mask[kCount];
        for (int t = 0; t < kCount; ++t) mask[t] = step_mask(p_.read, step + t);
        for (int k = 0; k < rows_; k += kDepth) {
            uint32_t raw[4], low[4], high[4];
            load_matrix4(x + k, raw);
            load_matrix4(g + k, low);
            load_matrix4(g + cells.plane + k, high);
            MHO_UNROLL
            for (int t = 0; t < kCount; ++t) {
                uint32_t a[4];
                for (int i = 0; i < 4; ++i) a[i] = raw[i] & mask[t];
                for (int j = 0; j < 2; ++j) {
                    multiply_tile(sums[t][j].low, a, low + 2 * j);
                    multiply_tile(sums[t][j].high, a, high + 2 * j);
                }
            }
        }
    }

    /// The same for all steps at once, or for those left of a read one by one.
    __device__ void multiply_steps(const CellPlanes& cells, PlaneSums sums[kSteps][2]) const {
        if (first_step_ + kSteps <= p_.read.steps) return multiply_bytes<kSteps>(cells, first_step_, sums);
        MHO_UNROLL
        for (int t = 0; t < kSteps - 1; ++t)  // sums stay in registers: no step ends the loop
            if (first_step_ + t < p_.read.steps) multiply_bytes<1>(cells, first_step_ + t, sums + t);
    }

    /// The same for one step of 16-bit codes. `square`: 0 the part itself, 1 and 2 the low and high byte of
    /// its square.
    __device__ void multiply_wide(const CellPlanes& cells, int square, PlaneSums sums[2]) const {
        const int lane = threadIdx.x % 32, pitch = p_.block.row_pitch;
        const std::byte* columns = cells.low + int64_t{8 * tile_} * pitch;
        const uint16_t* x = reinterpret_cast<const uint16_t*>(codes_);
        for (int k = 0; k < rows_; k += kDepth) {
            uint32_t low[4], high[4], a[4];
            load_matrix4(column_fragment(columns + k, pitch, lane), low);
            load_matrix4(column_fragment(columns + cells.plane + k, pitch, lane), high);
            for (int i = 0; i < 4; ++i)
                a[i] =
                    wide_parts(x + vector_of_lane(i % 2) * pitch + k + 16 * (i / 2) + 4 * (lane % 4), square);
            for (int j = 0; j < 2; ++j) {
                multiply_tile(sums[j].low, a, low + 2 * j);
                multiply_tile(sums[j].high, a, high + 2 * j);
            }
        }
    }

    /// What the step reads of four codes, one a byte.
    __device__ uint32_t wide_parts(const uint16_t* four, int square) const {
        uint32_t parts = 0;
        for (int b = 0; b < 4; ++b) {
            uint32_t part = static_cast<uint32_t>(step_part(four[b], first_step_, p_.read.dac_bits));
            if (square > 0) part = part * part >> (square == 2 ? 8 : 0) & 0xffu;
            parts |= part << (8 * b);
        }
        return parts;
    }

    /// Adds the read noise of one polarity, whose variances lie at `buffer`, from the sums of these.
    __device__ void add_noise(int32_t polarity, int buffer, LaneSums<Sum> noise[kSteps]) const {
        const CellPlanes variances = planes_of(p_, p_.block.variances, buffer);
        PlaneSums square[kSteps][2] = {}, high_square[2] = {};
        if constexpr (Kind::kBytes) {
            multiply_steps(variances, square);
        } else {
            multiply_wide(variances, 1, square[0]);
            multiply_wide(variances, 2, high_square);
        }
        MHO_UNROLL
        for (int t = 0; t < kSteps; ++t) {
            if (first_step_ + t >= p_.read.steps) continue;
            LaneSums<Sum> variance;
            for_each_sum([&](int j, int i) {
                // A part of a byte is one bit, which is its own square.
                variance[j][i] = joined_planes<Sum>(square[t][j], i, kept_shift<Kind>(p_, first_step_ + t));
                if constexpr (!Kind::kBytes) variance[j][i] += 256 * joined_planes<Sum>(high_square[j], i, 0);
            });
            Conversion c = first_;
            c.read += t;
            add_noise_of_read(c, polarity, variance, noise[t]);
        }
    }

    __device__ void add_noise_of_read(const Conversion& c, int32_t polarity, const LaneSums<Sum>& variance,
                                      LaneSums<Sum>& noise) const {
        MHO_UNROLL
        for (int j = 0; j < 2; ++j) {
            Normal2 n[2];
            draw_tile(p_, Domain::read_noise, c, polarity, at_, j, n);
            MHO_UNROLL
            for (int i = 0; i < 4; ++i) {
                const float drawn =
                    read_noise(static_cast<float>(variance[j][i]), p_.read_noise, draw_of(n, i));
                noise[j][i] += static_cast<Sum>(drawn);
            }
        }
    }

    const CrossbarParams& p_;
    const Conversion& first_;
    const LaneLayout& at_;
    const std::byte* codes_;  // of the phase and the vectors
    int tile_, rows_, first_step_;
};

}  // namespace mho::cuda
