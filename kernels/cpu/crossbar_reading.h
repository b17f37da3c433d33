// kernels/cpu/crossbar_reading.h - a few input vectors on their way through the arrays of one layer: parts of
// their codes, column sums, noise, conversion.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "kernels/cpu/crossbar_loops.h"
#include "kernels/cpu/crossbar_read.h"
#include "kernels/cpu/random.h"
#include "kernels/crossbar/conductance.h"
#include "kernels/crossbar/draw_address.h"

namespace mho::cpu {

/// One block of vectors of one group, on its way through the arrays. Sum: int32_t where every column sum
/// fits.
template <class Sum>
class Reading {
    static constexpr int64_t kBlockSums = 1 << 16;  // sums of one array, or draws, that a block may need

  public:
    Reading(const CrossbarChip& chip, const CrossbarInput& input)
        : chip_(chip),
          l_(chip.layer()),
          input_(input),
          codes_(code_plan(l_.crossbar, chip.calibration().is_signed)),
          reads_(codes_.reads()),
          pitch_(chip.conductance(0, 0, 0).pitch()),
          padded_rows_(chip.rows().begin.back()) {
        const int64_t sums = reads_ * pitch_;
        const int64_t draws = reads_ * l_.slices() * l_.polarities() * l_.pitch();
        block_ = std::clamp<int64_t>(kBlockSums / std::max(sums, draws), 1, 64);
    }

    int64_t block() const { return block_; }
    const CodePlan& codes() const { return codes_; }
    int64_t reads() const { return reads_; }
    int64_t pitch() const { return pitch_; }
    int64_t vectors() const { return count_; }
    const int32_t* vector_codes(int64_t v) const { return patch_.data() + v * l_.rows(); }

    /// Takes in vectors [first, first + count) of a group, count <= block().
    void load(int64_t group, int64_t first, int64_t count) {
        group_ = group;
        first_ = first;
        count_ = count;
        patch_.resize(static_cast<size_t>(count * l_.rows()));
        for (int64_t v = 0; v < count; ++v) {
            int32_t* codes = patch_.data() + v * l_.rows();
            input_.patches.gather(group, first + v, codes);
            std::fill_n(codes + l_.inputs, l_.bias_rows, chip_.calibration().bias_drive);
        }
        slice_inputs();
    }

    /// The noise draws of one row tile's reads and conversions; without noise, nothing.
    void draw_noise(int64_t row_tile) {
        if (chip_.has_read_noise()) fill_draws(Domain::read_noise, row_tile, read_draws_);
        if (chip_.has_converter_noise()) fill_draws(Domain::converter_noise, row_tile, converter_draws_);
    }

    /// Column sums of one conversion: [vector][phase][step][pitch()]; with analog subtraction the difference.
    std::span<Sum> sums(int64_t row_tile, int slice, int conversion, bool noisy) {
        sum_polarity(row_tile, slice, conversion, noisy, sums_);
        if (l_.subtracts_before_adc()) {
            sum_polarity(row_tile, slice, 1, noisy, other_);
            subtract_all(other_.data(), count_ * reads_ * pitch_, sums_.data());
        }
        return sums_;
    }

    /// What sums() returned becomes codes.
    void convert_sums(int64_t row_tile, int slice, int conversion) {
        if (chip_.ideal_converters()) return;
        const Converters converters = chip_.converters(group_, row_tile, slice, conversion);
        const float sigma_adc = static_cast<float>(l_.adc.noise);
        const bool noisy = chip_.has_converter_noise();
        if (!noisy) converter_draws_.assign(static_cast<size_t>(l_.pitch()), 0.0f);
        for (int64_t i = 0; i < count_ * reads_; ++i) {
            const float* n =
                noisy ? draws_of(converter_draws_, i, slice, conversion) : converter_draws_.data();
            convert_all(chip_.adc(), converters, sigma_adc, n, l_.columns(), sums_.data() + i * pitch_);
        }
    }

    /// Adds `weight` times the codes, phases and steps put together, to joined[vector][pitch()].
    void join_reads(int64_t weight, std::vector<int64_t>& joined) const {
        for (int64_t v = 0; v < count_; ++v)
            for (int phase = 0; phase < codes_.phases; ++phase)
                for (int step = 0; step < codes_.steps; ++step) {
                    const int64_t i = (v * codes_.phases + phase) * codes_.steps + step;
                    const int64_t of_read = weight * (int64_t{1} << (step * l_.crossbar.dac_bits));
                    add_weighted(sums_.data() + i * pitch_, phase == 1 ? -of_read : of_read, l_.columns(),
                                 joined.data() + v * pitch_);
                }
    }

