#include "host/run/working_devices.h"

#include <fmt/format.h>

#include <numeric>
#include <utility>

namespace mho {

WorkingDevices::WorkingDevices(const Devices& devices, std::function<void(const std::string&)> note)
    : devices_(devices), note_(std::move(note)), working_(devices.size()) {
    std::iota(working_.begin(), working_.end(), size_t{0});
}

std::vector<LoadedProgram> WorkingDevices::load(const Plan& plan) {
    std::vector<LoadedProgram> programs;
    for (size_t device : std::vector<size_t>(working_)) {
        try {
            programs.push_back({device, devices_[device]->load(plan)});
        } catch (const DeviceError& error) {
            leave_out(device, error);
        }
    }
    return programs;
}

void WorkingDevices::leave_out(size_t device, const DeviceError& error) {
    std::erase(working_, device);
    if (working_.empty()) throw error;
    if (note_) note_(fmt::format("{}; the run goes on without it", error.what()));
}

}  // namespace mho
