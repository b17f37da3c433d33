// The CUDA backend: whole networks on one GPU.
#include "kernels/cuda/backend.h"

#include <string>

#include "kernels/cuda/stream.h"

namespace mho::cuda {
namespace {

class CudaBackend : public Backend {
  public:
    explicit CudaBackend(int device) {
        check(cudaGetDeviceProperties(&properties_, device), "asking for a GPU's properties");
        gpu_ = {device, properties_.sharedMemPerBlockOptin};
        gpu_.use();
    }
    std::string name() const override { return "cuda"; }
    std::string description() const override {
        return std::string(properties_.name) + ", compute capability " + std::to_string(properties_.major) +
               "." + std::to_string(properties_.minor) + ", " +
               std::to_string(properties_.totalGlobalMem >> 30) + " GiB, " + library_versions();
    }
    std::unique_ptr<Program> load(Plan plan) const override {
        gpu_.use();
        return std::make_unique<CudaProgram>(std::move(plan), gpu_);
    }
    std::unique_ptr<ImageStore> upload(std::vector<float> values, std::vector<int32_t> labels,
                                       int64_t images) const override {
        gpu_.use();
        const WorkQueue queue;
        auto store = std::make_unique<CudaImages>(images);
        store->labels = uploaded<int32_t>(labels, queue);
        size_t free = 0, total = 0;
        check(cudaMemGetInfo(&free, &total), "asking for free memory");
        if (values.size() * sizeof(float) <= free / kImageShare)
            store->resident = uploaded<float>(values, queue);
        else
            store->on_host = std::move(values);
        return store;
    }
    int busy_streams() const override { return kStreams; }

  private:
    static constexpr size_t kImageShare = 4;  // of free memory that images may take: one in so many parts
    static constexpr int kStreams = 4;        // one programs or copies while others compute

    cudaDeviceProp properties_{};
    Gpu gpu_;
};

}  // namespace

std::unique_ptr<Backend> make_backend(int device) { return std::make_unique<CudaBackend>(device); }

}  // namespace mho::cuda
