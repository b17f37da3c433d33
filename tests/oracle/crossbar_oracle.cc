#include "tests/oracle/crossbar_oracle.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <stdexcept>
#include <tuple>

#include "kernels/base/normal.h"
#include "tests/oracle/adcs.h"
#include "tests/oracle/devices.h"

namespace mho::oracle {
namespace {

int64_t power(int64_t base, int64_t exponent) { return exponent == 0 ? 1 : base * power(base, exponent - 1); }

/// A setting as the project keeps it: in float32.
double rounded(double setting) { return static_cast<double>(static_cast<float>(setting)); }

std::vector<int64_t> boundaries(int64_t extent, int64_t size, Fill fill) {
    const int64_t tiles = (extent + size - 1) / size;
    std::vector<int64_t> b;
    for (int64_t t = 0; t < tiles; ++t) b.push_back(fill == Fill::packed ? t * size : extent * t / tiles);
    b.push_back(extent);
    return b;
}

int64_t tile_of(const std::vector<int64_t>& boundaries, int64_t index) {
    int64_t t = 0;
    while (boundaries[static_cast<size_t>(t + 1)] <= index) ++t;
    return t;
}

/// The layer under construction: everything by name, nothing fast.
class Layer {
  public:
    explicit Layer(const CrossbarCase& layer) : c(layer) {
        N = c.outputs / c.groups;
        K = c.channels / c.groups * c.down.kernel * c.across.kernel;
        rows = K + c.bias_rows();
        height = c.down.positions(c.height);
        width = c.across.positions(c.width);
        row_tiles = boundaries(rows, c.crossbar.rows, c.crossbar.fill);
        column_tiles = boundaries(N, c.crossbar.columns, c.crossbar.fill);
        RT = static_cast<int64_t>(row_tiles.size()) - 1;
        CT = static_cast<int64_t>(column_tiles.size()) - 1;
        reference_column = c.crossbar.reference == Reference::column;
        columns = N + (reference_column ? CT : 0);
        pitch = (columns + 3) / 4 * 4;
        offset = c.crossbar.scheme == Scheme::offset;
        balanced = c.crossbar.scheme == Scheme::balanced;
        if (!offset && !balanced && c.crossbar.scheme != Scheme::differential)
            throw std::logic_error(
                "no oracle for this crossbar.scheme: its cells, largest level, grid step and levels belong "
                "here");
        P = offset ? 1 : 2;
        analog = P == 2 && c.crossbar.subtract == Subtract::analog;
        conversions = analog ? 1 : P;
        real = c.crossbar.weight_bits == 0;
        q_max = real ? 1 : power(2, c.crossbar.weight_bits - 1) - 1;
        const int64_t U = offset ? 2 * q_max : q_max;
        slice(U);
        // The largest span up to `room` that is a whole number of steps of every slice, of half steps where a
        // balanced cell sits between levels.
        const double g_ratio = c.device.g_min / c.device.g_max;
        const int64_t halves = balanced ? 2 : 1;
        M = static_cast<int64_t>((1 - g_ratio) * 32767 / c.crossbar.headroom);
        const auto fits = [&](int64_t f) { return M % (halves * f) == 0; };
        while (!std::all_of(full.begin(), full.end(), fits)) --M;
        G_min = static_cast<int64_t>(std::nearbyint(g_ratio / (1 - g_ratio) * static_cast<double>(M)));
        G_max = G_min + M;
        while (!std::all_of(full.begin(), full.end(), [&](int64_t f) { return f % shared == 0; })) --shared;
    }

