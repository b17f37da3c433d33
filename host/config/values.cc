// The value of a key: what it takes, and giving and reading it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "host/config/keys.h"
#include "host/config/write.h"

namespace mho {
namespace {

template <class... T>
struct Overloaded : T... {
    using T::operator()...;
};
template <class... T>
Overloaded(T...) -> Overloaded<T...>;

std::optional<double> as_number(const ConfigValue& value) {
    if (const auto* i = std::get_if<int64_t>(&value)) return static_cast<double>(*i);
    if (const auto* d = std::get_if<double>(&value)) return *d;
    return std::nullopt;
}

bool in_range(const Key& key, double x) {
    return std::isfinite(x) && x <= key.high && (key.open_low ? x > key.low : x >= key.low);
}

}  // namespace

std::string allowed_values(const Key& key) {
    Config any;
    const std::string range = key.open_low        ? fmt::format("above {} up to {}", key.low, key.high)
                              : key.high >= kMany ? fmt::format("from {}", key.low)
                                                  : fmt::format("from {} to {}", key.low, key.high);
    return std::visit(
        Overloaded{
            [](bool*) -> std::string { return "true or false"; },
            [&](int64_t*) { return "a whole number " + range; },
            [&](double*) { return "a number " + range; },
            [](std::string*) -> std::string { return "a string"; },
            [&](std::vector<double>*) { return "a number or an array of numbers, each " + range; },
            [&](std::optional<double>*) { return "\"max\" or a number " + range; },
            [](const ChoiceField& f) { return fmt::format("one of \"{}\"", fmt::join(f.names, "\", \"")); },
        },
        key.field(any));
}

std::string unit_of(const Key& key, const Config& config) {
    if (key.name != "device.sigma" || is_swept(config, "device.relative_to") ||
        is_swept(config, "device.error"))
        return key.unit;
    if (config.device.error == ErrorKind::lognormal) return "of ln g";
    if (!description_of(config.device.error).relative) return key.unit;
    return config.device.relative_to == RelativeTo::g_max ? "of g_max" : "of the target";
}

std::string assign(const Key& key, Config& config, const ConfigValue& value) {
    const std::string unit = key.unit.empty() || key.unit == "levels" ? "" : fmt::format(" ({})", key.unit);
    const std::string refusal =
        fmt::format("takes {}{}, not {}", allowed_values(key), unit, to_string(value));
    const std::optional<double> n = as_number(value);
    const auto* text = std::get_if<std::string>(&value);
    const bool ok = std::visit(
        Overloaded{
            [&](bool* f) {
                return std::holds_alternative<bool>(value) && (*f = std::get<bool>(value), true);
            },
            [&](int64_t* f) {
                const auto* i = std::get_if<int64_t>(&value);
                return i && in_range(key, static_cast<double>(*i)) && (*f = *i, true);
            },
            [&](double* f) { return n && in_range(key, *n) && (*f = *n, true); },
            [&](std::string* f) { return text && (*f = *text, true); },
            [&](std::vector<double>* f) {
                std::vector<double> list;
                if (n)
                    list = {*n};
                else if (const auto* l = std::get_if<std::vector<double>>(&value))
                    list = *l;
                else
                    return false;
                *f = list;
                return std::all_of(list.begin(), list.end(), [&](double x) { return in_range(key, x); });
            },
            [&](std::optional<double>* f) {
                if (text && *text == "max") return f->reset(), true;
                return n && in_range(key, *n) && (*f = *n, true);
            },
            [&](const ChoiceField& f) {
                const auto at = text ? std::find(f.names.begin(), f.names.end(), *text) : f.names.end();
                return at != f.names.end() && (f.set(static_cast<int>(at - f.names.begin())), true);
            },
        },
        key.field(config));
    return ok ? "" : refusal;
}

ConfigValue value_of(const Key& key, const Config& config) {
    Config copy = config;
    return std::visit(
        Overloaded{
            [](const ChoiceField& f) -> ConfigValue { return f.names[static_cast<size_t>(f.get())]; },
            [](std::optional<double>* f) -> ConfigValue {
                if (*f) return **f;
                return std::string("max");
            },
            [](auto* f) -> ConfigValue { return *f; },
        },
        key.field(copy));
}

}  // namespace mho
