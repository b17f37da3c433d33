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

/// cut_code() of adc.h in two instructions: conversion to unsigned cuts what is negative.
__device__ inline int32_t code_of(float v, int32_t largest) {
    const unsigned code = __float2uint_rn(v), most = static_cast<unsigned>(largest);
    return static_cast<int32_t>(code < most ? code : most);
}

/// Column sums of one read become codes, by converters alone. The sums have kept a weight, `unit` takes it
/// off: a power of two, so that nothing is rounded otherwise.
__device__ inline void convert_sums(const CrossbarParams& p, const LaneConverters& converters, float unit,
                                    const int32_t sums[2][4], int32_t codes[2][4]) {
    MHO_UNROLL
    for (int e = 0; e < kLaneSums; ++e) {
        const int j = e / 4, i = e % 4;
        const Converter& c = converters.of[j][i % 2];
        codes[j][i] = code_of(conversion({c.a * unit, c.b}, static_cast<float>(sums[j][i])), p.largest_code);
    }
}

/// The same by any converters: ideal ones, or noisy ones.
template <class Sum>
__device__ inline void convert_sums(const CrossbarParams& p, const Conversion& c, const LanePlaces& at,
                                    const LaneConverters& converters, const Sum sums[2][4],
                                    int64_t codes[2][4]) {
    MHO_UNROLL
    for (int j = 0; j < 2; ++j) {
        Normal2 n[2] = {};
        if (p.adc_noise > 0) draw_tile(p, Domain::converter_noise, c, c.polarity, at, j, n);
        MHO_UNROLL
        for (int i = 0; i < 4; ++i) {
            const float v = conversion(converters.of[j][i % 2], static_cast<float>(sums[j][i]), p.adc_noise,
                                       i % 2 == 0 ? n[i / 2].first : n[i / 2].second);
            codes[j][i] = p.ideal_converters ? int64_t{sums[j][i]} : int64_t{code_of(v, p.largest_code)};
        }
    }
}

/// Hands sums and codes of one read to whoever looks inside. `kept`: the power of two that the sums are too
/// large by.
template <class Sum, class Code>
__device__ inline void inspect_read(const CrossbarParams& p, const ColumnChunk& chunk, const Conversion& c,
                                    const LanePlaces& at, int kept, const Sum sums[2][4],
                                    const Code codes[2][4]) {
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
            const int64_t bin = (sums[j][i] - wanted.first) / wanted.width;  // of ideal converters: none kept
            const int64_t range = wanted.range_of[converter_of(p, c, column)];
            atomicAdd(&wanted.histogram[range * wanted.bins + bin], 1ull);
            continue;
        }
        const int64_t read =
            (blockIdx.z * positions + at.vector[i / 2] - p.first_vector) * p.cells.extents.reads + c.read;
        const int64_t place = (read * arrays + array) * p.cells.columns + column;
        if (wanted.column_sum) wanted.column_sum[place] = sums[j][i] >> kept;
        if (wanted.code) wanted.code[place] = codes[j][i];
    }
}

/// Takes in the reads of one conversion, joined over phases and steps.
template <class Kind>
__device__ inline void join_reads(const CrossbarParams& p, const Conversion& c, const LanePlaces& at,
                                  int32_t first_vector, const typename Kind::Joined reads[2][4]) {
    using Integer = typename Kind::Joined;
    const Integer weight =
        (c.polarity == 0 ? 1 : -1) * (Integer{1} << (p.slices == 1 ? 0 : c.slice * p.cell_bits));
    MHO_UNROLL
    for (int e = 0; e < kLaneSums; ++e) {
        const int j = e / 4, i = e % 4;
        if (!at.there(j, i)) continue;
        const int32_t vector = first_vector + static_cast<int32_t>(threadIdx.x % 32 / 4) + 8 * (i / 2);
        Joined<Kind>& joined =
            shared_part<Joined<Kind>>(p.block.joined)[vector * p.block.columns + at.slot[j] + i % 2];
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
