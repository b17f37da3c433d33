#include "host/run/inference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <span>

#include "host/chip/lowering.h"
#include "kernels/base/error.h"
#include "models/onnx/onnx.h"

namespace mho {
namespace {

/// Why `inputs` do not fit `graph`, or nothing.
std::optional<std::string> misfit(const Graph& graph, const std::vector<Tensor>& inputs) {
    if (inputs.size() != graph.inputs.size())
        return fmt::format("the network has {} inputs, {} were given", graph.inputs.size(), inputs.size());
    std::optional<int64_t> images;
    for (size_t i = 0; i < inputs.size(); ++i) {
        const Value& value = graph.values[graph.inputs[i]];
        const std::vector<int64_t>& want = value.shape.dims;
        const std::vector<int64_t>& got = inputs[i].dims;
        const size_t first = value.shape.per_image ? 1 : 0;
        const bool fits = got.size() == want.size() &&
                          std::equal(got.begin() + static_cast<std::ptrdiff_t>(first), got.end(),
                                     want.begin() + static_cast<std::ptrdiff_t>(first)) &&
                          (first == 0 || got[0] % want[0] == 0);
        if (!fits)
            return fmt::format("input \"{}\" has shape [{}], the network takes [{}{}]", value.name,
                               fmt::join(got, ", "), first ? "batch x " : "", fmt::join(want, ", "));
        if (!first) continue;
        if (images && *images != got[0] / want[0]) return "the inputs hold batches of different sizes";
        images = got[0] / want[0];
    }
    return std::nullopt;
}

int64_t image_count(const Graph& graph, const std::vector<Tensor>& inputs) {
    for (size_t i = 0; i < inputs.size(); ++i) {
        const Shape& shape = graph.values[graph.inputs[i]].shape;
        if (shape.per_image) return inputs[i].dims[0] / shape.dims[0];
    }
    return 1;
}

/// Images [first, first + count) of an array that is per image, or all of it.
std::span<const float> rows(const Tensor& array, const Shape& shape, int64_t first, int64_t count) {
    const std::span<const float> all = array.data;
    if (!shape.per_image) return all;
    const int64_t size = shape.size();
    return all.subspan(static_cast<size_t>(first * size), static_cast<size_t>(count * size));
}

}  // namespace

Graph read_network_for(const std::filesystem::path& file, const std::vector<Tensor>& inputs) {
    std::optional<std::string> why_not_as_it_stands;  // where it could be read so at all
    try {
        Graph graph = read_onnx(file, {.any_batch = false});
        const auto why = misfit(graph, inputs);
        if (!why) return graph;
        why_not_as_it_stands = fmt::format("{}: {}", file.string(), *why);
    } catch (const SymbolicExtent&) {
    } catch (const InputError& error) {
        why_not_as_it_stands = error.what();
    }
    Graph any_batch;
    try {
        any_batch = read_onnx(file, {.any_batch = true});
    } catch (const InputError&) {
        // That a network of fixed shapes takes no other batch is not what is wrong with it.
        if (why_not_as_it_stands) throw InputError(*why_not_as_it_stands);
        throw;
    }
    if (const auto why = misfit(any_batch, inputs))
        throw InputError(fmt::format("{}: {}", file.string(), *why));
    return any_batch;
}

std::vector<Tensor> infer(const Backend& backend, const Graph& graph, const std::vector<Tensor>& inputs,
                          int64_t batch) {
    if (const auto why = misfit(graph, inputs)) throw InputError(*why);
    const int64_t images = image_count(graph, inputs);
    const std::unique_ptr<Program> program = backend.load(lower_digital(number_nodes(graph)));
    const Plan& plan = program->plan();
    const std::unique_ptr<Chip> chip = program->make_chip();
    program->program(*chip, {0, 0, true}, {});
    const std::unique_ptr<Stream> stream =
        program->make_stream(std::min(std::max<int64_t>(images, 1), batch));

    std::vector<Tensor> outputs(graph.outputs.size());
    for (int64_t first = 0; first < images; first += batch) {
        const int64_t count = std::min(batch, images - first);
        for (size_t i = 0; i < inputs.size(); ++i)
            stream->write(static_cast<int>(i),
                          rows(inputs[i], graph.values[graph.inputs[i]].shape, first, count), first, count);
        stream->run(*chip, 0, static_cast<int>(plan.steps.size()));
        for (size_t o = 0; o < outputs.size(); ++o) {
            const TensorId tensor = plan.outputs[o];
            const size_t old = outputs[o].data.size();
            outputs[o].data.resize(old + static_cast<size_t>(plan.elements(tensor, count)));
            stream->read(tensor, std::span(outputs[o].data).subspan(old));
        }
    }
    for (size_t o = 0; o < outputs.size(); ++o) {
        const Shape& shape = graph.values[graph.outputs[o]].shape;
        outputs[o].dims = shape.dims;
        if (shape.per_image) outputs[o].dims[0] *= images;
    }
    return outputs;
}

}  // namespace mho
