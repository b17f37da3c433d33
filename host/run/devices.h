// host/run/devices.h - the devices that a run's chips are spread over: the CPU, or every GPU that the CUDA
// plug-in finds.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/backend.h"

namespace mho {

/// Never empty; calibration, and what takes one device, run on the first.
using Devices = std::vector<std::unique_ptr<Backend>>;

/// The devices of backend `name`: "cpu", "cuda", or "auto", which takes CUDA where a device answers. Throws
/// InputError where it is not there, with the reason.
Devices open_devices(const std::string& name);

}  // namespace mho
