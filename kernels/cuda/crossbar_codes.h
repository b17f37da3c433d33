// kernels/cuda/crossbar_codes.h - one warp's conversions: column sums become codes, codes are joined over
// phases, steps, slices and row tiles.
#pragma once

#include "kernels/cuda/crossbar_sums.h"

namespace mho::cuda {

/// The converters of a lane's columns, but for the numbers of their type; where they are ideal, none.
struct LaneConverters {
    Converter of[2][2];

    __device__ LaneConverters(const CrossbarParams& p, const Conversion& c, const LaneLayout& at) : of{} {
        if (p.ideal_converters) return;
        MHO_UNROLL
        for (int column = 0; column < 4; ++column) {
            const int j = column / 2, i = column % 2;
            if (at.column[j][i] < 0) continue;
            const uint64_t element = converter_of(p, c, at.column[j][i]);
            of[j][i].a = p.converters.a[element];
            of[j][i].b = p.converters.b[element];
        }
    }
};

/// UniformAdc::code in two instructions: conversion to unsigned cuts what is negative.
__device__ inline int32_t code_of(float v, int32_t largest) {
    const unsigned code = __float2uint_rn(v), most = static_cast<unsigned>(largest);
    return static_cast<int32_t>(code < most ? code : most);
}

/// Column sums of one read become codes, by converters alone. The sums have kept a weight, `unit` takes it
/// off: a power of two, so that nothing is rounded otherwise.
__device__ inline void convert_sums(const CrossbarParams& p, const LaneConverters& converters, float unit,
                                    const LaneSums<int32_t>& sums, LaneSums<int32_t>& codes) {
    for_each_sum([&](int j, int i) {
        const Converter& c = converters.of[j][column_of(i)];
        const Converter scaled{c.a * unit, c.b, {}};
        codes[j][i] = code_of(scaled.steps(static_cast<float>(sums[j][i])), p.largest_code);
    });
}

/// The code of a converter of the type that the kind of kernel is for, at column `column`, -1 for none.
template <class Kind>
__device__ inline int32_t code_of_type(const CrossbarParams& p, const Conversion& c, int32_t column,
                                       float v) {
    if (Kind::kBytes || p.adc.type == AdcType::uniform) return code_of(v, p.largest_code);
    if (column < 0) return 0;
    const int64_t first = static_cast<int64_t>(converter_of(p, c, column));
    return static_cast<int32_t>(p.adc.code(v, {p.converters.own, first, p.converters.count}));
}

/// The same by any converters: ideal ones, noisy ones, those of any type.
template <class Kind, class Sum>
__device__ inline void convert_sums(const CrossbarParams& p, const Conversion& c, const LaneLayout& at,
                                    const LaneConverters& converters, const LaneSums<Sum>& sums,
                                    LaneSums<int64_t>& codes) {
    MHO_UNROLL
    for (int j = 0; j < 2; ++j) {
        Normal2 n[2] = {};
        if (p.adc_noise > 0) draw_tile(p, Domain::converter_noise, c, c.polarity, at, j, n);
        MHO_UNROLL
        for (int i = 0; i < 4; ++i) {
            if (p.ideal_converters) {
                codes[j][i] = int64_t{sums[j][i]};
                continue;
            }
            const float v = converters.of[j][column_of(i)].steps(static_cast<float>(sums[j][i]), p.adc_noise,
                                                                 draw_of(n, i));
            codes[j][i] = int64_t{code_of_type<Kind>(p, c, at.column[j][column_of(i)], v)};
        }
    }
}

/// Hands sums and codes of one read to whoever looks inside. `kept`: the power of two that the sums are too
/// large by.
template <class Sum, class Code>
__device__ inline void inspect_read(const CrossbarParams& p, const ColumnChunk& chunk, const Conversion& c,
                                    const LaneLayout& at, int kept, const LaneSums<Sum>& sums,
                                    const LaneSums<Code>& codes) {
    const Inspection& wanted = p.inspect;
    const int64_t positions = p.geometry.vectors - p.first_vector;
    const int64_t arrays = int64_t{p.row_tiles} * p.slices * p.conversions;
    const int64_t array = (int64_t{c.row_tile} * p.slices + c.slice) * p.conversions + c.polarity;
    for_each_sum([&](int j, int i) {
        if (!at.there(j, i) || !(chunk.owned >> (at.slot[j] + column_of(i)) & 1)) return;
        const int32_t column = at.column[j][column_of(i)];
        if (wanted.histogram) {
            const int64_t bin = (sums[j][i] - wanted.first) / wanted.width;  // of ideal converters: none kept
            const int64_t range = wanted.range_of[converter_of(p, c, column)];
            atomicAdd(&wanted.histogram[range * wanted.bins + bin], 1ull);
            return;
        }
        const int64_t read =
            (blockIdx.z * positions + at.vector[row_of(i)] - p.first_vector) * p.cells.extents.reads + c.read;
        const int64_t index = (read * arrays + array) * p.cells.columns + column;
        if (wanted.column_sum) wanted.column_sum[index] = sums[j][i] >> kept;
        if (wanted.code) wanted.code[index] = codes[j][i];
    });
}

/// Takes in the reads of one conversion, joined over phases and steps.
template <class Kind>
__device__ inline void join_reads(const CrossbarParams& p, const Conversion& c, const LaneLayout& at,
                                  int32_t first_vector, const LaneSums<typename Kind::Joined>& reads) {
    using Integer = typename Kind::Joined;
    const Integer weight = (c.polarity == 0 ? 1 : -1) * Integer{p.slice_weight[c.slice]};
    for_each_sum([&](int j, int i) {
        if (!at.there(j, i)) return;
        const int32_t vector = first_vector + vector_of_lane(row_of(i));
        Joined<Kind>& joined =
            shared_part<Joined<Kind>>(p.block.joined)[vector * p.block.columns + at.slot[j] + column_of(i)];
        if (p.rule.kind != CodeScale::separate) {
            joined.sum += weight * reads[j][i];
            return;
        }
        const uint64_t element = converter_of(p, c, at.column[j][column_of(i)]);
        joined.z = add_array(joined.z, reads[j][i], p.array_scale[element], p.array_offset[element],
                             p.rule.read_weight);
    });
}

}  // namespace mho::cuda
