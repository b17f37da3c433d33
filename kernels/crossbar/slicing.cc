#include "kernels/crossbar/slicing.h"

#include <algorithm>

namespace mho {
namespace {

/// The bits of an unsigned level, dealt to as few cells as hold them: the lowest first.
std::vector<Slice> deal_bits(int bits, const CrossbarSettings& asked) {
    const int most = static_cast<int>(asked.cell_bits);
    std::vector<Slice> slices;
    for (int left = bits; left > 0;) {
        const int cells = (left + most - 1) / most, even = (left + cells - 1) / cells;
        const int taken = asked.slice_bits == SliceBits::even ? even : std::min(most, left);
        slices.push_back({.bits = taken, .shift = bits - left});
        left -= taken;
    }
    return slices;
}

}  // namespace

std::vector<Slice> slices_of(const CrossbarSettings& asked) {
    const int64_t largest = asked.largest_level();
    if (asked.weight_bits == 0) return {{.full = largest}};
    std::vector<Slice> slices = deal_bits(bits_of(largest), asked);
    int64_t largest_digit = 0;
    for (Slice& s : slices) {
        s.full = std::min((int64_t{1} << s.bits) - 1, largest >> s.shift);
        largest_digit = std::max(largest_digit, s.full);
    }
    if (asked.slice_range == SliceRange::common)
        for (Slice& s : slices) s.full = largest_digit;
    return slices;
}

int64_t levels_asked(const CrossbarSettings& asked, const Slice& slice) {
    if (asked.weight_bits == 0) return 0;
    return (description_of(asked.scheme).half_levels ? 2 : 1) * slice.full + 1;
}

}  // namespace mho
