#include "kernels/cpu/crossbar_loops.h"

#include <cmath>

#include "kernels/cpu/simd.h"
#include "kernels/crossbar/adc.h"
#include "kernels/crossbar/conductance.h"
#include "kernels/crossbar/input_code.h"
#include "kernels/crossbar/joining.h"

namespace mho::cpu {
namespace {

// Each loop below exists for sums of 32 and of 64 bits; the wrappers give both a version for every CPU.

template <class Sum>
MHO_FORMULA void add_noise(const Sum* variance, float factor, const float* n, int64_t count, Sum* sums) {
    for (int64_t c = 0; c < count; ++c)
        sums[c] += static_cast<Sum>(read_noise(static_cast<float>(variance[c]), factor, n[c]));
}

/// Column sums become codes, in place.
template <class Adc, class Sum>
MHO_FORMULA void convert(const Adc& adc, const Converters& converters, float sigma_adc, const float* n,
                         int64_t count, Sum* sums) {
    for (int64_t c = 0; c < count; ++c) {
        const Converter converter = converters[c];
        const float v = converter.steps(static_cast<float>(sums[c]), sigma_adc, n[c]);
        sums[c] = static_cast<Sum>(adc.code(v, converter.own));
    }
}

template <class Sum>
MHO_FORMULA void add_codes(const Sum* codes, int64_t weight, int64_t count, int64_t* joined) {
    for (int64_t c = 0; c < count; ++c) joined[c] += weight * codes[c];
}

template <class Sum>
MHO_FORMULA void subtract(const Sum* other, int64_t count, Sum* sums) {
    for (int64_t c = 0; c < count; ++c) sums[c] -= other[c];
}

}  // namespace

#define MHO_FOR_SUM(Sum)                                                                                  \
    MHO_SIMD_CLONES void add_noise_to(const Sum* variance, float factor, const float* n, int64_t count,   \
                                      Sum* sums) {                                                        \
        add_noise(variance, factor, n, count, sums);                                                      \
    }                                                                                                     \
    MHO_SIMD_CLONES void add_weighted(const Sum* codes, int64_t weight, int64_t count, int64_t* joined) { \
        add_codes(codes, weight, count, joined);                                                          \
    }                                                                                                     \
    MHO_SIMD_CLONES void subtract_all(const Sum* other, int64_t count, Sum* sums) {                       \
        subtract(other, count, sums);                                                                     \
    }
MHO_FOR_SUM(int32_t)
MHO_FOR_SUM(int64_t)
#undef MHO_FOR_SUM

#define MHO_CONVERT_ALL(name, Type, Sum)                                                                  \
    MHO_SIMD_CLONES void convert_all_##name(const Type adc, const Converters converters, float sigma_adc, \
                                            const float* n, int64_t count, Sum* sums) {                   \
        convert(adc, converters, sigma_adc, n, count, sums);                                              \
    }
#define MHO_CONVERT_BOTH(name, Type)     \
    MHO_CONVERT_ALL(name, Type, int32_t) \
    MHO_CONVERT_ALL(name, Type, int64_t)
MHO_EACH_ADC_TYPE(MHO_CONVERT_BOTH)

#define MHO_CONVERT_CASE(name, Type) \
    case AdcType::name:              \
        return convert_all_##name(adc.name, converters, sigma_adc, n, count, sums);
#define MHO_CONVERT_FOR_SUM(Sum)                                                                         \
    void convert_all(const AdcModel& adc, const Converters& converters, float sigma_adc, const float* n, \
                     int64_t count, Sum* sums) {                                                         \
        switch (adc.type) { MHO_EACH_ADC_TYPE(MHO_CONVERT_CASE) }                                        \
    }
MHO_CONVERT_FOR_SUM(int32_t)
MHO_CONVERT_FOR_SUM(int64_t)

/// What one phase and step reads of each code.
MHO_SIMD_CLONES void slice_codes(const int32_t* codes, int64_t count, int32_t offset, int phase, int step,
                                 int dac_bits, int16_t* parts) {
    for (int64_t r = 0; r < count; ++r)
        parts[r] = static_cast<int16_t>(step_part(phase_part(codes[r], offset, phase), step, dac_bits));
}

MHO_SIMD_CLONES void add_array_to(const int64_t* joined, const float* scale, const float* offset,
                                  float read_weight, int64_t count, float* z) {
    for (int64_t c = 0; c < count; ++c) z[c] = add_array(z[c], joined[c], scale[c], offset[c], read_weight);
}

}  // namespace mho::cpu
