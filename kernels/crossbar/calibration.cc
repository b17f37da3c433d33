#include "kernels/crossbar/calibration.h"

#include <algorithm>
#include <cmath>

namespace mho {

void InputHistogram::merge(const InputHistogram& other) {
    minimum = std::min(minimum, other.minimum);
    maximum = std::max(maximum, other.maximum);
    // Extents are powers of two, so bins of the narrower histogram fall whole into bins of the wider one.
    const InputHistogram narrow = extent < other.extent ? *this : other;
    if (extent < other.extent) {
        extent = other.extent;
        counts = other.counts;
    }
    const size_t ratio = static_cast<size_t>(extent / narrow.extent);
    for (size_t bin = 0; bin < narrow.counts.size(); ++bin) counts[bin / ratio] += narrow.counts[bin];
}

InputHistogram::InputHistogram(float smallest, float largest) : minimum(smallest), maximum(largest) {
    int exponent = 0;
    std::frexp(std::max(std::abs(smallest), std::abs(largest)), &exponent);  // largest = f 2^e with f < 1
    extent = std::ldexp(1.0f, exponent);
}

void ColumnHistograms::merge(const ColumnHistograms& other) {
    for (size_t range = 0; range < counts.size(); ++range)
        for (size_t bin = 0; bin < counts[range].size(); ++bin)
            counts[range][bin] += other.counts[range][bin];
}

}  // namespace mho
