// kernels/devices/polynomial.h - Gaussian errors whose standard deviation is a polynomial in the target: how
// measured devices are mostly reported. docs/physics.md section 3, step 2.
#pragma once

#include <cmath>

#include "kernels/devices/device.h"

namespace mho {

struct PolynomialError {
    static constexpr char kHelp[] = "g + s n, s a polynomial in g";
    static constexpr Draw kDraw = Draw::normal;
    static constexpr bool kScaled = false, kRelative = false, kMicrosiemens = true;
    static constexpr int kMostTerms = 8;

    struct Settings {
        std::vector<double> coefficients;  ///< of s, in uS, over the target in uS; lowest power first

        static std::vector<Setting<Settings>> list() {
            return {{"coefficients", &Settings::coefficients, -1e9, 1e9, "uS",
                     "s = max(c0 + c1 g + c2 g^2 + ..., 0), g in uS: [c0, c1, ...]"}};
        }
    };
    static std::string complaint(const Settings& s) {
        if (s.coefficients.empty()) return "needs device.polynomial.coefficients = [c0, c1, ...]";
        if (s.coefficients.size() > kMostTerms)
            return "device.polynomial.coefficients takes at most " + std::to_string(kMostTerms) + " numbers";
        return "";
    }

    float term[kMostTerms] = {};  ///< of s in grid codes, over the target in grid codes

    PolynomialError() = default;
    PolynomialError(const DeviceSigma&, const Settings& s, const DeviceGrid& grid) {
        for (size_t k = 0; k < s.coefficients.size(); ++k)
            term[k] =
                static_cast<float>(s.coefficients[k] * std::pow(grid.microsiemens, static_cast<int>(k) - 1));
    }
    MHO_FORMULA float deviated(float target, float n) const {
        float sigma = 0;
        for (int k = kMostTerms; k-- > 0;) sigma = fmaf(sigma, target, term[k]);
        return off_target(sigma > 0 ? sigma : 0.0f, n, target);
    }
};

}  // namespace mho
