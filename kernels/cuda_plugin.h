// kernels/cuda_plugin.h - what libmho_cuda.so shows to the program that loads it (host/run/cuda_plugin.cc):
// one function, found by its name, that leads to the rest.
#pragma once

#include <memory>
#include <string>

#include "kernels/backend.h"

namespace mho {

struct CudaPlugin {
    /// kKernelInterface of the tree that the plug-in was built from. First, and plain: it can be read
    /// whatever the rest looks like, and nothing else may be used where it differs from the reader's own.
    const char* interface;
    /// How many GPUs can be used; where there are none, `why_none` says why.
    int (*device_count)(std::string& why_none);
    /// One of them. Throws DeviceError where it cannot be had.
    std::unique_ptr<Backend> (*make_backend)(int device);
};

inline constexpr char kCudaPluginFile[] = "libmho_cuda.so";
inline constexpr char kCudaPluginFunction[] = "mho_cuda_plugin";
using CudaPluginFunction = const CudaPlugin* (*)();

}  // namespace mho