    /// The slices of levels up to U: how many values their digits have, and which level lies at g_max.
    void slice(int64_t U) {
        S = 1;
        if (!real)
            while (power(2, S * c.crossbar.cell_bits) <= U) ++S;
        int64_t bits = 0;
        while (power(2, bits) <= U) ++bits;
        int64_t rest = U, largest = 0;
        for (int64_t s = 0; s < S; ++s) {
            int64_t digit_bits = bits / S + (s < bits % S ? 1 : 0);
            if (c.crossbar.slice_bits == SliceBits::low_first)
                digit_bits = std::min(c.crossbar.cell_bits, bits - s * c.crossbar.cell_bits);
            base.push_back(power(2, digit_bits));
            full.push_back(real ? U : std::min(base.back() - 1, rest));
            rest /= base.back();
            largest = std::max(largest, full.back());
        }
        if (c.crossbar.slice_range == SliceRange::common) full.assign(full.size(), largest);
        shared = largest;
    }

    const CrossbarCase& c;
    int64_t N, K, rows, height, width, RT, CT, columns, pitch, P, conversions, q_max, S, M, G_min, G_max,
        shared = 1;                   // largest number that divides all of `full`
    std::vector<int64_t> base, full;  // of each slice: values of its digit, level at g_max
    bool offset, balanced, analog, real, reference_column;
    std::vector<int64_t> row_tiles, column_tiles;

    // Calibration.
    bool is_signed = false;
    float x_max = 0, x_lsb = 1;
    int64_t bias_drive = 0;
    std::vector<int64_t> bias_level;
    std::map<std::tuple<int64_t, int64_t, int64_t, int64_t, int64_t>, std::pair<float, float>>
        ranges;  // lo, step

    double weight(int64_t g, int64_t n, int64_t k) const {
        return c.weight[static_cast<size_t>((g * N + n) * K + k)];
    }

    double w_scale(int64_t g, int64_t n) const {
        double largest = 0;
        if (c.crossbar.scale == WeightScale::column)
            for (int64_t k = 0; k < K; ++k) largest = std::max(largest, std::fabs(weight(g, n, k)));
        else
            for (float w : c.weight) largest = std::max(largest, std::fabs(static_cast<double>(w)));
        return largest;
    }

    /// Signed level of a weight cell, bias rows and reference columns too.
    double q(int64_t g, int64_t row, int64_t column) const {
        if (column >= N) return 0;
        if (row >= K)
            return bias_level.empty() ? 0
                                      : static_cast<double>(bias_level[static_cast<size_t>(g * N + column)]);
        const double scale = w_scale(g, column);
        if (scale == 0) return 0;
        const double level = weight(g, column, row) / scale * static_cast<double>(q_max);
        return std::max(std::min(real ? level : std::nearbyint(level), static_cast<double>(q_max)),
                        -static_cast<double>(q_max));
    }

    double digit(double level, int64_t s) const {
        if (S == 1) return level;
        return static_cast<double>(static_cast<int64_t>(level) / place_value(s) %
                                   base[static_cast<size_t>(s)]);
    }

    /// What one of slice s's digit counts for in a level.
    int64_t place_value(int64_t s) const {
        int64_t value = 1;
        for (int64_t below = 0; below < s; ++below) value *= base[static_cast<size_t>(below)];
        return value;
    }
    int64_t full_level(int64_t s) const { return full[static_cast<size_t>(s)]; }

    int64_t target(double level, int64_t s, int64_t p) const {
        double u = 0;
        const double u_max = static_cast<double>(full_level(s));
        if (offset) {
            u = digit(level + static_cast<double>(q_max), s);
        } else if (balanced) {
            double d = digit(std::fabs(level), s);
            if (level < 0) d = -d;
            u = (u_max + (p == 0 ? d : -d)) / 2;
        } else {
            u = digit(std::max(p == 0 ? level : -level, 0.0), s);
        }
        const int64_t asked = real ? 0 : (balanced ? 2 : 1) * full_level(s) + 1;
        if (c.device.levels > 0 && (asked == 0 || c.device.levels < asked)) {
            const double steps = static_cast<double>(c.device.levels - 1);
            u = std::nearbyint(u * steps / u_max) * u_max / steps;
        }
        return G_min + static_cast<int64_t>(std::nearbyint(u * static_cast<double>(M / full_level(s))));
    }

