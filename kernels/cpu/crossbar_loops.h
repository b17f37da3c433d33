// kernels/cpu/crossbar_loops.h - the inner loops of reading a crossbar, over the columns of one array. Sums
// are int32_t where every one of them fits, else int64_t; the results are the same.
#pragma once

#include <cstdint>

#include "kernels/crossbar/adc.h"

namespace mho::cpu {

/// What one phase and step reads of each code.
void slice_codes(const int32_t* codes, int64_t count, int32_t offset, int phase, int step, int dac_bits,
                 int16_t* parts);

/// sums += rint(sqrt(variance) factor n): read noise. variance: sum of x^2 and the cells' own.
void add_noise_to(const int32_t* variance, float factor, const float* n, int64_t count, int32_t* sums);
void add_noise_to(const int64_t* variance, float factor, const float* n, int64_t count, int64_t* sums);

/// Column sums become codes, in place, by the converter of each column; n: a draw of its noise each.
void convert_all(const AdcModel& adc, const Converters& converters, float sigma_adc, const float* n,
                 int64_t count, int32_t* sums);
void convert_all(const AdcModel& adc, const Converters& converters, float sigma_adc, const float* n,
                 int64_t count, int64_t* sums);

/// joined += weight codes.
void add_weighted(const int32_t* codes, int64_t weight, int64_t count, int64_t* joined);
void add_weighted(const int64_t* codes, int64_t weight, int64_t count, int64_t* joined);

/// sums -= other.
void subtract_all(const int32_t* other, int64_t count, int32_t* sums);
void subtract_all(const int64_t* other, int64_t count, int64_t* sums);

/// z takes in one array: kernels/crossbar/joining.h.
void add_array_to(const int64_t* joined, const float* scale, const float* offset, float read_weight,
                  int64_t count, float* z);

}  // namespace mho::cpu
