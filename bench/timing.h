// bench/timing.h - how long work takes, by the clock on the wall.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

namespace mho::bench {

inline double seconds(const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Of an odd number of values.
inline double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

}  // namespace mho::bench
