// kernels/crossbar/schemes.h - how signed weights become the levels of unsigned cells, listed once.
// docs/physics.md section 2. What undoes them digitally follows from the levels: kernels/crossbar/joining.h.
// To add one: its struct and line here, its formula in tests/oracle/crossbar_oracle.cc, docs/physics.md
// section 2.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/crossbar/slices.h"

namespace mho {

/// Two cells, of which the one for the weight's sign holds its magnitude.
struct DifferentialScheme {
    static constexpr int kPolarities = 2;
    static constexpr bool kHalfLevels = false;  // whether cells sit at half levels too
    static int64_t largest_level(int64_t q_max) { return q_max; }
    static double level(const LevelGrid& l, double q, int slice, int polarity) {
        return l.digit(std::fmax(polarity == 0 ? q : -q, 0.0), slice);
    }
};

/// Two cells, each half a level away from the middle for each level of the weight, in opposite directions.
struct BalancedScheme {
    static constexpr int kPolarities = 2;
    static constexpr bool kHalfLevels = true;
    static int64_t largest_level(int64_t q_max) { return q_max; }
    static double level(const LevelGrid& l, double q, int slice, int polarity) {
        const double digit = std::copysign(l.digit(std::fabs(q), slice), q);
        const int64_t full = l.slices[static_cast<size_t>(slice)].full;
        return (static_cast<double>(full) + (polarity == 0 ? digit : -digit)) / 2;
    }
};

/// One cell that holds the weight plus a constant.
struct OffsetScheme {
    static constexpr int kPolarities = 1;
    static constexpr bool kHalfLevels = false;
    static int64_t largest_level(int64_t q_max) { return 2 * q_max; }
    static double level(const LevelGrid& l, double q, int slice, int) {
        return l.digit(q + static_cast<double>(l.q_max), slice);
    }
};

/// DO(name, type) for every scheme.
#define MHO_EACH_SCHEME(DO)              \
    DO(differential, DifferentialScheme) \
    DO(balanced, BalancedScheme)         \
    DO(offset, OffsetScheme)

enum class Scheme {
#define MHO_ENUMERATOR(name, Type) name,
    MHO_EACH_SCHEME(MHO_ENUMERATOR)
#undef MHO_ENUMERATOR
};

/// A scheme as the project knows it.
struct SchemeDescription {
    Scheme scheme;
    const char* name;
    int polarities;
    bool half_levels;
    int64_t (*largest_level)(int64_t q_max);
    /// Level, 0 to the slice's `full`, of one cell of a weight with signed level q, |q| <= q_max.
    double (*level)(const LevelGrid&, double q, int slice, int polarity);
};

inline constexpr SchemeDescription kSchemes[] = {
#define MHO_DESCRIPTION(name, Type) \
    {Scheme::name, #name, Type::kPolarities, Type::kHalfLevels, Type::largest_level, Type::level},
    MHO_EACH_SCHEME(MHO_DESCRIPTION)
#undef MHO_DESCRIPTION
};

inline const SchemeDescription& description_of(Scheme scheme) {
    for (const SchemeDescription& d : kSchemes)
        if (d.scheme == scheme) return d;
    return kSchemes[0];  // every scheme is there: the list makes both
}

}  // namespace mho