    uint64_t cell(int64_t g, int64_t s, int64_t p, int64_t row, int64_t column) const {
        return static_cast<uint64_t>((((g * S + s) * P + p) * rows + row) * pitch + column);
    }

    RandomStream stream(Domain domain) const { return {c.seed, c.chip, domain, c.layer}; }

    /// What a cell holds after programming.
    int16_t programmed(int64_t g, int64_t s, int64_t p, int64_t row, int64_t column, bool nominal,
                       CrossbarOutcome* out) const {
        const int64_t t = target(q(g, row, column), s, p);
        if (nominal) return static_cast<int16_t>(t);
        const uint64_t e = cell(g, s, p, row, column);
        const uint64_t w = word(stream(Domain::fault), e);
        const bool low = w < static_cast<uint64_t>(std::ldexp(rounded(c.device.stuck_low), 32));
        const bool high =
            w >= (uint64_t{1} << 32) - static_cast<uint64_t>(std::ldexp(rounded(c.device.stuck_high), 32));
        if (low || high) {
            if (out) ++out->stuck;
            if (c.device.stuck_value == StuckValue::rail) return static_cast<int16_t>(high ? G_max : G_min);
            const float u =
                std::fmaf(static_cast<float>(word(stream(Domain::fault_value), e)), 0x1p-32f, 0x1p-33f);
            return static_cast<int16_t>(
                std::nearbyint(std::fmaf(u, static_cast<float>(G_max - G_min), static_cast<float>(G_min))));
        }
        const float target_g = static_cast<float>(t);
        const DeviceOracle& device = device_oracle(c.device.effective_error());
        const float n = device.draw == Draw::uniform ? uniform(stream(Domain::programming), e)
                                                     : normal(stream(Domain::programming), e);
        const float g_programmed = device.programmed(c.device, static_cast<float>(G_max), target_g, n);
        if (out && (g_programmed < 0 || g_programmed > 32767)) ++out->clipped;
        return static_cast<int16_t>(std::nearbyint(std::min(std::max(g_programmed, 0.0f), 32767.0f)));
    }

    // Inputs.
    int64_t x_bits() const { return c.crossbar.input_bits; }
    bool offset_inputs() const { return c.crossbar.input_sign == InputSign::offset; }
    int64_t phases() const { return is_signed && !offset_inputs() ? 2 : 1; }
    int64_t steps() const {
        const int64_t bits = is_signed && !offset_inputs() ? x_bits() - 1 : x_bits();
        return (bits + c.crossbar.dac_bits - 1) / c.crossbar.dac_bits;
    }
    int64_t largest_code() const { return is_signed ? power(2, x_bits() - 1) - 1 : power(2, x_bits()) - 1; }
    int64_t input_offset() const { return is_signed && offset_inputs() ? power(2, x_bits() - 1) : 0; }

    int64_t code_of(float x) const {
        const float v = std::nearbyint(x * (1.0f / x_lsb));
        const float largest = static_cast<float>(largest_code()), least = is_signed ? -largest : 0.0f;
        return static_cast<int64_t>(std::min(std::max(v, least), largest));
    }

    int64_t input(const std::vector<float>& images, int64_t image, int64_t position, int64_t g,
                  int64_t row) const {
        if (row >= K) return bias_drive;
        const int64_t channel = g * (c.channels / c.groups) + row / (c.down.kernel * c.across.kernel);
        const int64_t y = position / width * c.down.stride - c.down.pad_begin +
                          row / c.across.kernel % c.down.kernel * c.down.dilation;
        const int64_t x = position % width * c.across.stride - c.across.pad_begin +
                          row % c.across.kernel * c.across.dilation;
        if (y < 0 || y >= c.height || x < 0 || x >= c.width) return 0;
        return code_of(
            images[static_cast<size_t>(((image * c.channels + channel) * c.height + y) * c.width + x)]);
    }

