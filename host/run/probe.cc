#include "host/run/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/chip/point_plan.h"
#include "host/config/layers.h"
#include "host/run/workload.h"
#include "host/util/npy.h"
#include "host/util/output.h"
#include "kernels/base/error.h"
#include "kernels/crossbar/input_code.h"
#include "models/names.h"

namespace mho {

using nlohmann::ordered_json;

namespace {

bool has_weights(const Step& step) {
    return std::holds_alternative<step::Conv>(step.operation) ||
           std::holds_alternative<step::Linear>(step.operation) ||
           std::holds_alternative<step::Crossbar>(step.operation);
}

/// Of its names, a layer's own: any may be asked for.
std::string own_name(const Graph& graph, const std::string& name) {
    for (const Node* node : weight_layers(graph)) {
        const std::vector<std::string> names = node->names();
        if (std::find(names.begin(), names.end(), name) != names.end()) return node->name;
    }
    return name;
}

int find_layer(const Plan& plan, const std::string& name) {
    std::vector<std::string> names;
    for (size_t i = 0; i < plan.steps.size(); ++i) {
        if (!has_weights(plan.steps[i])) continue;
        if (plan.steps[i].name == name) return static_cast<int>(i);
        names.push_back(plan.steps[i].name);
    }
    throw InputError(fmt::format("--layer {}: no convolution or linear layer has this name{}. There are: {}",
                                 name, did_you_mean(name, names), joined(names)));
}

/// Writes arrays and remembers what they are.
class ArrayWriter {
  public:
    explicit ArrayWriter(std::filesystem::path directory) : directory_(std::move(directory)) {}

    struct Axis {
        const char* name;
        int64_t extent;
    };

    template <class T>
    void write(const std::string& name, const std::vector<Axis>& axes, const std::vector<T>& values,
               const char* what) {
        std::vector<int64_t> dims;
        ordered_json names = ordered_json::array();
        for (const Axis& axis : axes) {
            dims.push_back(axis.extent);
            names.push_back(axis.name);
        }
        if constexpr (std::is_same_v<T, float>)
            write_npy(directory_ / (name + ".npy"), Tensor{dims, values});
        else
            write_npy(directory_ / (name + ".npy"), dims, values);
        arrays_[name] = {{"axes", names}, {"is", what}};
    }
    const ordered_json& arrays() const { return arrays_; }

  private:
    std::filesystem::path directory_;
    ordered_json arrays_;
};

template <class Number>
std::vector<int64_t> of_slices(const CrossbarLayer& l, const Number& number) {
    std::vector<int64_t> all;
    for (const Slice& s : l.grid.slices) all.push_back(number(s));
    return all;
}

ordered_json describe(const CrossbarLayer& l, const CrossbarCalibration& c) {
    const CodePlan codes = code_plan(l.crossbar, c.is_signed);
    ordered_json j;
    j["scheme"] = description_of(l.crossbar.scheme).name;
    j["subtract"] = l.subtracts_before_adc() ? "analog" : "digital";
    j["reference"] = l.has_reference_column() ? "column" : "digital";
    j["groups"] = l.groups;
    j["inputs"] = l.inputs;
    j["outputs"] = l.outputs;
    j["bias_rows"] = l.bias_rows;
    j["row_tile_begin"] = l.row_begin;
    j["column_tile_begin"] = l.column_begin;
    j["slices"] = l.slices();
    j["q_max"] = l.grid.q_max;
    j["slice_shift"] = of_slices(l, [](const Slice& s) { return int64_t{s.shift}; });
    j["slice_full_level"] = of_slices(l, [](const Slice& s) { return s.full; });
    j["slice_g_step"] = of_slices(l, [](const Slice& s) { return s.g_step; });
    j["slice_weight"] = of_slices(l, [](const Slice& s) { return s.weight; });
    j["joined_step"] = l.grid.joined_step;
    j["g_min"] = l.grid.g_min;
    j["g_max"] = static_cast<float>(l.g_max());
    j["dac_bits"] = l.crossbar.dac_bits;
    j["phases"] = codes.phases;
    j["steps"] = codes.steps;
    j["input_offset"] = codes.offset;
    j["x_lsb"] = c.x_lsb;
    j["weight_lsb"] = l.weight_lsb;
    j["code_offset"] = l.code_offset;
    j["target_sum"] = l.target_sum;
    j["bias_level"] = c.bias_level;
    j["digital_bias"] = l.bias_rows > 0 ? std::vector<float>{} : l.bias;
    j["adc_bits"] = l.adc.bits;
    j["adc_type"] = description_of(l.adc.type).name;
    j["adc_noise"] = static_cast<float>(l.adc.noise);
    j["one_range"] = l.adc.granularity == Granularity::layer;
    j["range_low"] = c.lo;
    j["range_step"] = c.step;
    return j;
}

/// One image on one chip, every activation kept.
struct Opened {
    const Program& program;
    const Chip& chip;
    const Calibration& calibration;
    Stream& stream;
    int step;

