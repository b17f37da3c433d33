#include "host/statistics/statistics.h"

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <functional>
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
constexpr double kFewestChips = 5;  // that say how chips differ

/// Count, mean and order, without what takes two values.
Summary described(std::span<const double> values) {
    const std::vector<double> s = sorted(values);
    Summary r;
    r.count = static_cast<int64_t>(s.size());
    r.mean = std::accumulate(s.begin(), s.end(), 0.0) / static_cast<double>(s.size());
    r.min = s.front();
    r.median = interpolate(s, 0.5);
    r.max = s.back();
    return r;
}

double sum_of_squares(std::span<const double> values, double mean) {
    double squares = 0;
    for (double x : values) squares += (x - mean) * (x - mean);
    return squares;
}

/// The same of accuracies, whose deviations are whole numbers of images over chips: 0 where chips are alike.
double sum_of_squares(const RightImages& chips) {
    const int64_t k = std::ssize(chips.right);
    const int64_t all = std::accumulate(chips.right.begin(), chips.right.end(), int64_t{0});
    double squares = 0;
    for (int64_t r : chips.right) {
        const double d = static_cast<double>(r * k - all) / static_cast<double>(k * chips.images);
        squares += d * d;
    }
    return squares;
}

double t_quantile(double degrees, double confidence) {
    return boost::math::quantile(boost::math::students_t(degrees), 0.5 + confidence / 2);
}

/// Student's t interval of a mean whose variance is estimated as `variance`.
Interval t_interval(double mean, double variance, double degrees, double confidence) {
    const double half = t_quantile(degrees, confidence) * std::sqrt(variance);
    return {mean - half, mean + half};
}

/// Variance of a mean of chips, as estimated: the sum of squares counts one deviation more, of one image, the
/// least that chips can differ by. Without it, a few chips that happen to be equal would leave nothing open.
double mean_variance(const RightImages& chips, double squares) {
    const double k = static_cast<double>(chips.right.size()), n = static_cast<double>(chips.images);
    return (squares + 1 / (n * n)) / (k - 1) / k;
}

/// Clopper and Pearson's interval of a share of `trials`, which need not be whole.
Interval clopper_pearson(double share, double trials, double confidence) {
    const double right = share * trials, wrong = trials - right, tail = (1 - confidence) / 2;
    constexpr double kNone = 0.01;  // so few that the end is 0 or 1 to more than 20 digits
    constexpr double kMany =
        1e5;  // so many that it is the normal distribution's to three digits, and soon found
    if (std::min(right, wrong) > kMany) {
        const double z = boost::math::quantile(boost::math::normal(), 1 - tail);
        const double half = z * std::sqrt(share * (1 - share) / trials);
        return {share - half, share + half};
    }
    Interval i{0, 1};
    if (right > kNone)
        i.low = boost::math::quantile(boost::math::beta_distribution<>(right, wrong + 1), tail);
    if (wrong > kNone)
        i.high = boost::math::quantile(boost::math::beta_distribution<>(right + 1, wrong), 1 - tail);
    return {std::min(i.low, share), std::max(i.high, share)};
}

/// p (1 - p), of a share that `trials` leave open: never 0.
double outcome_variance(double share, double trials) {
    const double p = (share * trials + 0.5) / (trials + 1);
    return p * (1 - p);
}

/// An interval of an accuracy: that of as many independent trials as would vary like it, fewer where
/// `degrees` of freedom leave its variance open.
Interval accuracy_interval(double mean, double outcome, double variance, double degrees, double confidence) {
    const double z = boost::math::quantile(boost::math::normal(), 0.5 + confidence / 2);
    const double open = z / t_quantile(degrees, confidence);
    return clopper_pearson(mean, outcome / variance * open * open, confidence);
}

}  // namespace

std::optional<double> Summary::half_width() const {
    if (!mean_interval) return std::nullopt;
    return std::max(mean_interval->high - mean, mean - mean_interval->low);
}

Summary summarise(std::span<const double> values, double confidence) {
    Summary r = described(values);
    if (values.size() < 2) return r;
    const double n = static_cast<double>(values.size()), variance = sum_of_squares(values, r.mean) / (n - 1);
    r.sd = std::sqrt(variance);
    r.mean_interval = t_interval(r.mean, variance / n, n - 1, confidence);
    return r;
}

std::vector<double> RightImages::fractions() const {
    std::vector<double> all;
    for (int64_t r : right) all.push_back(static_cast<double>(r) / static_cast<double>(images));
    return all;
}

Summary summarise(const RightImages& chips, double confidence) {
    const std::vector<double> accuracy = chips.fractions();
    Summary r = described(accuracy);
    if (accuracy.size() < 2) return r;
    const double k = static_cast<double>(accuracy.size()), n = static_cast<double>(chips.images);
    const double squares = sum_of_squares(chips), of_chips = mean_variance(chips, squares);
    r.sd = std::sqrt(squares / (k - 1));
    r.mean_interval = accuracy_interval(r.mean, outcome_variance(r.mean, k * n), of_chips, k - 1, confidence);
    // Images are drawn once for all chips: their share of the variance is that of one chip.
    const double outcome = outcome_variance(r.mean, n), both = of_chips + outcome / n;
    const double degrees = (k - 1) * both * both / (of_chips * of_chips);  // Satterthwaite
    // More degrees of freedom may make it the narrower one, which cannot be.
    const Interval more = accuracy_interval(r.mean, outcome, both, degrees, confidence);
    r.new_images_interval =
        Interval{std::min(more.low, r.mean_interval->low), std::max(more.high, r.mean_interval->high)};
    return r;
}

bool narrow_enough(const RightImages& chips, double half_width, double confidence) {
    const std::optional<double> half = summarise(chips, confidence).half_width();
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
    const double share = static_cast<double>(reached) / static_cast<double>(chips);
    return {share, clopper_pearson(share, static_cast<double>(chips), confidence)};
}

std::optional<double> VarianceComponents::suggested_images(double time, double chip_cost) const {
    if (chips <= 0) return std::nullopt;
    return std::clamp(std::sqrt(images * time / chips), 1.0, std::max(1.0, time / kFewestChips - chip_cost));
}

VarianceComponents variance_components(const RightImages& chips) {
    if (chips.right.size() < 2) return {};
    const double mean = described(chips.fractions()).mean;
    return {sum_of_squares(chips) / static_cast<double>(chips.right.size() - 1), mean * (1 - mean)};
}

Summary paired_difference(const RightImages& a, const RightImages& b, double confidence) {
    if (a.right.size() != b.right.size() || a.images != b.images)
        throw std::invalid_argument("paired difference of samples of different sizes");
    RightImages more = a;
    std::transform(a.right.begin(), a.right.end(), b.right.begin(), more.right.begin(), std::minus<>());
    const std::vector<double> difference = more.fractions();
    Summary r = described(difference);
    if (difference.size() < 2) return r;
    const double k = static_cast<double>(difference.size()), squares = sum_of_squares(more);
    r.sd = std::sqrt(squares / (k - 1));
    const Interval t = t_interval(r.mean, mean_variance(more, squares), k - 1, confidence);
    r.mean_interval = Interval{std::max(t.low, -1.0), std::min(t.high, 1.0)};
    return r;
}

int64_t next_checkpoint(int64_t chips) {
    int64_t next = kFirstCheckpoint;
    while (next <= chips) next = (next * 3 + 1) / 2;
    return next;
}

bool is_checkpoint(int64_t chips) { return chips >= kFirstCheckpoint && next_checkpoint(chips - 1) == chips; }

}  // namespace mho
