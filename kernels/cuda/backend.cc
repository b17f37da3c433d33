// The CUDA backend: whole networks on one GPU.
#include "kernels/cuda/backend.h"

#include <string>

#include "kernels/cuda/stream.h"

namespace mho::cuda {
namespace {

class CudaBackend : public Backend {
  public:
    explicit CudaBackend(int device) {
        check(cudaSetDevice(device), "choosing a GPU");
        check(cudaGetDeviceProperties(&properties_, device), "asking for a GPU's properties");
        gpu_ = {device, properties_.sharedMemPerBlockOptin};
    }
    std::string name() const override { return "cuda"; }
    std::string description() const override {
        return std::string(properties_.name) + ", compute capability " + std::to_string(properties_.major) +
               "." + std::to_string(properties_.minor) + ", " +
               std::to_string(properties_.totalGlobalMem >> 30) + " GiB, " + library_versions();
    }
    std::unique_ptr<Program> load(Plan plan) const override {
        return std::make_unique<CudaProgram>(std::move(plan), gpu_);
    }
    std::unique_ptr<ImageStore> upload(std::vector<float> values, int64_t images) const override {
        const WorkQueue queue;
        auto store = std::make_unique<CudaImages>();
        store->values = uploaded<float>(values, queue);
        store->images = images;
        return store;
    }

  private:
    cudaDeviceProp properties_{};
    Gpu gpu_;
};

}  // namespace

std::unique_ptr<Backend> make_backend(int device) { return std::make_unique<CudaBackend>(device); }

}  // namespace mho::cuda
