// tests/oracle/adcs.h - every type of converter, slowly and by its formula in docs/physics.md section 4: a
// row a type. A type without a row fails ListedKinds in devices_test.cc, and every type with one is tried on
// every backend. A reference for tests only.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "kernels/crossbar/settings.h"
#include "tests/oracle/devices.h"

namespace mho::oracle {

struct AdcOracle {
    AdcType type;
    /// The code of v, a column sum in ADC steps. `n(k)`: N(0, 1) draw k of the converter.
    int64_t (*code)(const AdcSettings&, float v, const std::function<float(int64_t)>& n);
    /// What a test asks of the type, at random.
    void (*choose)(AdcSettings&, const Drawn&);
};

const std::vector<AdcOracle>& adc_oracles();
/// Throws std::logic_error where the type has no row.
const AdcOracle& adc_oracle(AdcType type);

}  // namespace mho::oracle
