// Kinds of programming error and types of converter: each listed one has an oracle and so runs under the
// contract of every backend, is distributed as docs/physics.md states, and can be asked for in a config.
#include "kernels/devices/devices.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "host/chip/mapping.h"
#include "host/config/keys.h"
#include "host/config/read.h"
#include "kernels/adcs/adcs.h"
#include "kernels/base/normal.h"
#include "kernels/crossbar/adc.h"
#include "kernels/crossbar/conductance.h"
#include "tests/oracle/adcs.h"
#include "tests/oracle/devices.h"

namespace mho {
namespace {

TEST(ListedKinds, each_has_an_oracle) {
    for (const ErrorDescription& d : kDeviceErrors) EXPECT_NO_THROW(oracle::device_oracle(d.kind)) << d.name;
    for (const AdcDescription& d : kAdcTypes) EXPECT_NO_THROW(oracle::adc_oracle(d.type)) << d.name;
    EXPECT_EQ(oracle::device_oracles().size(), std::size(kDeviceErrors));
    EXPECT_EQ(oracle::adc_oracles().size(), std::size(kAdcTypes));
}

TEST(ListedKinds, are_the_choices_of_their_keys) {
    const std::string errors = allowed_values(*find_key("device.error")),
                      types = allowed_values(*find_key("adc.type"));
    for (const ErrorDescription& d : kDeviceErrors) {
        EXPECT_NE(errors.find(std::string("\"") + d.name + "\""), std::string::npos) << d.name;
        EXPECT_NE(find_key("device.error")->help.find(d.help), std::string::npos) << d.name;
    }
    for (const AdcDescription& d : kAdcTypes) {
        EXPECT_NE(types.find(std::string("\"") + d.name + "\""), std::string::npos) << d.name;
        EXPECT_NE(find_key("adc.type")->help.find(d.help), std::string::npos) << d.name;
    }
}

TEST(ListedKinds, errors_that_no_sigma_scales_need_none) {
    for (const ErrorDescription& d : kDeviceErrors) {
        DeviceSettings device;
        device.error = d.kind;
        EXPECT_EQ(device.effective_error(), d.scaled ? ErrorKind::none : d.kind) << d.name;
        device.sigma = 0.1;
        EXPECT_EQ(device.effective_error(), d.kind) << d.name;
    }
}

/// The cell of a layer as `asked`, with g_min and g_max at the ends of the window.
CellModel model_of(const DeviceSettings& device) {
    MappingRequest asked;
    asked.device = device;
    const std::vector<float> weight{1, -1};
    return cell_model(map_crossbar({weight, {}, 1, 1, 2, 0, "layer"}, asked));
}

constexpr double kSignificance = 1e-3;  // of the whole test

/// Largest distance between the distribution of `sample` and `expected` over (0, headroom): what is cut lies
/// at its ends.
double distance(std::vector<double> sample, double end, const std::function<double(double)>& expected) {
    std::sort(sample.begin(), sample.end());
    const double n = static_cast<double>(sample.size());
    double largest = 0;
    for (size_t i = 0; i < sample.size(); ++i) {
        if (sample[i] <= 0 || sample[i] >= end) continue;
        const double x = expected(sample[i]);
        largest = std::max({largest, std::abs(x - static_cast<double>(i) / n),
                            std::abs(static_cast<double>(i + 1) / n - x)});
    }
    return largest;
}

/// Kolmogorov-Smirnov, at three targets and several settings of each kind.
TEST(DeviceErrors, are_distributed_as_stated) {
    constexpr int kSettings = 4, kDraws = 20'000;
    const double targets[] = {0.2, 0.6, 1.0};  // of g_max
    const double tests = static_cast<double>(std::size(kDeviceErrors)) * kSettings * std::size(targets);
    // P(sqrt(n) D > d) <= 2 exp(-2 d^2); a conductance is known to half a code.
    const double bound = std::sqrt(std::log(2 * tests / kSignificance) / 2 / kDraws);
    std::mt19937 random(14);
    for (const oracle::DeviceOracle& kind : oracle::device_oracles()) {
        if (kind.draw == Draw::none) continue;
        for (int s = 0; s < kSettings; ++s) {
            DeviceSettings asked;
            asked.error = kind.kind;
            do {
                kind.choose(asked, [&](double low, double high) {
                    return std::uniform_real_distribution<double>(low, high)(random);
                });
            } while (asked.effective_error() == ErrorKind::none);
            const CellModel model = model_of(asked);
            for (double target : targets) {
                std::vector<double> sample;
                for (uint64_t i = 0; i < kDraws; ++i) {
                    const RandomStream stream{static_cast<uint64_t>(s), 3, Domain::programming, 1};
                    const float n = kind.draw == Draw::uniform ? uniform(stream, i) : normal(stream, i);
                    const float g = model.error.deviated(static_cast<float>(target) * model.g_max, n);
                    sample.push_back(static_cast<double>(g) / static_cast<double>(model.g_max));
                }
                EXPECT_LT(
                    distance(sample, 1.5, [&](double g) { return kind.distribution(asked, target, g); }),
                    bound)
                    << description_of(kind.kind).name << ", setting " << s << ", sigma " << asked.sigma
                    << ", target " << target;
            }
        }
    }
}

/// Every code edge: codes rise with the sum, from 0 to the largest, by each type without mismatch of its own
/// drawn.
TEST(AdcTypes, codes_rise_with_the_sum_over_the_whole_range) {
    for (const oracle::AdcOracle& type : oracle::adc_oracles())
        for (int bits : {1, 3, 8}) {
            AdcSettings asked;
            asked.type = type.type;
            asked.bits = bits;
            const AdcModel model(asked.type, asked.types, bits);
            std::vector<float> own(static_cast<size_t>(model.numbers));
            model.make([](int64_t) { return 0.0f; }, {own.data(), 0, 1});
            const int largest = (1 << bits) - 1;
            int before = 0;
            for (float v = -2; v <= static_cast<float>(largest + 2); v += 1.0f / 64) {
                const int code = static_cast<int>(model.code(v, {own.data(), 0, 1}));
                const float wanted = std::clamp(v, 0.0f, static_cast<float>(largest));
                ASSERT_TRUE(code >= before && std::abs(static_cast<float>(code) - wanted) <= 0.5f)
                    << description_of(type.type).name << " of " << bits << " bits: " << v << " steps give "
                    << code << ", the code before is " << before;
                before = code;
            }
            EXPECT_EQ(before, largest) << description_of(type.type).name << " of " << bits << " bits";
        }
}

}  // namespace
}  // namespace mho
