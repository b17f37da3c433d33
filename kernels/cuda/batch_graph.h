// kernels/cuda/batch_graph.h - all kernels of one batch launched as one CUDA graph: small layers cost the
// host more to launch than the GPU to compute.
#pragma once

#include <cstdint>

#include "kernels/cuda/memory.h"

namespace mho::cuda {

/// Launches the same work over and over. Work is plainly launched the first time that a key comes up,
/// recorded the second time, and one launch from then on.
class BatchGraph {
  public:
    BatchGraph() = default;
    ~BatchGraph();
    BatchGraph(const BatchGraph&) = delete;
    BatchGraph& operator=(const BatchGraph&) = delete;

    /// `launch_all` puts the same kernels with the same parameters on `queue` whenever `key` is the same; it
    /// neither takes memory nor waits.
    template <class LaunchAll>
    void run(uint64_t key, const WorkQueue& queue, const LaunchAll& launch_all) {
        if (key != key_) times_ = 0;
        key_ = key;
        ++times_;
        if (times_ == 1 || sync_checks()) return launch_all();
        if (times_ == 2) {
            begin(queue);
            try {
                launch_all();
            } catch (...) {
                abandon(queue);
                throw;
            }
            end(queue);
        }
        check(cudaGraphLaunch(graph_, queue.get()), "launching a batch");
    }

  private:
    void begin(const WorkQueue& queue);
    void end(const WorkQueue& queue);
    void abandon(const WorkQueue& queue);

    uint64_t key_ = 0;  // none has this key
    int64_t times_ = 0;
    cudaGraphExec_t graph_ = nullptr;
};

}  // namespace mho::cuda
