// kernels/cuda/crossbar_codes.h - one warp's conversions: column sums become codes, codes are joined over
// phases, steps, slices and row tiles.
#pragma once

#include "kernels/cuda/crossbar_sums.h"

namespace mho::cuda {

/// The converters of a lane's columns; where they are ideal, none.
struct LaneConverters {
    Converter of[2][2];

    __device__ LaneConverters(const CrossbarParams& p, const Conversion& c, const LanePlaces& at) : of{} {
        if (p.ideal_converters) return;
        MHO_UNROLL
        for (int column = 0; column < 4; ++column) {
            const int j = column / 2, i = column % 2;
            if (at.column[j][i] < 0) continue;
            const uint64_t element = converter_of(p, c, at.column[j][i]);
            of[j][i] = {p.converter_a[element], p.converter_b[element]};
        }
    }
};

/// Column sums of one read become codes.
template <class Sum>
__device__ inline void convert_sums(const CrossbarParams& p, const Conversion& c, const LanePlaces& at,
                                    const LaneConverters& converters, const Sum sums[2][4],
                                    int64_t codes[2][4]) {
    MHO_UNROLL
    for (int pair = 0; pair < kLaneSums / 2; ++pair) {
        const int j = pair / 2, h = pair % 2;
        Normal2 n{0, 0};
        if (p.adc_noise > 0 && at.there(j, 2 * h))
            n = draw_pair(p, Domain::converter_noise, c, c.polarity, at.place[h], at.column[j][0]);
        for (int i = 0; i < 2; ++i) {
            const Sum sum = sums[j][2 * h + i];
            const float v = conversion(converters.of[j][i], static_cast<float>(sum), p.adc_noise,
                                       i == 0 ? n.first : n.second);
            codes[j][2 * h + i] =
                p.ideal_converters ? int64_t{sum} : static_cast<int64_t>(cut_code(v, p.largest_code));
        }
    }
}

/// Hands sums and codes of one read to whoever looks inside.
template <class Sum>
__device__ inline void inspect_read(const CrossbarParams& p, const ColumnChunk& chunk, const Conversion& c,
                                    const LanePlaces& at, const Sum sums[2][4], const int64_t codes[2][4]) {
    const Inspection& wanted = p.inspect;
    const int64_t positions = p.geometry.vectors - p.first_vector;
    const int64_t arrays = int64_t{p.row_tiles} * p.slices * p.conversions;
    const int64_t array = (int64_t{c.row_tile} * p.slices + c.slice) * p.conversions + c.polarity;
    MHO_UNROLL
    for (int e = 0; e < kLaneSums; ++e) {
        const int j = e / 4, i = e % 4;
        if (!at.there(j, i) || !(chunk.owned >> (at.slot[j] + i % 2) & 1)) continue;
        const int32_t column = at.column[j][i % 2];
        if (wanted.histogram) {
            const int64_t bin = (sums[j][i] - wanted.first) / wanted.width;
            const int64_t range = wanted.range_of[converter_of(p, c, column)];
            atomicAdd(&wanted.histogram[range * wanted.bins + bin], 1ull);
            continue;
        }
        const int64_t vector = static_cast<int64_t>(at.place[i / 2] - first_place(p));
        const int64_t read =
            (blockIdx.z * positions + vector - p.first_vector) * p.cells.extents.reads + c.read;
        const int64_t place = (read * arrays + array) * p.cells.columns + column;
        if (wanted.column_sum) wanted.column_sum[place] = sums[j][i];
        if (wanted.code) wanted.code[place] = codes[j][i];
    }
}

/// Joined codes of the block, [vector][column]: integers, or floats where ranges differ.
union Joined {
    int64_t sum;
    float z;
};

/// Takes in the reads of one conversion, joined over phases and steps.
__device__ inline void join_reads(const CrossbarParams& p, const Conversion& c, const LanePlaces& at,
                                  int32_t first_vector, const int64_t reads[2][4]) {
    const int64_t weight =
        (c.polarity == 0 ? 1 : -1) * (int64_t{1} << (p.slices == 1 ? 0 : c.slice * p.cell_bits));
    MHO_UNROLL
    for (int e = 0; e < kLaneSums; ++e) {
        const int j = e / 4, i = e % 4;
        if (!at.there(j, i)) continue;
        const int32_t vector = first_vector + static_cast<int32_t>(threadIdx.x % 32 / 4) + 8 * (i / 2);
        Joined& joined = shared_part<Joined>(p.block.joined)[vector * kChunkColumns + at.slot[j] + i % 2];
        if (p.rule.kind != CodeScale::separate) {
            joined.sum += weight * reads[j][i];
            continue;
        }
        const uint64_t element = converter_of(p, c, at.column[j][i % 2]);
        joined.z = add_array(joined.z, reads[j][i], p.array_scale[element], p.array_offset[element],
                             p.rule.read_weight);
    }
}

}  // namespace mho::cuda
