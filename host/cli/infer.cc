// host/cli/infer.cc - `mho infer`: the digital forward pass of any imported network.
#include <fmt/format.h>

#include "host/cli/commands.h"
#include "host/run/inference.h"
#include "host/util/npy.h"
#include "kernels/base/error.h"
#include "models/zoo.h"

namespace mho::cli {
namespace {

struct InferCommand {
    std::string model;
    std::vector<std::string> inputs, outputs;
    int64_t batch = 32;
};

void run_infer(const InferCommand& o) {
    std::vector<Tensor> inputs;
    for (const std::string& file : o.inputs) inputs.push_back(read_npy(file));
    const Graph graph = read_network_for(find_model(o.model), inputs);
    if (o.outputs.size() != graph.outputs.size())
        throw InputError(fmt::format("{} has {} outputs: give --out so many times, not {}", o.model,
                                     graph.outputs.size(), o.outputs.size()));
    const std::vector<Tensor> outputs = infer(*make_cpu_backend(), graph, inputs, o.batch);
    for (size_t i = 0; i < outputs.size(); ++i) write_npy(o.outputs[i], outputs[i]);
}

}  // namespace

void add_infer(CLI::App& app) {
    CLI::App* command =
        app.add_subcommand("infer", "The digital forward pass of a network on arrays of your own");
    auto options = std::make_shared<InferCommand>();
    command->add_option("MODEL", options->model, "An .onnx file or a zoo name")->required();
    command
        ->add_option("--input", options->inputs,
                     "Array (.npy, float32) for each input, in the network's order")
        ->required()
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command->add_option("--out", options->outputs, "Where each output goes (.npy, float32)")
        ->required()
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command->add_option("--batch", options->batch, "Images at a time: speed and memory only")
        ->capture_default_str()
        ->check(CLI::Range(1, 65536));
    command->callback([options] { run_infer(*options); });
}

}  // namespace mho::cli
