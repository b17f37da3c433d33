// bench/onednn_network.h - noiseless inference of a network by oneDNN alone: what a sweep's images/s is
// measured against. Every layer is a oneDNN primitive in the memory format that oneDNN picks, batch norms
// folded or fused with their ReLU, residual additions and activations as oneDNN's own primitives. Covers what
// the benchmarked networks hold.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <span>
#include <vector>

#include "models/graph.h"

namespace mho::bench {

class OneDnnNetwork {
  public:
    /// `graph`: one image input N x C x H x W. Throws InputError for an operation that the reference does not
    /// cover.
    OneDnnNetwork(const Graph& graph, int64_t batch);

    /// images: batch x C x H x W. Returns batch x classes, valid until the next call.
    std::span<const float> run(std::span<const float> images);

  private:
    struct Edge {
        dnnl::memory memory;
        std::vector<int64_t> dims;
    };
    using Arguments = std::unordered_map<int, dnnl::memory>;

    void add(const dnnl::primitive& primitive, Arguments arguments);
    dnnl::memory reordered(const dnnl::memory& from, const dnnl::memory::desc& to);
    dnnl::memory constant(std::vector<float> values, const dnnl::memory::desc& desc);
    void convolve(const Node& node, const op::Conv& conv, bool relu);
    void normalise(const Node& node, const op::BatchNorm& norm, bool relu);
    void multiply(const Node& node, const op::Linear& linear);
    void add_tensors(const Node& node, bool relu);
    void rectify(const Node& node);
    void average(const Node& node);
    void reshape(const Node& node);
    void build(const Graph& graph);

    dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream_{engine_};
    const Graph* graph_ = nullptr;
    int64_t batch_;
    std::map<ValueId, Edge> edges_;
    std::vector<std::pair<dnnl::primitive, Arguments>> steps_;
    std::vector<dnnl::memory> kept_;  // memory that another edge looks at under other extents
    dnnl::memory input_, output_;
};

}  // namespace mho::bench
