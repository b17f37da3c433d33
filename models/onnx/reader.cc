// models/onnx/reader.cc - an ONNX file -> Graph: inputs, initialisers, then node by node through the
// importers.
#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/unknown_field_set.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>
#include <string_view>

#include "kernels/base/error.h"
#include "models/names.h"
#include "models/onnx/import.h"
#include "models/onnx/onnx.h"
#include "models/onnx/patterns.h"

namespace mho {

namespace {

constexpr int64_t kOldestOpset = 9;

std::vector<std::span<const OnnxOperator>> families() {
    return {layer_operators(),     pooling_operators(),  reduction_operators(), elementwise_operators(),
            reshaping_operators(), movement_operators(), constant_operators()};
}

/// The module that PyTorch's exporter says a node was, the last scope but one: "['', 'layer1', 'layer1.conv',
/// 'conv2d']".
std::string module_in(const std::string& scopes) {
    std::vector<std::string> names;
    for (size_t begin = scopes.find('\''); begin != std::string::npos;) {
        const size_t end = scopes.find('\'', begin + 1);
        if (end == std::string::npos) break;
        names.push_back(scopes.substr(begin + 1, end - begin - 1));
        begin = scopes.find('\'', end + 1);
    }
    return names.size() >= 2 ? names[names.size() - 2] : "";
}

/// NodeProto's metadata_props: a field of newer editions of ONNX, which the library may not know by name.
std::string module_path(const onnx::NodeProto& proto) {
    constexpr int kMetadataProps = 9;
    constexpr char kScopes[] = "pkg.torch.onnx.name_scopes";
    const google::protobuf::Reflection& reflection = *proto.GetReflection();
    if (const auto* known = proto.GetDescriptor()->FindFieldByNumber(kMetadataProps)) {
        for (int i = 0; i < reflection.FieldSize(proto, known); ++i) {
            const auto* entry = dynamic_cast<const onnx::StringStringEntryProto*>(
                &reflection.GetRepeatedMessage(proto, known, i));
            if (entry && entry->key() == kScopes) return module_in(entry->value());
        }
        return "";
    }
    const google::protobuf::UnknownFieldSet& fields = reflection.GetUnknownFields(proto);
    for (int i = 0; i < fields.field_count(); ++i) {
        const google::protobuf::UnknownField& field = fields.field(i);
        onnx::StringStringEntryProto entry;
        if (field.number() == kMetadataProps &&
            field.type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED &&
            entry.ParseFromString(field.length_delimited()) && entry.key() == kScopes)
            return module_in(entry.value());
    }
    return "";
}

class OnnxReader {
  public:
    OnnxReader(const onnx::ModelProto& model, std::filesystem::path directory, const OnnxOptions& options)
        : model_(model) {
        state_.options = options;
        state_.directory = std::move(directory);
        state_.budget += 4 * static_cast<int64_t>(model.ByteSizeLong());
    }

    Graph read() {
        opset_ = operator_set();
        if (model_.functions_size() > 0)
            refuse(fmt::format("it defines functions of its own ('{}'); inline them on export",
                               model_.functions(0).name()));
        add_initialisers();
        add_inputs();
        const std::vector<const onnx::NodeProto*> nodes = needed_nodes();
        const std::vector<std::string> names = take_names(nodes);
        for (size_t i = 0; i < nodes.size(); ++i) import(*nodes[i], names[i]);
        add_outputs();
        return compacted(recognise_patterns(std::move(state_.graph)));
    }

  private:
    int64_t operator_set() const {
        for (const onnx::OperatorSetIdProto& set : model_.opset_import())
            if (set.domain().empty() || set.domain() == "ai.onnx") {
                if (set.version() < kOldestOpset)
                    refuse(fmt::format("its operator set is {}; supported are {} and newer", set.version(),
                                       kOldestOpset));
                return set.version();
            }
        refuse("it names no operator set: is it an ONNX model?");
    }

    void add_initialisers() {
        if (model_.graph().sparse_initializer_size() > 0)
            refuse(fmt::format("initializer '{}' is sparse, which is not supported: export dense weights",
                               model_.graph().sparse_initializer(0).values().name()));
        for (const onnx::TensorProto& tensor : model_.graph().initializer()) {
            Symbol symbol;
            try {
                Constant c = decode_tensor(tensor, state_.directory);
                state_.allow_for(c);
                symbol.type = c.type;
                symbol.constant = std::make_shared<const Constant>(std::move(c));
            } catch (const InputError& error) {
                refuse(fmt::format("initializer '{}': {}", tensor.name(), error.what()));
            }
            if (!scope_.emplace(tensor.name(), std::move(symbol)).second)
                refuse(fmt::format("two initializers have the name '{}'", tensor.name()));
        }
    }

