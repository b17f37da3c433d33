// kernels/base/setting.h - a number or list of numbers that a listed kind of device or converter asks of the
// user. Where a kind lists one, the config has its key, with range, help and error message:
// host/config/keys.cc.
#pragma once

#include <variant>
#include <vector>

namespace mho {

/// One member of `Settings`; a key "TABLE.KIND.NAME" of a config.
template <class Settings>
struct Setting {
    const char* name;
    std::variant<double Settings::*, std::vector<double> Settings::*> member;
    double low, high;  ///< allowed, inclusive; of each number of a list
    const char* unit;  ///< "" for none
    const char* help;  ///< one line
};

/// Of a kind that asks for nothing of its own.
struct NoSettings {
    static std::vector<Setting<NoSettings>> list() { return {}; }
};

}  // namespace mho
