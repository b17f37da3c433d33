#include "host/config/points.h"

#include "host/config/keys.h"

namespace mho {

std::vector<SweepPoint> sweep_points(const Config& config) {
    std::vector<SweepPoint> points{{{}, config}};
    points[0].config.sweep.clear();
    const size_t count = config.sweep.empty() ? 0 : config.sweep[0].values.size();
    auto with = [](const SweepPoint& point, const SweepAxis& axis, size_t i) {
        SweepPoint next = point;
        next.set.emplace_back(axis.key, axis.values[i]);
        assign(*find_key(axis.key), next.config, axis.values[i]);
        return next;
    };
    if (config.zip && count > 0) {
        std::vector<SweepPoint> rows;
        for (size_t i = 0; i < count; ++i) {
            SweepPoint row = points[0];
            for (const SweepAxis& axis : config.sweep) row = with(row, axis, i);
            rows.push_back(std::move(row));
        }
        return rows;
    }
    for (const SweepAxis& axis : config.sweep) {
        std::vector<SweepPoint> wider;
        for (const SweepPoint& point : points)
            for (size_t i = 0; i < axis.values.size(); ++i) wider.push_back(with(point, axis, i));
        points = std::move(wider);
    }
    return points;
}

}  // namespace mho
