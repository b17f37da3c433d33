// host/run/probe.h - one layer of one chip opened up for one image: arrays that NumPy reads, and a
// description with which it can compute the layer's output again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "host/config/types.h"
#include "host/run/devices.h"

namespace mho {

struct ProbeOptions {
    std::string layer;  ///< name of a convolution or linear layer
    uint32_t chip = 0;
    int64_t image = 0;  ///< of the test images
    int threads = 1;
    std::filesystem::path out;
};

/// Writes into options.out: layout.json (what each array is, its axes, and every scale), input.npy and
/// output.npy; of a crossbar layer conductance.npy, column_sum.npy, code.npy, joined.npy and the converters;
/// of any other the chip's weight.npy and bias.npy. A sweep in the config is left out: its keys stand as the
/// config's other tables set them. Throws InputError for a layer or image that is not there, a [[layer]] that
/// matches none, or a directory that holds files.
void probe(const Devices& devices, const Config& config, const ProbeOptions& options);

}  // namespace mho