    /// What step `step` of phase `phase` reads of a code.
    int64_t part(int64_t code, int64_t phase, int64_t step) const {
        const int64_t v =
            phase == 0 ? std::max<int64_t>(code + input_offset(), 0) : std::max<int64_t>(-code, 0);
        return v / power(2, step * c.crossbar.dac_bits) % power(2, c.crossbar.dac_bits);
    }

    std::tuple<int64_t, int64_t, int64_t, int64_t, int64_t> range_key(int64_t g, int64_t rt, int64_t s,
                                                                      int64_t p, int64_t column) const {
        const int64_t ct = column >= N ? column - N : tile_of(column_tiles, column);
        if (c.adc.granularity == Granularity::slice) return {0, 0, s, 0, 0};
        if (c.adc.granularity == Granularity::tile) return {g, rt, s, p, ct};
        if (c.adc.granularity == Granularity::column) return {g, rt, s, p, column};
        return {0, 0, 0, 0, 0};
    }

    void fix_inputs(const std::vector<float>& images) {
        float least = images[0], largest = images[0];
        for (float x : images) {
            least = std::min(least, x);
            largest = std::max(largest, x);
        }
        is_signed = least < 0;
        x_max = std::max(std::fabs(least), std::fabs(largest));
        if (c.crossbar.input_clip) x_max = std::min(x_max, clipped_extent(images));
        x_lsb = x_max > 0 ? x_max / static_cast<float>(largest_code()) : 1.0f;
        if (rows > K) fix_bias();
    }

    /// The upper edge of the bin, of 2^16 up to a power of two, that holds the percentile of |x|.
    float clipped_extent(const std::vector<float>& images) const {
        std::vector<double> magnitude;
        for (float x : images) magnitude.push_back(std::fabs(static_cast<double>(x)));
        std::sort(magnitude.begin(), magnitude.end());
        double extent = std::ldexp(1.0, -60);
        while (extent <= magnitude.back()) extent *= 2;
        const double wanted = std::ceil(static_cast<double>(magnitude.size()) * *c.crossbar.input_clip / 100);
        const double x = magnitude[static_cast<size_t>(std::max(wanted, 1.0)) - 1];
        return static_cast<float>(extent * (std::floor(x / extent * 65536) + 1) / 65536);
    }

    double lsb(int64_t g, int64_t n) const {
        return static_cast<double>(static_cast<float>(w_scale(g, n) / static_cast<double>(q_max)));
    }

    void fix_bias() {
        double largest = 0;
        for (int64_t g = 0; g < c.groups; ++g)
            for (int64_t n = 0; n < N; ++n)
                if (lsb(g, n) > 0)
                    largest = std::max(
                        largest, std::fabs(static_cast<double>(c.bias[static_cast<size_t>(g * N + n)])) /
                                     (lsb(g, n) * static_cast<double>(x_lsb)));
        const double drive = std::ceil(largest / static_cast<double>(c.bias_rows() * q_max));
        bias_drive =
            static_cast<int64_t>(std::min(std::max(drive, 1.0), static_cast<double>(largest_code())));
        bias_level.clear();
        for (int64_t g = 0; g < c.groups; ++g)
            for (int64_t n = 0; n < N; ++n) {
                const double unit = lsb(g, n) * static_cast<double>(x_lsb) *
                                    static_cast<double>(c.bias_rows()) * static_cast<double>(bias_drive);
                const double level =
                    unit > 0
                        ? std::nearbyint(static_cast<double>(c.bias[static_cast<size_t>(g * N + n)]) / unit)
                        : 0;
                bias_level.push_back(static_cast<int64_t>(
                    std::max(std::min(level, static_cast<double>(q_max)), -static_cast<double>(q_max))));
            }
    }