  private:
    /// Codes -> the parts that each phase and step reads, as the integer product wants them.
    void slice_inputs() {
        parts_.assign(static_cast<size_t>(count_ * reads_ * padded_rows_), 0);
        int16_t* out = parts_.data();
        for (int64_t v = 0; v < count_; ++v)
            for (int phase = 0; phase < codes_.phases; ++phase)
                for (int step = 0; step < codes_.steps; ++step, out += padded_rows_)
                    for (size_t t = 0; t + 1 < l_.row_begin.size(); ++t)
                        slice_codes(vector_codes(v) + l_.row_begin[t], l_.row_begin[t + 1] - l_.row_begin[t],
                                    codes_.offset, phase, step, static_cast<int>(l_.crossbar.dac_bits),
                                    out + chip_.rows().begin[t]);
    }

    /// One vector's draws of a row tile lie side by side.
    void fill_draws(Domain domain, int64_t row_tile, std::vector<float>& draws) {
        const int64_t each = draws_a_vector();
        draws.resize(static_cast<size_t>(count_ * each));
        for (int64_t v = 0; v < count_; ++v) {
            const uint64_t first = read_element(draw_extents(l_, reads_), input_.position(first_ + v), group_,
                                                row_tile, 0, 0, 0, 0);
            fill_normals(chip_.stream(domain), first,
                         std::span(draws).subspan(static_cast<size_t>(v * each), static_cast<size_t>(each)));
        }
    }
    int64_t draws_a_vector() const { return reads_ * l_.slices() * l_.polarities() * l_.pitch(); }
    const float* draws_of(const std::vector<float>& draws, int64_t read, int slice, int polarity) const {
        return draws.data() + ((read * l_.slices() + slice) * l_.polarities() + polarity) * l_.pitch();
    }

    void sum_polarity(int64_t row_tile, int slice, int polarity, bool noisy, std::vector<Sum>& out) {
        const int64_t largest_part = l_.largest_part();
        product(parts_, chip_.conductance(group_, slice, polarity), row_tile, largest_part, out);
        if (!noisy || !chip_.has_read_noise()) return;
        sum_variances(row_tile, slice, polarity, largest_part);
        const float factor = read_noise_factor(l_);
        for (int64_t i = 0; i < count_ * reads_; ++i)
            add_noise_to(variances_.data() + i * pitch_, factor, draws_of(read_draws_, i, slice, polarity),
                         l_.columns(), out.data() + i * pitch_);
    }

    /// sum x^2 variance. A square may need 16 bits: it goes through the product in two halves.
    void sum_variances(int64_t row_tile, int slice, int polarity, int64_t largest_part) {
        const PairedMatrix& variance = chip_.variance(group_, slice, polarity);
        if (largest_part == 1) return product(parts_, variance, row_tile, 1, variances_);
        constexpr int kLowBits = 8;
        const auto part_of = [this](int64_t low_mask, int shift) {
            squares_.resize(parts_.size());
            for (size_t i = 0; i < parts_.size(); ++i)
                squares_[i] = static_cast<int16_t>((int32_t{parts_[i]} * parts_[i] >> shift) & low_mask);
        };
        part_of((1 << kLowBits) - 1, 0);
        product(squares_, variance, row_tile, (1 << kLowBits) - 1, variances_);
        part_of(0xff, kLowBits);
        product(squares_, variance, row_tile, largest_part * largest_part >> kLowBits, high_variances_);
        for (size_t i = 0; i < variances_.size(); ++i) variances_[i] += high_variances_[i] * (1 << kLowBits);
    }

    /// Products with the rows of one tile, of all vectors of the block; `largest_part` bounds the parts.
    void product(const std::vector<int16_t>& parts, const PairedMatrix& m, int64_t row_tile,
                 int64_t largest_part, std::vector<Sum>& out) {
        const int64_t begin = chip_.rows().begin[static_cast<size_t>(row_tile)],
                      end = chip_.rows().begin[static_cast<size_t>(row_tile + 1)];
        out.resize(static_cast<size_t>(count_ * reads_ * pitch_));
        if constexpr (sizeof(Sum) == sizeof(int32_t)) {
            multiply(parts.data(), count_ * reads_, padded_rows_, m, begin, end, out.data());
        } else {
            // As many rows at a time as 32 bits hold, an even number of them.
            const int64_t rows =
                std::numeric_limits<int32_t>::max() / (32767 * std::max<int64_t>(largest_part, 1)) / 2 * 2;
            std::fill(out.begin(), out.end(), 0);
            partial_.resize(out.size());
            for (int64_t r = begin; r < end; r += rows) {
                multiply(parts.data(), count_ * reads_, padded_rows_, m, r, std::min(end, r + rows),
                         partial_.data());
                for (size_t i = 0; i < out.size(); ++i) out[i] += partial_[i];
            }
        }
    }

    const CrossbarChip& chip_;
    const CrossbarLayer& l_;
    const CrossbarInput& input_;
    const CodePlan codes_;
    const int64_t reads_, pitch_, padded_rows_;
    int64_t block_ = 1, group_ = 0, first_ = 0, count_ = 0;
    std::vector<int32_t> patch_;
    std::vector<int16_t> parts_, squares_;
    std::vector<Sum> sums_, other_, variances_, high_variances_;
    std::vector<int32_t> partial_;
    std::vector<float> read_draws_, converter_draws_;
};

}  // namespace mho::cpu
