#include "tests/oracle/adcs.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace mho::oracle {
namespace {

/// Weights of the bits in ADC steps, from draws of their capacitors and of the terminating one.
std::vector<float> sar_weights(const AdcSettings& adc, const std::function<float(int64_t)>& n) {
    const float mismatch = static_cast<float>(adc.types.sar.mismatch);
    float sum = std::fmaf(mismatch, n(adc.bits), 1.0f);
    std::vector<float> weights;
    for (int64_t k = 0; k < adc.bits; ++k) {
        const float units = std::ldexp(1.0f, static_cast<int>(k));
        weights.push_back(std::fmaf(std::sqrt(units) * mismatch, n(k), units));
        sum += weights.back();
    }
    const float step = std::ldexp(1.0f, static_cast<int>(adc.bits)) / sum;
    for (float& w : weights) w *= step;
    return weights;
}

int64_t sar_code(const AdcSettings& adc, float v, const std::function<float(int64_t)>& n) {
    const std::vector<float> weights = sar_weights(adc, n);
    float level = -0.5f;
    int64_t code = 0;
    for (int64_t k = adc.bits - 1; k >= 0; --k)
        if (const float trial = level + weights[static_cast<size_t>(k)]; v >= trial) {
            level = trial;
            code += int64_t{1} << k;
        }
    return code;
}

}  // namespace

const std::vector<AdcOracle>& adc_oracles() {
    static const std::vector<AdcOracle> rows{
        {AdcType::uniform,
         [](const AdcSettings& adc, float v, const std::function<float(int64_t)>&) {
             const double largest = std::ldexp(1.0, static_cast<int>(adc.bits)) - 1;
             const double nearest = std::nearbyint(static_cast<double>(v));
             return static_cast<int64_t>(std::min(std::max(nearest, 0.0), largest));
         },
         [](AdcSettings&, const Drawn&) {}},
        {AdcType::sar, sar_code,
         [](AdcSettings& adc, const Drawn& drawn) {
             adc.types.sar.mismatch = drawn(0, 1) < 0.2 ? 0 : drawn(0, 0.3);
         }},
    };
    return rows;
}

const AdcOracle& adc_oracle(AdcType type) {
    for (const AdcOracle& row : adc_oracles())
        if (row.type == type) return row;
    throw std::logic_error(std::string("no oracle for adc.type = ") + description_of(type).name +
                           ": its row belongs in tests/oracle/adcs.cc");
}

}  // namespace mho::oracle