    using Cells = std::vector<int16_t>;  // [group][slice][polarity][row][column]
    Cells program(bool nominal, CrossbarOutcome* out) const {
        Cells cells;
        for (int64_t g = 0; g < c.groups; ++g)
            for (int64_t s = 0; s < S; ++s)
                for (int64_t p = 0; p < P; ++p)
                    for (int64_t row = 0; row < rows; ++row)
                        for (int64_t column = 0; column < columns; ++column)
                            cells.push_back(programmed(g, s, p, row, column, nominal, out));
        return cells;
    }
    int64_t conductance(const Cells& cells, int64_t g, int64_t s, int64_t p, int64_t row,
                        int64_t column) const {
        return cells[static_cast<size_t>((((g * S + s) * P + p) * rows + row) * columns + column)];
    }

    /// Exact column sum of one polarity, with read noise where `place_element` says which read it is.
    int64_t sum(const Cells& cells, const std::vector<int64_t>& codes, int64_t g, int64_t phase, int64_t step,
                int64_t rt, int64_t s, int64_t p, int64_t column, std::optional<uint64_t> element) const {
        int64_t i = 0, variance = 0;
        for (int64_t row = row_tiles[static_cast<size_t>(rt)]; row < row_tiles[static_cast<size_t>(rt + 1)];
             ++row) {
            const int64_t x = part(codes[static_cast<size_t>(row)], phase, step);
            const int64_t G = conductance(cells, g, s, p, row, column);
            i += x * G;
            variance += x * x * ((G * G + 16384) / 32768);
        }
        if (!element || c.device.read_noise == 0) return i;
        const float n = normal(stream(Domain::read_noise), *element);
        const float factor = static_cast<float>(c.device.read_noise) * static_cast<float>(std::sqrt(32768.0));
        return i + static_cast<int64_t>(std::nearbyint(std::sqrt(static_cast<float>(variance)) * factor * n));
    }

    uint64_t element(int64_t position_of_all, int64_t g, int64_t rt, int64_t phase, int64_t step, int64_t s,
                     int64_t p, int64_t column) const {
        uint64_t e = static_cast<uint64_t>(position_of_all);
        for (const auto& [extent, index] :
             std::initializer_list<std::pair<int64_t, int64_t>>{{c.groups, g},
                                                                {RT, rt},
                                                                {phases(), phase},
                                                                {steps(), step},
                                                                {S, s},
                                                                {P, p},
                                                                {pitch, column}})
            e = e * static_cast<uint64_t>(extent) + static_cast<uint64_t>(index);
        return e;
    }

    std::vector<int64_t> codes(const std::vector<float>& images, int64_t image, int64_t position,
                               int64_t g) const {
        std::vector<int64_t> x;
        for (int64_t row = 0; row < rows; ++row) x.push_back(input(images, image, position, g, row));
        return x;
    }

