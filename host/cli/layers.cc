// host/cli/layers.cc - `mho layers`: what the layers of a network are called, how large they are, how many
// arrays they take.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "host/cli/commands.h"
#include "host/config/points.h"
#include "host/run/layer_list.h"
#include "models/onnx/onnx.h"
#include "models/zoo.h"

namespace mho::cli {
namespace {

struct LayersCommand {
    std::string model;
    std::vector<std::string> set;
};

/// A network as MODEL names it, on the arrays of the defaults; or a config, with its own.
Config config_of(const LayersCommand& o) {
    if (o.model.ends_with(".toml")) {
        const Config config = read_config(ConfigOptions{o.model, o.set, {}});
        if (!config.sweep.empty()) say_note("the arrays are those of the sweep's first point");
        return sweep_points(config).front().config;
    }
    Config config =
        parse_config("[model]\nfile = \"network\"\n[chip]\nlevel = \"crossbar\"\n", "mho layers", o.set);
    config.model.file = o.model;
    return config;
}

std::string padded(const std::vector<std::string>& row, const std::vector<size_t>& width) {
    std::string line;
    for (size_t c = 0; c + 1 < row.size(); ++c)
        line += c < 3 ? fmt::format("{:<{}}  ", row[c], width[c]) : fmt::format("{:>{}}  ", row[c], width[c]);
    return line + row.back();
}

void run_layers(const LayersCommand& o) {
    const Config config = config_of(o);
    const std::vector<ListedLayer> layers = list_layers(read_onnx(find_model(config.model.file)), config);
    std::vector<std::vector<std::string>> rows{
        {"layer", "operation", "weight", "weights", "multiply-adds", "arrays", "cells", "also called"}};
    int64_t weights = 0, multiply_adds = 0, arrays = 0, cells = 0;
    for (const ListedLayer& l : layers) {
        int64_t count = 1;
        for (int64_t extent : l.weight) count *= extent;
        rows.push_back({l.names[0], l.operation, fmt::format("{}", fmt::join(l.weight, " x ")),
                        fmt::format("{}", count), fmt::format("{}", l.multiply_adds),
                        l.arrays > 0 ? fmt::format("{}", l.arrays) : "digital", fmt::format("{}", l.cells),
                        fmt::format("{}", fmt::join(l.names.begin() + 1, l.names.end(), ", "))});
        weights += count;
        multiply_adds += l.multiply_adds;
        arrays += l.arrays;
        cells += l.cells;
    }
    rows.push_back({fmt::format("{} layers", layers.size()), "", "", fmt::format("{}", weights),
                    fmt::format("{}", multiply_adds), fmt::format("{}", arrays), fmt::format("{}", cells),
                    ""});
    std::vector<size_t> width(rows[0].size(), 0);
    for (const auto& row : rows)
        for (size_t c = 0; c < row.size(); ++c) width[c] = std::max(width[c], row[c].size());
    for (const auto& row : rows) {
        std::string line = padded(row, width);
        line.erase(line.find_last_not_of(' ') + 1);
        fmt::print("{}\n", line);
    }
}

}  // namespace

void add_layers(CLI::App& app) {
    CLI::App* command = app.add_subcommand("layers",
                                           "The layers of a network that can lie on arrays: their names, for "
                                           "[[layer]], their sizes, and their arrays");
    auto options = std::make_shared<LayersCommand>();
    command
        ->add_option("MODEL", options->model,
                     "An .onnx file, a zoo name, or a config (.toml) with the arrays to lie on")
        ->required();
    add_set_option(*command, options->set,
                   "key=value: arrays other than the default or the config's; repeatable");
    command->callback([options] { run_layers(*options); });
}

}  // namespace mho::cli