    /// Extents of a graph input; 0 for a symbolic one.
    std::vector<int64_t> stated_extents(const onnx::ValueInfoProto& input) const {
        if (!input.type().has_tensor_type()) refuse(fmt::format("input '{}' is no tensor", input.name()));
        const auto& tensor = input.type().tensor_type();
        if (!is_real_type(tensor.elem_type()))
            refuse(fmt::format("input '{}' has elements of type {}; mho computes with float types alone",
                               input.name(), type_name(tensor.elem_type())));
        if (!tensor.has_shape()) refuse(fmt::format("input '{}' states no shape", input.name()));
        std::vector<int64_t> dims;
        for (const auto& dim : tensor.shape().dim()) {
            if (dim.has_dim_value() && dim.dim_value() <= 0)
                refuse(fmt::format("input '{}' has an extent of {}", input.name(), dim.dim_value()));
            dims.push_back(dim.has_dim_value() ? dim.dim_value() : 0);
        }
        return dims;
    }

    /// Every input that states a batch has to state the same one.
    void take_batch(const std::string& input, int64_t stated) {
        if (stated == 0) return;  // symbolic
        if (state_.file_batch && *state_.file_batch != stated)
            refuse(fmt::format("input '{}' states a batch of {}, another one a batch of {}", input, stated,
                               *state_.file_batch));
        state_.file_batch = stated;
    }

    void add_inputs() {
        std::set<std::string> seen;
        for (const onnx::ValueInfoProto& input : model_.graph().input()) {
            if (!seen.insert(input.name()).second)
                refuse(fmt::format("two inputs have the name '{}'", input.name()));
            if (scope_.contains(input.name()))
                continue;  // an initialiser with a default, as old files list them
            Shape shape{stated_extents(input), state_.options.any_batch};
            if (shape.per_image) {
                if (shape.dims.empty())
                    refuse(fmt::format("input '{}' is a scalar: it has no batch", input.name()));
                take_batch(input.name(), shape.dims[0]);
                shape.dims[0] = 1;
            }
            for (size_t i = 0; i < shape.dims.size(); ++i)
                if (shape.dims[i] == 0)
                    throw SymbolicExtent(
                        fmt::format("extent {} of input '{}' is symbolic; export with a fixed image size", i,
                                    input.name()));
            checked_count(shape.dims);
            Symbol symbol;
            symbol.type = input.type().tensor_type().elem_type();
            symbol.value = state_.graph.add_value(input.name(), shape);
            state_.graph.inputs.push_back(symbol.value);
            scope_.emplace(input.name(), std::move(symbol));
        }
        if (state_.graph.inputs.empty()) refuse("it has no inputs");
    }

    /// The nodes that lead to an output, by the names that they read: what nothing reads is not built.
    std::vector<const onnx::NodeProto*> needed_nodes() const {
        const auto& nodes = model_.graph().node();
        std::set<std::string_view> read;
        for (const onnx::ValueInfoProto& output : model_.graph().output()) read.insert(output.name());
        std::vector<const onnx::NodeProto*> needed;
        for (int i = nodes.size(); i-- > 0;) {
            const auto is_read = [&](const std::string& name) {
                return !name.empty() && read.contains(name);
            };
            if (!std::any_of(nodes[i].output().begin(), nodes[i].output().end(), is_read)) continue;
            needed.push_back(&nodes[i]);
            read.insert(nodes[i].input().begin(), nodes[i].input().end());
        }
        std::reverse(needed.begin(), needed.end());
        return needed;
    }

    /// Takes every name in the file, so that no part of a node gets it, and gives each node one of its own:
    /// files may use a node's name twice.
    std::vector<std::string> take_names(const std::vector<const onnx::NodeProto*>& nodes) {
        for (const auto& [name, symbol] : scope_) state_.value_names.reserve(name);
        std::vector<std::string> names;
        for (const onnx::NodeProto* node : nodes) {
            for (const std::string& output : node->output()) state_.value_names.reserve(output);
            names.push_back(!node->name().empty() ? node->name()
                                                  : fmt::format("{}_{}", node->op_type(), node->output(0)));
            state_.node_names.reserve(names.back());
        }
        std::set<std::string> seen;
        for (std::string& name : names)
            if (!seen.insert(name).second) name = state_.node_names.unique(name);
        return names;
    }