    void fix_ranges(const std::vector<float>& images) {
        if (c.adc.bits == 0) return;
        std::map<decltype(range_key(0, 0, 0, 0, 0)), std::vector<int64_t>> sums;
        std::map<decltype(range_key(0, 0, 0, 0, 0)), int64_t> rows_of;
        const Cells cells = program(true, nullptr);
        const int64_t count = static_cast<int64_t>(images.size()) / (c.channels * c.height * c.width);
        int64_t largest_possible = 0;
        for (int64_t g = 0; g < c.groups; ++g)
            for (int64_t rt = 0; rt < RT; ++rt)
                for (int64_t s = 0; s < S; ++s)
                    for (int64_t column = 0; column < columns; ++column)
                        for (int64_t p = 0; p < P; ++p) {
                            int64_t all = 0;
                            for (int64_t row = row_tiles[static_cast<size_t>(rt)];
                                 row < row_tiles[static_cast<size_t>(rt + 1)]; ++row)
                                all += conductance(cells, g, s, p, row, column);
                            largest_possible =
                                std::max(largest_possible, all * (power(2, c.crossbar.dac_bits) - 1));
                            if (p >= conversions) continue;
                            const auto key = range_key(g, rt, s, p, column);
                            rows_of[key] = std::max(rows_of[key], row_tiles[static_cast<size_t>(rt + 1)] -
                                                                      row_tiles[static_cast<size_t>(rt)]);
                            if (c.adc.range != AdcRange::calibrated) continue;
                            for (int64_t image = 0; image < count; ++image)
                                for (int64_t position = 0; position < height * width; ++position) {
                                    const std::vector<int64_t> x = codes(images, image, position, g);
                                    for (int64_t phase = 0; phase < phases(); ++phase)
                                        for (int64_t step = 0; step < steps(); ++step)
                                            sums[key].push_back(
                                                difference(cells, x, g, phase, step, rt, s, p, column, {}));
                                }
                        }
        const int64_t first = analog ? -largest_possible : 0, bin = (largest_possible - first) / 65536 + 1;
        for (const auto& [key, tile_rows] : rows_of) {
            if (c.adc.range == AdcRange::fixed) {
                set_range(key, c.adc.low * static_cast<double>(G_max),
                          c.adc.high * static_cast<double>(G_max));
            } else if (c.adc.range == AdcRange::max) {
                set_range(key, 0,
                          static_cast<double>(tile_rows * (power(2, c.crossbar.dac_bits) - 1) * G_max));
            } else {
                std::vector<int64_t>& all = sums[key];
                std::sort(all.begin(), all.end());
                const size_t out =
                    static_cast<size_t>(static_cast<double>(all.size()) * (1 - c.adc.percentile / 100) / 2);
                const int64_t low = (all[out] - first) / bin,
                              high = (all[all.size() - 1 - out] - first) / bin;
                set_range(key, static_cast<double>(first + low * bin),
                          static_cast<double>(first + high * bin + bin - 1));
            }
        }
    }

    void set_range(const std::tuple<int64_t, int64_t, int64_t, int64_t, int64_t>& key, double lo, double hi) {
        const double top = static_cast<double>(power(2, c.adc.bits) - 1);
        if (!analog) {
            ranges[key] = {static_cast<float>(lo), hi > lo ? static_cast<float>((hi - lo) / top) : 1.0f};
            return;
        }
        hi = std::max(std::fabs(lo), std::fabs(hi));
        const double side = std::max(1.0, static_cast<double>(power(2, c.adc.bits - 1) - 1));
        ranges[key] = {static_cast<float>(-hi), hi > 0 ? static_cast<float>(hi / side) : 1.0f};
    }

    /// The sum that is converted: of one polarity, or the difference of both.
    int64_t difference(const Cells& cells, const std::vector<int64_t>& x, int64_t g, int64_t phase,
                       int64_t step, int64_t rt, int64_t s, int64_t p, int64_t column,
                       std::optional<int64_t> position_of_all) const {
        const auto one = [&](int64_t polarity) {
            std::optional<uint64_t> e;
            if (position_of_all) e = element(*position_of_all, g, rt, phase, step, s, polarity, column);
            return sum(cells, x, g, phase, step, rt, s, polarity, column, e);
        };
        return analog ? one(0) - one(1) : one(p);
    }

    int64_t convert(int64_t i, int64_t position_of_all, int64_t g, int64_t phase, int64_t step, int64_t rt,
                    int64_t s, int64_t p, int64_t column) const {
        if (c.adc.bits == 0) return i;
        const auto [lo, lsb_of_adc] = ranges.at(range_key(g, rt, s, p, column));
        int64_t first = column;  // of the columns on this converter
        if (column < N) {
            const int64_t begin = column_tiles[static_cast<size_t>(tile_of(column_tiles, column))];
            first = begin + (column - begin) / c.adc.columns_per_adc * c.adc.columns_per_adc;
        }
        const uint64_t e = static_cast<uint64_t>((((g * RT + rt) * S + s) * P + p) * pitch + first);
        const auto drawn = [&](double sigma, Domain domain) {
            return sigma > 0 ? static_cast<float>(sigma) * normal(stream(domain), e) : 0.0f;
        };
        const float gain = drawn(c.adc.gain_sigma, Domain::converter_gain);
        const float shift = drawn(c.adc.offset_sigma, Domain::converter_offset);
        const float a = (1.0f + gain) / lsb_of_adc, b = shift - lo * a;
        float v = std::fmaf(static_cast<float>(i), a, b);
        if (c.adc.noise > 0)
            v = std::fmaf(static_cast<float>(c.adc.noise),
                          normal(stream(Domain::converter_noise),
                                 element(position_of_all, g, rt, phase, step, s, p, column)),
                          v);
        const uint64_t converters = static_cast<uint64_t>(c.groups * RT * S * P * pitch);
        return adc_oracle(c.adc.type).code(c.adc, v, [&](int64_t k) {
            return normal(stream(Domain::converter_numbers), static_cast<uint64_t>(k) * converters + e);
        });
    }
};

/// Joins the codes of one position of one group to its outputs.
struct Join {
    const Layer& l;
    int64_t g;
    const std::vector<int64_t>& x;
    // codes[phase][step][row tile][slice][conversion][column]
    const std::vector<int64_t>& codes;

