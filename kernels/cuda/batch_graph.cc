#include "kernels/cuda/batch_graph.h"

namespace mho::cuda {

BatchGraph::~BatchGraph() {
    if (graph_) cudaGraphExecDestroy(graph_);
}

void BatchGraph::begin(const WorkQueue& queue) {
    check(cudaStreamBeginCapture(queue.get(), cudaStreamCaptureModeThreadLocal), "recording a batch");
}

void BatchGraph::end(const WorkQueue& queue) {
    cudaGraph_t recorded = nullptr;
    check(cudaStreamEndCapture(queue.get(), &recorded), "recording a batch");
    cudaGraphExecUpdateResultInfo ignored{};
    if (graph_ && cudaGraphExecUpdate(graph_, recorded, &ignored) != cudaSuccess) {
        cudaGetLastError();  // another shape than before: made anew
        cudaGraphExecDestroy(graph_);
        graph_ = nullptr;
    }
    const cudaError_t made = graph_ ? cudaSuccess : cudaGraphInstantiate(&graph_, recorded, 0);
    cudaGraphDestroy(recorded);
    check(made, "making a graph of a batch");
}

void BatchGraph::abandon(const WorkQueue& queue) {
    cudaGraph_t unfinished = nullptr;
    cudaStreamEndCapture(queue.get(), &unfinished);
    if (unfinished) cudaGraphDestroy(unfinished);
}

}  // namespace mho::cuda
