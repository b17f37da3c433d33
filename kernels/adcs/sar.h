// kernels/adcs/sar.h - successive approximation with a binary-weighted array of capacitors that do not match.
// docs/physics.md section 4; McCreary, Gray: All-MOS charge redistribution analog-to-digital conversion
// techniques, JSSC 10(6), 1975.
#pragma once

#include <cmath>

#include "kernels/adcs/adc_type.h"

namespace mho {

struct SarAdc {
    static constexpr char kHelp[] = "bit by bit, by capacitors that do not match";

    struct Settings {
        double mismatch = 0;  ///< standard deviation of one unit capacitor, relative

        static std::vector<Setting<Settings>> list() {
            return {{"mismatch", &Settings::mismatch, 0, 1, "relative",
                     "standard deviation of a unit capacitor, drawn once a converter and chip"}};
        }
    };

    static std::string complaint(const Settings&, int) { return ""; }

    float mismatch = 0;
    int32_t bits = 0;

    SarAdc() = default;
    SarAdc(const Settings& s, int64_t adc_bits)
        : mismatch(static_cast<float>(s.mismatch)), bits(static_cast<int32_t>(adc_bits)) {}
    /// The weight of each bit, in ADC steps.
    static int numbers(int adc_bits) { return adc_bits; }
    /// One a capacitor: of each bit, and the terminating one.
    static int draws(int adc_bits) { return adc_bits + 1; }

    /// Capacitors in units: 2^k unit capacitors for bit k, one that terminates the array. A bit weighs its
    /// share of all of them.
    template <class Draw>
    MHO_HD void make(const Draw& n, Strided<float> own) const {
        float all = fmaf(mismatch, n(bits), 1.0f), units = 1.0f;
        for (int32_t k = 0; k < bits; ++k, units *= 2.0f) {
            own[k] = fmaf(sqrtf(units) * mismatch, n(k), units);
            all += own[k];
        }
        const float steps = units / all;  // a unit capacitor, in ADC steps
        for (int32_t k = 0; k < bits; ++k) own[k] *= steps;
    }

    /// From the highest bit down, a bit is set where v is at least half a step below the sum of what is set
    /// and its own weight.
    MHO_FORMULA float code(float v, Strided<const float> own) const {
        float code = 0, level = -0.5f;
        for (int32_t k = bits; k-- > 0;) {
            const float trial = level + own[k];
            const bool set = v >= trial;
            level = set ? trial : level;
            code = code + code + (set ? 1.0f : 0.0f);
        }
        return code;
    }
};

}  // namespace mho