    int64_t code(int64_t phase, int64_t step, int64_t rt, int64_t s, int64_t p, int64_t column) const {
        return codes[static_cast<size_t>(
            ((((phase * l.steps() + step) * l.RT + rt) * l.S + s) * l.conversions + p) * l.columns + column)];
    }
    int64_t base(int64_t s, int64_t p) const {
        return (p == 0 ? 1 : -1) * l.place_value(s) * (l.full_level(s) / l.shared);
    }
    int64_t read_weight(int64_t phase, int64_t step) const {
        return (phase == 0 ? 1 : -1) * power(2, step * l.c.crossbar.dac_bits);
    }

    /// Phases and steps of one conversion put together.
    int64_t reads(int64_t rt, int64_t s, int64_t p, int64_t column) const {
        int64_t sum = 0;
        for (int64_t phase = 0; phase < l.phases(); ++phase)
            for (int64_t step = 0; step < l.steps(); ++step)
                sum += read_weight(phase, step) * code(phase, step, rt, s, p, column);
        return sum;
    }
    int64_t sum_of_read_weights() const {
        int64_t sum = 0;
        for (int64_t phase = 0; phase < l.phases(); ++phase)
            for (int64_t step = 0; step < l.steps(); ++step) sum += read_weight(phase, step);
        return sum;
    }
    int64_t joined(int64_t column) const {
        int64_t sum = 0;
        for (int64_t rt = 0; rt < l.RT; ++rt)
            for (int64_t s = 0; s < l.S; ++s)
                for (int64_t p = 0; p < l.conversions; ++p) sum += base(s, p) * reads(rt, s, p, column);
        return sum;
    }
    float joined_in_float(int64_t column) const {
        float z = 0;
        for (int64_t rt = 0; rt < l.RT; ++rt)
            for (int64_t s = 0; s < l.S; ++s)
                for (int64_t p = 0; p < l.conversions; ++p) {
                    const auto [lo, step] = l.ranges.at(l.range_key(g, rt, s, p, column));
                    const float b = static_cast<float>(base(s, p));
                    z = std::fmaf(b * step, static_cast<float>(reads(rt, s, p, column)), z);
                    z = std::fmaf(b * lo, static_cast<float>(sum_of_read_weights()), z);
                }
        return z;
    }

    /// What the target of a weight level adds to a joined sum for one input code, the reference taken off.
    int64_t joined_target(double q) const {
        int64_t sum = 0;
        for (int64_t s = 0; s < l.S; ++s) {
            for (int64_t p = 0; p < l.P; ++p) sum += base(s, p) * l.target(q, s, p);
            if (l.reference_column) sum -= base(s, 0) * l.target(0, s, 0);
        }
        return sum;
    }
    int64_t constant(int64_t column) const {
        int64_t sum = 0;
        const int64_t zero = l.offset && !l.reference_column ? joined_target(0) : 0;
        for (int64_t row = 0; row < l.rows; ++row) {
            sum += zero * x[static_cast<size_t>(row)];
            sum += l.input_offset() * joined_target(l.q(g, row, column));
        }
        return sum;
    }

