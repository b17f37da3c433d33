// kernels/crossbar/calibration.h - what the calibration images fix once a sweep point: input scales, bias
// rows, converter ranges, ReLU levels. docs/physics.md sections 2, 4 and 5. Plain data:
// host/run/calibration.cc fills it, chips read it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mho {

/// Of one crossbar layer.
struct CrossbarCalibration {
    bool is_signed = false;           ///< a negative input reached the layer
    float x_max = 0;                  ///< largest |x|, or its percentile
    float x_lsb = 0;                  ///< x_max / (2^x_bits - 1), or / (2^(x_bits-1) - 1) where signed
    float x_lsb_inverse = 0;          ///< 1/x_lsb, rounded once
    int32_t bias_drive = 0;           ///< input code of every bias row
    std::vector<int32_t> bias_level;  ///< signed level q of the bias cells, for each group and output
    /// Converter ranges in grid units, one each range index (see range_index in kernels/crossbar/adc.h): code
    /// 0 is lo.
    std::vector<float> lo, step;
};

struct Calibration {
    std::vector<CrossbarCalibration> crossbars;  ///< as Plan::crossbars
    std::vector<float> quantise_high;            ///< as step::Quantise::site
};

/// What reached one tensor. Percentiles come from counts: |x| in [b, b+1) 2^e / bins, where 2^e is the
/// least power of two above the largest |x|. Exact counts, so independent of batches.
struct InputHistogram {
    static constexpr int64_t kBins = 1 << 16;

    float minimum = 0, maximum = 0;  ///< of x
    float extent = 1;                ///< 2^e
    std::vector<int64_t> counts;     ///< kBins

    InputHistogram() = default;
    /// Without counts, for values between these two.
    InputHistogram(float smallest, float largest);
    float bins_a_unit() const { return static_cast<float>(kBins) / extent; }
    /// Adds what another stream has seen: the same as if one stream had seen both.
    void merge(const InputHistogram& other);
};

/// Integer histogram of column sums, one a range index: bin b holds sums in [first + b width, first + (b + 1)
/// width).
struct ColumnHistograms {
    static constexpr int64_t kBins = 1 << 16;

    int64_t first = 0, width = 1;
    std::vector<std::vector<int64_t>> counts;

    ColumnHistograms() = default;
    /// Without counts, for sums from `lowest` to `largest`.
    ColumnHistograms(int64_t lowest, int64_t largest)
        : first(lowest), width((largest - lowest) / kBins + 1) {}
    size_t bin_of(int64_t sum) const { return static_cast<size_t>((sum - first) / width); }
    /// Adds what another stream has seen; `first`, `width` and the shape of `counts` are equal for one layer.
    void merge(const ColumnHistograms& other);
};

/// Converters of one layer on one chip, each kind of number apart: a and b make steps of a sum
/// (kernels/crossbar/adc.h); `own` holds the numbers of their type, the first of all converters, then the
/// second.
struct ConverterNumbers {
    std::vector<float> a, b, own;
};

/// One crossbar layer opened up for one image; axes as named, row-major.
struct CrossbarTrace {
    int64_t positions = 0, phases = 0, steps = 0, row_tiles = 0, conversions = 0;
    std::vector<int32_t> input;  ///< [group][position][row]: signed codes, offset inputs before the offset
    std::vector<int16_t> conductance;  ///< [group][slice][polarity][row][column], grid codes of this chip
    /// Converters of this chip: [group][row tile][slice][conversion][column]; empty where they are ideal.
    ConverterNumbers converters;
    std::vector<int64_t>
        column_sum;  ///< [group][position][phase][step][row tile][slice][conversion][column], with noise
    std::vector<int64_t> code;  ///< the same axes, after the converter
    std::vector<int64_t>
        joined;  ///< [group][position][column]: codes joined as integers; empty where ranges differ
    std::vector<float>
        output;  ///< [position][group][column], as the layer delivers it, before any activation
};

}  // namespace mho
