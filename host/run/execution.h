// host/run/execution.h - the middle of a run: chips of a point in, finished chips out, on all devices that
// work. It knows neither where results go nor when a point has chips enough, so that one process, or a share
// of a run anywhere, is the same call.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/results/run.h"
#include "host/run/chips_to_run.h"
#include "host/run/monte_carlo.h"
#include "host/run/run_points.h"
#include "host/run/working_devices.h"
#include "host/run/workload.h"

namespace mho {

class PointOnDevices;

/// How an execution uses the machine, and what it tells meanwhile.
struct ExecutionOptions {
    int threads = 1;                               ///< a device
    const std::atomic<bool>* stop = nullptr;       ///< once set no chip is finished; may be null
    std::function<void(int64_t)> images_read;      ///< see Workers; of chips alone. May be empty
    std::function<void(const std::string&)> note;  ///< see Workers. May be empty
};

class Execution {
  public:
    /// `workload` and `points` outlive this.
    Execution(Workload& workload, const std::vector<RunPoint>& points, ExecutionOptions options);
    ~Execution();

    /// The network without chips, `batch` images at a time. Nothing once the stop flag is set.
    std::optional<Outcome> digital(const Plan& plan, int64_t batch);

    /// Runs chips of one point; `finished` is called once a chip, never from two threads at a time, in no
    /// fixed order. Returns early, without the chips in flight, once the stop flag is set. The point stays on
    /// the devices until another one is run: its chips may be asked for part by part. A device that fails is
    /// left out from then on; throws DeviceError where none is left.
    void run(const ChipsToRun& part, const std::function<void(const ChipResult&)>& finished);

  private:
    using Clock = std::chrono::steady_clock;

    Workers workers(int64_t batch) const;
    void bring(size_t point);
    ChipResult result_of(const ChipOutcome& outcome);

    Workload& workload_;
    const std::vector<RunPoint>& points_;
    ExecutionOptions options_;
    WorkingDevices devices_;
    size_t brought_ = 0;                     // which point lies on the devices
    std::unique_ptr<PointOnDevices> point_;  // null: none does
    Clock::time_point chip_began_;           // when the chip before was finished
};

}  // namespace mho
