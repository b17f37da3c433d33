// host/run/gathering.h - what a run has found so far: in memory, and in a directory too where one is given.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "host/results/run.h"
#include "host/results/store.h"
#include "host/util/output.h"

namespace mho {

/// Where a run is kept: its store and its config.
struct RunDirectory {
    std::filesystem::path path;
    bool resume = false;            ///< go on with the run that is there
    DirectoryLock* keep = nullptr;  ///< where its lock goes, for a caller that writes there itself afterwards
};

class Gathering {
  public:
    /// Nothing so far; with `resume` what the directory holds. Throws as Store::create and set_points do.
    Gathering(const RunInfo& info, const std::vector<PointLabel>& points,
              const std::optional<RunDirectory>& directory);

    const RunResult& run() const { return run_; }
    int64_t finished_chips() const;

    void set_digital(const Outcome& digital);
    /// On disk when it returns, where there is a directory. `chip` is none that the point has.
    void add(size_t point, const ChipResult& chip);

  private:
    DirectoryLock lock_;
    std::optional<Store> store_;
    RunResult run_;
};

}  // namespace mho
