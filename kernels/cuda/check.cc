#include "kernels/cuda/check.h"

#include <cstdlib>
#include <string>

namespace mho::cuda {

void check(cudaError_t error, const char* what) {
    if (error == cudaSuccess) return;
    const std::string reason =
        std::string(what) + ": " + cudaGetErrorString(error) + " (" + cudaGetErrorName(error) + ")";
    if (error == cudaErrorMemoryAllocation)
        throw RunError("the GPU is out of memory in " + reason +
                       ": ask for a smaller monte_carlo.batch or fewer --threads");
    int device = -1;
    cudaGetDevice(&device);
    throw DeviceError("GPU " + std::to_string(device) + " failed in " + reason);
}

bool sync_checks() {
    static const char* asked = std::getenv("MHO_SYNC_CHECKS");
    return asked && std::string(asked) == "1";
}

}  // namespace mho::cuda
