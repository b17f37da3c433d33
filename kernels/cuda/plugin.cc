// The one function that libmho_cuda.so shows.
#include <cuda_runtime.h>

#include "kernels/cuda/backend.h"
#include "kernels/cuda_plugin.h"
#include "kernels/interface.h"

namespace mho::cuda {
namespace {

std::string versions(int driver, int runtime) {
    const auto name = [](int v) { return std::to_string(v / 1000) + "." + std::to_string(v % 1000 / 10); };
    return "it knows CUDA " + name(driver) + ", mho needs " + name(runtime);
}

int device_count(std::string& why_none) {
    int count = 0;  // an error leaves it alone
    const cudaError_t error = cudaGetDeviceCount(&count);
    int driver = 0, runtime = 0;
    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&runtime);
    if (error == cudaSuccess && count > 0) return count;
    if (driver == 0)
        why_none = "no NVIDIA driver is installed";
    else if (error == cudaErrorInsufficientDriver)
        why_none = "the NVIDIA driver is too old: " + versions(driver, runtime);
    else if (error == cudaErrorNoDevice || error == cudaSuccess)
        why_none = "the NVIDIA driver shows no GPU (CUDA_VISIBLE_DEVICES hides those that it does not name)";
    else
        why_none = std::string("CUDA does not start: ") + cudaGetErrorString(error);
    return 0;
}

}  // namespace
}  // namespace mho::cuda

extern "C" const mho::CudaPlugin* mho_cuda_plugin() {
    static const mho::CudaPlugin plugin{mho::kKernelInterface, mho::cuda::device_count,
                                        mho::cuda::make_backend};
    return &plugin;
}