    bool pools() const { return l.c.adc.bits == 0 || l.c.adc.granularity == Granularity::layer; }

    int64_t joined_less_reference(int64_t column) const {
        if (!l.reference_column) return joined(column);
        return joined(column) - joined(l.N + tile_of(l.column_tiles, column));
    }

    float output(int64_t column) const {
        float z = 0;
        if (l.c.adc.bits == 0) {
            z = static_cast<float>(joined_less_reference(column) - constant(column));
        } else if (pools()) {
            const auto [lo, step] = l.ranges.at({0, 0, 0, 0, 0});
            int64_t weight = 0;
            for (int64_t s = 0; s < l.S; ++s)
                for (int64_t p = 0; p < l.conversions; ++p)
                    weight += base(s, p) * l.RT * sum_of_read_weights();
            if (l.reference_column) weight = 0;
            z = std::fmaf(step, static_cast<float>(joined_less_reference(column)),
                          lo * static_cast<float>(weight)) -
                static_cast<float>(constant(column));
        } else {
            z = joined_in_float(column);
            if (l.reference_column) z -= joined_in_float(l.N + tile_of(l.column_tiles, column));
            z -= static_cast<float>(constant(column));
        }
        const float scale =
            l.x_lsb * static_cast<float>(l.lsb(g, column)) / static_cast<float>(l.M / l.shared);
        const bool digital_bias = !l.c.bias.empty() && l.rows == l.K;
        return std::fmaf(z, scale, digital_bias ? l.c.bias[static_cast<size_t>(g * l.N + column)] : 0.0f);
    }
};

}  // namespace

CrossbarOutcome read_chip(const CrossbarCase& c, const std::vector<float>& calibration,
                          const std::vector<float>& images, int64_t first_image) {
    Layer l(c);
    l.fix_inputs(calibration);
    l.fix_ranges(calibration);
    CrossbarOutcome out;
    out.positions = l.height * l.width;
    out.phases = l.phases();
    out.steps = l.steps();
    out.row_tiles = l.RT;
    out.slices = l.S;
    out.polarities = l.P;
    out.conversions = l.conversions;
    out.columns = l.columns;
    out.conductance = l.program(false, &out);
    const int64_t count = static_cast<int64_t>(images.size()) / (c.channels * c.height * c.width);
    out.output.resize(static_cast<size_t>(count * out.positions * c.outputs));
    for (int64_t g = 0; g < c.groups; ++g)
        for (int64_t image = 0; image < count; ++image)
            for (int64_t position = 0; position < out.positions; ++position) {
                const std::vector<int64_t> x = l.codes(images, image, position, g);
                for (int64_t code : x) out.input.push_back(static_cast<int32_t>(code));
                const int64_t read_position = (first_image + image) * out.positions + position;
                std::vector<int64_t> codes;
                for (int64_t phase = 0; phase < out.phases; ++phase)
                    for (int64_t step = 0; step < out.steps; ++step)
                        for (int64_t rt = 0; rt < l.RT; ++rt)
                            for (int64_t s = 0; s < l.S; ++s)
                                for (int64_t p = 0; p < l.conversions; ++p)
                                    for (int64_t column = 0; column < l.columns; ++column) {
                                        const int64_t i = l.difference(out.conductance, x, g, phase, step, rt,
                                                                       s, p, column, read_position);
                                        out.column_sum.push_back(i);
                                        codes.push_back(
                                            l.convert(i, read_position, g, phase, step, rt, s, p, column));
                                    }
                out.code.insert(out.code.end(), codes.begin(), codes.end());
                const Join join{l, g, x, codes};
                for (int64_t column = 0; column < l.N; ++column) {
                    if (join.pools()) out.joined.push_back(join.joined_less_reference(column));
                    out.output[static_cast<size_t>(((image * out.positions + position) * c.groups + g) * l.N +
                                                   column)] = join.output(column);
                }
            }
    return out;
}

}  // namespace mho::oracle