    void import(const onnx::NodeProto& proto, const std::string& name) {
        const std::string where =
            fmt::format("node '{}' ({})",
                        proto.name().empty() && proto.output_size() > 0 ? proto.output(0) : proto.name(),
                        proto.op_type());
        const OnnxOperator* importer = proto.domain().empty() || proto.domain() == "ai.onnx"
                                           ? find_onnx_operator(proto.op_type())
                                           : nullptr;
        if (!importer)
            refuse(fmt::format("{}: operator {}{} is not supported; supported are {}", where,
                               proto.domain().empty() ? "" : proto.domain() + ".", proto.op_type(),
                               joined(supported_onnx_operators())));
        try {
            OnnxNode node(state_, proto, name, scope_, opset_);
            const size_t before = state_.graph.nodes.size();
            importer->import(node);
            node.check_attributes();
            node.close_outputs();
            name_parts(before, other_names(proto));
        } catch (const InputError& error) {
            refuse(fmt::format("{}: {}", where, error.what()));
        }
    }

    /// What a person may call a node beside its name: the path of the PyTorch module that it was, and the
    /// name of its weight.
    std::vector<std::string> other_names(const onnx::NodeProto& proto) const {
        std::vector<std::string> names;
        const auto add = [&](const std::string& name) {
            if (!name.empty() && name != proto.name() &&
                std::find(names.begin(), names.end(), name) == names.end())
                names.push_back(name);
        };
        add(module_path(proto));
        for (const std::string& input : proto.input()) {
            const auto symbol = scope_.find(input);
            if (symbol == scope_.end() || !symbol->second.is_constant()) continue;
            constexpr std::string_view kWeight = ".weight";
            if (input.ends_with(kWeight)) add(input.substr(0, input.size() - kWeight.size()));
            add(input);
            break;  // what follows are biases
        }
        return names;
    }

    /// The parts that carry weights of the node that was just imported.
    void name_parts(size_t first, const std::vector<std::string>& names) {
        for (size_t i = first; i < state_.graph.nodes.size(); ++i) {
            Node& node = state_.graph.nodes[i];
            if (std::holds_alternative<op::Conv>(node.operation) ||
                std::holds_alternative<op::Linear>(node.operation) ||
                std::holds_alternative<op::BatchNorm>(node.operation))
                node.also = names;
        }
    }

    void add_outputs() {
        for (const onnx::ValueInfoProto& output : model_.graph().output()) {
            const auto place = scope_.find(output.name());
            if (place == scope_.end())
                refuse(fmt::format("output '{}' is the output of no node", output.name()));
            if (!place->second.unavailable.empty())
                refuse(fmt::format("output '{}': {}", output.name(), place->second.unavailable));
            if (place->second.is_constant()) refuse(fmt::format("output '{}' is a constant", output.name()));
            state_.graph.outputs.push_back(place->second.value);
        }
        if (state_.graph.outputs.empty()) refuse("it has no outputs");
    }

    const onnx::ModelProto& model_;
    ImportState state_;
    Scope scope_;
    int64_t opset_ = 0;
};

}  // namespace

const OnnxOperator* find_onnx_operator(const std::string& name) {
    for (const auto family : families())
        for (const OnnxOperator& candidate : family)
            if (name == candidate.name) return &candidate;
    return nullptr;
}

std::vector<std::string> supported_onnx_operators() {
    std::vector<std::string> names;
    for (const auto family : families())
        for (const OnnxOperator& known : family) names.emplace_back(known.name);
    std::sort(names.begin(), names.end());
    return names;
}

Graph parse_onnx(const std::string& bytes, const std::string& name, const std::filesystem::path& directory,
                 const OnnxOptions& options) {
    onnx::ModelProto model;
    if (bytes.size() > std::numeric_limits<int>::max())
        throw InputError(name + ": larger than 2 GB; keep weights in external data");
    google::protobuf::io::ArrayInputStream array(bytes.data(), static_cast<int>(bytes.size()));
    google::protobuf::io::CodedInputStream stream(&array);
    if (!model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage() || !model.has_graph())
        throw InputError(name + ": no ONNX model (truncated, or another kind of file)");
    try {
        return OnnxReader(model, directory, options).read();
    } catch (const SymbolicExtent& error) {
        throw SymbolicExtent(fmt::format("{}: {}", name, error.what()));
    } catch (const InputError& error) {
        throw InputError(fmt::format("{}: {}", name, error.what()));
    }
}

Graph read_onnx(const std::filesystem::path& file, const OnnxOptions& options) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream bytes;
    if (!stream || !(bytes << stream.rdbuf()))
        throw InputError(fmt::format("{}: cannot be read", file.string()));
    return parse_onnx(bytes.str(), file.string(), file.parent_path(), options);
}

}  // namespace mho
