#include "host/run/gathering.h"

#include <algorithm>

#include "host/util/output.h"

namespace mho {

Gathering::Gathering(const RunInfo& info, const std::vector<PointLabel>& points,
                     const std::optional<RunDirectory>& directory) {
    if (directory) {
        (directory->keep ? *directory->keep : lock_) = DirectoryLock(directory->path);
        store_.emplace(Store::create(directory->path, info, directory->resume));
        write_file(directory->path, "config.toml", info.config_toml);
        store_->set_points(points);
        run_ = store_->result();
        return;
    }
    run_.info = info;
    for (const PointLabel& label : points) run_.points.push_back({label, {}});
}

int64_t Gathering::finished_chips() const {
    int64_t chips = 0;
    for (const PointResult& point : run_.points) chips += std::ssize(point.chips);
    return chips;
}

void Gathering::set_digital(const Outcome& digital) {
    if (store_) store_->set_digital(digital);
    run_.digital = digital;
}

void Gathering::add(size_t point, const ChipResult& chip) {
    if (store_) store_->add(static_cast<int64_t>(point), chip);
    std::vector<ChipResult>& chips = run_.points[point].chips;
    const auto by_number = [](const ChipResult& a, const ChipResult& b) { return a.chip < b.chip; };
    chips.insert(std::upper_bound(chips.begin(), chips.end(), chip, by_number), chip);
}

}  // namespace mho
