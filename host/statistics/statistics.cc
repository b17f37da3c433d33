#include "host/statistics/statistics.h"

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace mho {
namespace {

std::vector<double> sorted(std::span<const double> values) {
    if (values.empty()) throw std::invalid_argument("statistics of no values");
    std::vector<double> s(values.begin(), values.end());
    std::sort(s.begin(), s.end());
    return s;
}

double interpolate(const std::vector<double>& s, double p) {
    const double place = p * static_cast<double>(s.size() - 1);
    const size_t below = static_cast<size_t>(place), above = std::min(below + 1, s.size() - 1);
    return std::lerp(s[below], s[above], place - static_cast<double>(below));
}

constexpr int64_t kFirstCheckpoint = 20;

}  // namespace

Summary summarise(std::span<const double> values, double confidence) {
    const std::vector<double> s = sorted(values);
    const double n = static_cast<double>(s.size());
    Summary r;
    r.count = static_cast<int64_t>(s.size());
    r.mean = std::accumulate(s.begin(), s.end(), 0.0) / n;
    r.min = s.front();
    r.median = interpolate(s, 0.5);
    r.max = s.back();
    if (s.size() < 2) return r;
    double squares = 0;
    for (double x : s) squares += (x - r.mean) * (x - r.mean);
    r.sd = std::sqrt(squares / (n - 1));
    const boost::math::students_t t(n - 1);
    const double half = boost::math::quantile(t, 0.5 + confidence / 2) * r.sd / std::sqrt(n);
    r.mean_interval = Interval{r.mean - half, r.mean + half};
    return r;
}

std::optional<double> Summary::half_width() const {
    if (!mean_interval) return std::nullopt;
    return mean_interval->high - mean;
}

bool narrow_enough(std::span<const double> values, double half_width, double confidence) {
    const std::optional<double> half = summarise(values, confidence).half_width();
    return half && *half <= half_width;
}

Quantile quantile(std::span<const double> values, double p, double confidence) {
    const std::vector<double> s = sorted(values);
    Quantile q{interpolate(s, p), {}, {}};
    // The number of chips below the true quantile is binomial(n, p): P(X_(l) <= quantile < X_(u)) = P(l <= B
    // < u).
    const boost::math::binomial below(static_cast<double>(s.size()), p);
    const double tail = (1 - confidence) / 2;
    for (size_t l = s.size(); l >= 1; --l)  // the largest l with P(B < l) <= tail
        if (boost::math::cdf(below, static_cast<double>(l - 1)) <= tail) {
            q.low = s[l - 1];
            break;
        }
    for (size_t u = 1; u <= s.size(); ++u)  // the smallest u with P(B >= u) <= tail
        if (boost::math::cdf(boost::math::complement(below, static_cast<double>(u - 1))) <= tail) {
            q.high = s[u - 1];
            break;
        }
    return q;
}

Yield yield_at(std::span<const double> values, double threshold, double confidence) {
    return yield_of(std::count_if(values.begin(), values.end(), [&](double v) { return v >= threshold; }),
                    static_cast<int64_t>(values.size()), confidence);
}

Yield yield_of(int64_t reached, int64_t chips, double confidence) {
    if (chips <= 0) throw std::invalid_argument("yield of no chips");
    const double k = static_cast<double>(reached), n = static_cast<double>(chips);
    const double tail = (1 - confidence) / 2;
    Yield y{k / n, {0, 1}};
    if (k > 0) y.interval.low = boost::math::quantile(boost::math::beta_distribution<>(k, n - k + 1), tail);
    if (k < n)
        y.interval.high = boost::math::quantile(boost::math::beta_distribution<>(k + 1, n - k), 1 - tail);
    return y;
}

std::optional<double> VarianceComponents::suggested_images(double chip_cost) const {
    if (chips <= 0) return std::nullopt;
    return std::max(1.0, std::sqrt(chip_cost * images / chips));
}

VarianceComponents variance_components(std::span<const int64_t> correct, int64_t images) {
    const double k = static_cast<double>(correct.size()), n = static_cast<double>(images);
    if (correct.size() < 2 || images < 2) return {};
    double mean = 0, within = 0, between = 0;
    for (int64_t c : correct) mean += static_cast<double>(c) / n / k;
    for (int64_t c : correct) {
        const double p = static_cast<double>(c) / n;
        within += n * p * (1 - p);  // sum of squares of 0/1 outcomes around their mean
        between += n * (p - mean) * (p - mean);
    }
    const double mean_within = within / (k * (n - 1)), mean_between = between / (k - 1);
    return {std::max(0.0, (mean_between - mean_within) / n), mean_within};
}

Summary paired_difference(std::span<const double> a, std::span<const double> b, double confidence) {
    if (a.size() != b.size()) throw std::invalid_argument("paired difference of samples of different sizes");
    std::vector<double> difference(a.size());
    std::transform(a.begin(), a.end(), b.begin(), difference.begin(), std::minus<>());
    return summarise(difference, confidence);
}

int64_t next_checkpoint(int64_t chips) {
    int64_t next = kFirstCheckpoint;
    while (next <= chips) next = (next * 3 + 1) / 2;
    return next;
}

bool is_checkpoint(int64_t chips) { return chips >= kFirstCheckpoint && next_checkpoint(chips - 1) == chips; }

}  // namespace mho
