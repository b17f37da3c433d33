#include "tests/oracle/devices.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "kernels/base/elementary.h"

namespace mho::oracle {
namespace {

float sigma_of(const DeviceSettings& d, float g_max, float target) {
    return static_cast<float>(d.sigma) * (d.relative_to == RelativeTo::target ? target : g_max);
}

float off(const DeviceSettings& d, float g_max, float target, float n) {
    return std::fmaf(sigma_of(d, g_max, target), n, target);
}

double gaussian_distribution(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }

double relative_sigma(const DeviceSettings& d, double target) {
    return d.sigma * (d.relative_to == RelativeTo::target ? target : 1);
}

void choose_sigma(DeviceSettings& d, const Drawn& drawn) {
    const double sigmas[] = {0.0, 0.02, 0.3};
    d.sigma = sigmas[static_cast<size_t>(drawn(0, 2.999))];
    d.relative_to = drawn(0, 1) < 0.5 ? RelativeTo::g_max : RelativeTo::target;
}

}  // namespace

const std::vector<DeviceOracle>& device_oracles() {
    static const std::vector<DeviceOracle> rows{
        {ErrorKind::none, Draw::none,
         [](const DeviceSettings&, float, float target, float) { return target; },
         [](DeviceSettings&, const Drawn&) {},
         [](const DeviceSettings&, double target, double g) { return g < target ? 0.0 : 1.0; }},
        {ErrorKind::normal, Draw::normal, off, choose_sigma,
         [](const DeviceSettings& d, double target, double g) {
             return gaussian_distribution((g - target) / relative_sigma(d, target));
         }},
        {ErrorKind::uniform, Draw::uniform, off, choose_sigma,
         [](const DeviceSettings& d, double target, double g) {
             return std::clamp(0.5 + (g - target) / (2 * relative_sigma(d, target)), 0.0, 1.0);
         }},
        {ErrorKind::lognormal, Draw::normal,
         [](const DeviceSettings& d, float, float target, float n) {
             return target * exp_of(static_cast<float>(d.sigma) * n);
         },
         choose_sigma,
         [](const DeviceSettings& d, double target, double g) {
             return g > 0 ? gaussian_distribution(std::log(g / target) / d.sigma) : 0.0;
         }},
    };
    return rows;
}

const DeviceOracle& device_oracle(ErrorKind kind) {
    for (const DeviceOracle& row : device_oracles())
        if (row.kind == kind) return row;
    throw std::logic_error(std::string("no oracle for device.error = ") + description_of(kind).name);
}

}  // namespace mho::oracle
