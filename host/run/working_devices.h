// host/run/working_devices.h - the devices of a run that still work: a plan is loaded on all of them, and
// what fails on one is done by another.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/run/devices.h"
#include "kernels/base/error.h"

namespace mho {

/// A plan on one device.
struct LoadedProgram {
    size_t device;  ///< its place among those given
    std::unique_ptr<Program> program;
};

class WorkingDevices {
  public:
    /// `devices` outlive this. `note`: told of each device that is left out; may be empty.
    WorkingDevices(const Devices& devices, std::function<void(const std::string&)> note);

    /// The plan on every device that works: never empty.
    std::vector<LoadedProgram> load(const Plan& plan);

    /// What `work` gives on the first of `programs`; those whose device fails at it leave them. Throws
    /// DeviceError where the last device fails.
    template <class Work>
    auto on_first(std::vector<LoadedProgram>& programs, const Work& work) {
        for (;;) {
            try {
                return work(programs.front());
            } catch (const DeviceError& error) {
                leave_out(programs.front().device, error);
                programs.erase(programs.begin());
            }
        }
    }

  private:
    /// Throws `error` where there is no other device.
    void leave_out(size_t device, const DeviceError& error);

    const Devices& devices_;
    std::function<void(const std::string&)> note_;
    std::vector<size_t> working_;
};

}  // namespace mho
