// host/chip/plan_builder.h - a plan under construction: where each value of the graph lies so far, and the
// tensors, parameters and steps that were added. It knows layouts, not operations: those are in lowering.cc.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/chip/axis_order.h"
#include "kernels/plan.h"
#include "models/queries.h"

namespace mho {

/// Where a graph value lies.
struct Placement {
    TensorId tensor = -1;
    AxisOrder order;
};

class PlanBuilder {
  public:
    /// `network` outlives this.
    PlanBuilder(const NumberedGraph& network, Precision precision);

    // --- the node being lowered

    void begin_node(size_t index);
    const Node& node() const { return *node_; }
    /// Its index in the network as it was read.
    uint32_t number() const { return number_; }
    ValueId input(size_t i = 0) const { return node_->inputs[i]; }
    /// Throws InputError that names the node.
    [[noreturn]] void refuse(const std::string& why) const;

    // --- where values lie

    const Graph& graph() const { return graph_; }
    const Shape& shape(ValueId value) const { return graph_.values[value].shape; }
    size_t rank(ValueId value) const { return shape(value).dims.size(); }
    /// Refuses a constant: only some operands may be one.
    const Placement& placement(ValueId value) const;
    /// The tensor of `value` laid out as `order`: as it lies, under other extents, or moved. It lies so from
    /// then on.
    TensorId in_order(ValueId value, const AxisOrder& order);
    TensorId as_image(ValueId value) { return in_order(value, channels_last_order(rank(value))); }
    TensorId as_plain(ValueId value) { return in_order(value, plain_order(rank(value))); }
    /// In plain order, with leading extents of 1 up to `rank` axes: how operands of fewer axes broadcast.
    TensorId at_rank(ValueId value, size_t rank);
    /// In any order that keeps the last logical axis last.
    TensorId with_last_axis_last(ValueId value);

    // --- what the plan gets

    TensorId add_tensor(std::vector<int64_t> dims, bool per_image);
    /// A parameter of the node. `order`: of a constant, see ParameterSource.
    ParameterId add_parameter(ParameterRole role, std::vector<float> value,
                              std::optional<Perturbation> perturbation = {}, AxisOrder order = {});
    int add_crossbar(CrossbarLayer layer);
    int add_quantise_site() { return plan_.quantise_sites++; }
    void add_step(PlanOperation operation, std::vector<TensorId> inputs, TensorId output);
    /// Adds the step that makes the node's value, laid out as `order`.
    void make(PlanOperation operation, std::vector<TensorId> inputs, AxisOrder order);
    /// The node's value is one that is there already, maybe under other axes.
    void rename(Placement placement) { placement_[node_->output] = std::move(placement); }
    const PlanTensor& tensor(TensorId id) const { return plan_.tensors[static_cast<size_t>(id)]; }
    /// The step added last; null where there is none.
    Step* last_step() { return plan_.steps.empty() ? nullptr : &plan_.steps.back(); }

    /// The plan, once every node is lowered.
    Plan finish();

  private:
    TensorId place(ValueId value, AxisOrder order);

    const Graph& graph_;
    const std::vector<uint32_t>& numbers_;
    std::vector<Placement> placement_;  // by value
    const Node* node_ = nullptr;
    uint32_t number_ = 0;
    Plan plan_;
};

}  // namespace mho
