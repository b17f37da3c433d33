#include "tests/oracle/adcs.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace mho::oracle {

const std::vector<AdcOracle>& adc_oracles() {
    static const std::vector<AdcOracle> rows{
        {AdcType::uniform,
         [](const AdcSettings& adc, float v, const std::function<float(int64_t)>&) {
             const double largest = std::ldexp(1.0, static_cast<int>(adc.bits)) - 1;
             const double nearest = std::nearbyint(static_cast<double>(v));
             return static_cast<int64_t>(std::min(std::max(nearest, 0.0), largest));
         },
         [](AdcSettings&, const Drawn&) {}},
    };
    return rows;
}

const AdcOracle& adc_oracle(AdcType type) {
    for (const AdcOracle& row : adc_oracles())
        if (row.type == type) return row;
    throw std::logic_error(std::string("no oracle for adc.type = ") + description_of(type).name);
}

}  // namespace mho::oracle
