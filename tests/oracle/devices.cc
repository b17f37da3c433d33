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

/// In microsiemens.
double polynomial_sigma(const DeviceSettings& d, double g) {
    double sigma = 0, power = 1;
    for (double c : d.error_kinds.polynomial.coefficients) {
        sigma += c * power;
        power *= g;
    }
    return std::max(sigma, 0.0);
}

float off_by_polynomial(const DeviceSettings& d, float g_max, float target, float n) {
    const std::vector<double>& c = d.error_kinds.polynomial.coefficients;
    const double code = d.g_max / static_cast<double>(g_max);  // uS
    float sigma = 0;
    for (size_t k = c.size(); k-- > 0;)
        sigma = std::fmaf(sigma, target, static_cast<float>(c[k] * std::pow(code, static_cast<int>(k) - 1)));
    return std::fmaf(std::max(sigma, 0.0f), n, target);
}

/// None at the lowest targets, up to a third of g_max.
void choose_polynomial(DeviceSettings& d, const Drawn& drawn) {
    d.error_kinds.polynomial.coefficients = {drawn(-1, 8), drawn(0.08, 0.2), drawn(0, 1e-3)};
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
        {ErrorKind::polynomial, Draw::normal, off_by_polynomial, choose_polynomial,
         [](const DeviceSettings& d, double target, double g) {
             return gaussian_distribution((g - target) * d.g_max / polynomial_sigma(d, target * d.g_max));
         }},
    };
    return rows;
}

const DeviceOracle& device_oracle(ErrorKind kind) {
    for (const DeviceOracle& row : device_oracles())
        if (row.kind == kind) return row;
    throw std::logic_error(std::string("no oracle for device.error = ") + description_of(kind).name +
                           ": its row belongs in tests/oracle/devices.cc");
}

}  // namespace mho::oracle