    const Step& plan_step() const { return program.plan().steps[static_cast<size_t>(step)]; }
    std::vector<float> activation(TensorId id) const {
        std::vector<float> values(static_cast<size_t>(program.plan().elements(id, 1)));
        stream.read(id, values);
        return values;
    }
    const std::vector<int64_t>& dims(TensorId id) const {
        return program.plan().tensors[static_cast<size_t>(id)].dims;
    }
};

ordered_json write_crossbar(const Opened& o, ArrayWriter& writer) {
    const size_t index = static_cast<size_t>(std::get<step::Crossbar>(o.plan_step().operation).crossbar);
    const CrossbarLayer& l = o.program.plan().crossbars[index];
    const CrossbarTrace t = o.stream.trace(o.chip, o.step, 0);
    using Axis = ArrayWriter::Axis;
    const Axis group{"group", l.groups}, position{"position", t.positions}, phase{"phase", t.phases},
        step{"step", t.steps}, row_tile{"row tile", t.row_tiles}, slice{"slice", l.slices()},
        conversion{"conversion", t.conversions}, column{"column", l.columns()}, output{"output", l.outputs},
        row{"row", l.rows()};
    writer.write("input", {group, position, row}, t.input, "signed input codes; the last rows are bias rows");
    writer.write("conductance", {group, slice, {"polarity", l.polarities()}, row, column}, t.conductance,
                 "programmed conductances of this chip, grid codes; the last columns are reference columns");
    const std::vector<Axis> reads{group, position, phase, step, row_tile, slice, conversion, column};
    writer.write("column_sum", reads, t.column_sum, "column sums in grid codes, read noise added");
    writer.write("code", reads, t.code, "converter codes; with ideal converters the sums themselves");
    if (!t.converters.a.empty()) {
        const std::vector<Axis> converters{group, row_tile, slice, conversion, column};
        writer.write(
            "converter_a", converters, t.converters.a,
            "steps of a sum: fma(sum, a, b); the code is the nearest one, or what adc_type makes of it");
        writer.write("converter_b", converters, t.converters.b, "see converter_a");
    }
    if (!t.converters.own.empty()) {
        const int64_t numbers = std::ssize(t.converters.own) / std::ssize(t.converters.a);
        writer.write("converter_own", {{"number", numbers}, group, row_tile, slice, conversion, column},
                     t.converters.own, "what adc_type draws for each converter of its own");
    }
    if (!t.joined.empty())
        writer.write("joined", {group, position, output}, t.joined,
                     "codes joined over phases, steps, slices, polarities, tiles");
    writer.write("output", {position, group, output}, t.output,
                 "what the layer delivers, before any activation function");
    return describe(l, o.calibration.crossbars[index]);
}

ordered_json write_parameters(const Opened& o, ArrayWriter& writer) {
    const Step& step = o.plan_step();
    const auto* conv = std::get_if<step::Conv>(&step.operation);
    const ParameterId weight = conv ? conv->weight : std::get<step::Linear>(step.operation).weight,
                      bias = conv ? conv->bias : std::get<step::Linear>(step.operation).bias;
    const auto tensor = [&](const std::string& name, TensorId id, const char* what) {
        std::vector<ArrayWriter::Axis> axes;
        const char* image_axes[] = {"image", "depth", "height", "width", "channel"};
        const std::vector<int64_t>& dims = o.dims(id);
        for (size_t i = 0; i < dims.size(); ++i)
            axes.push_back({conv ? image_axes[i] : i + 1 == dims.size() ? "feature" : "row", dims[i]});
        writer.write(name, axes, o.activation(id), what);
    };
    tensor("input", step.inputs[0], "what reaches the layer");
    const std::vector<float> w = o.chip.read_parameter(weight);
    const int64_t outputs = o.dims(step.output).back();
    if (conv) {
        const Window& k = conv->window;
        writer.write("weight",
                     {{"output", outputs},
                      {"channel of the group", o.dims(step.inputs[0]).back() / conv->groups},
                      {"depth", k.kernel[0]},
                      {"height", k.kernel[1]},
                      {"width", k.kernel[2]}},
                     w, "the weights of this chip");
    } else {
        writer.write("weight", {{"output", outputs}, {"input", static_cast<int64_t>(w.size()) / outputs}}, w,
                     "the weights of this chip");
    }
    if (bias >= 0)
        writer.write("bias", {{"output", outputs}}, o.chip.read_parameter(bias), "the biases of this chip");
    tensor("output", step.output,
           step.activation ? "what the layer delivers, after its activation function"
                           : "what the layer delivers");
    ordered_json j;
    j["activated"] = step.activation.has_value();
    if (conv) {
        j["groups"] = conv->groups;
        j["stride"] = conv->window.stride;
        j["dilation"] = conv->window.dilation;
        j["pad_begin"] = conv->window.pad_begin;
        j["pad_end"] = conv->window.pad_end;
    }
    return j;
}

}  // namespace

void probe(const Devices& devices, const Config& config, const ProbeOptions& options) {
    Workload workload(devices, config);
    if (options.image < 0 || options.image >= workload.test_count())
        throw InputError(fmt::format("--image {}: the config has test images 0 to {}", options.image,
                                     workload.test_count() - 1));
    const NumberedGraph network = prepare_network(workload.network(), config);
    check_points(config, {{{}, config}}, workload.network());
    const auto program = devices[0]->load(lower(network, lowering_options(config, network, "")));
    const int step = find_layer(program->plan(), own_name(network.graph, options.layer));
    make_empty_directory(options.out);

    const ChipAddress address{static_cast<uint64_t>(config.monte_carlo.seed), options.chip, false};
    Calibration calibration;
    if (needs_calibration(program->plan())) {
        workload.read_calibration_images();
        const CalibrationRun images = workload.calibration_run(options.threads);
        calibration = calibrate(*program, images);
        if (calibrates_on_chips(program->plan()))
            calibration = calibrate_chip(*program, calibration, address, images);
    }
    const auto chip = program->make_chip();
    program->program(*chip, address, calibration);
    const auto stream = program->make_stream(1, true);
    stream->load(workload.test_images(), options.image, 1);
    stream->run(*chip, 0, step + 1);

    ArrayWriter writer(options.out);
    const Opened opened{*program, *chip, calibration, *stream, step};
    const bool crossbar = std::holds_alternative<step::Crossbar>(opened.plan_step().operation);
    ordered_json layout;
    layout["layer"] = options.layer;
    layout["level"] = crossbar ? "crossbar" : "parameter";
    layout["seed"] = address.seed;
    layout["chip"] = options.chip;
    layout["image"] = options.image;
    layout["label"] = workload.test_labels()[static_cast<size_t>(options.image)];
    layout["formulas"] = "docs/physics.md, section 4 (crossbar) or 5 (parameter)";
    const ordered_json scales = crossbar ? write_crossbar(opened, writer) : write_parameters(opened, writer);
    layout["arrays"] = writer.arrays();
    layout.update(scales);
    write_file(options.out, "layout.json", layout.dump(1) + "\n");
}

}  // namespace mho
