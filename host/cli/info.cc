// host/cli/info.cc - `mho info`: what this build is and what it runs on.
#include <fmt/format.h>

#include "host/cli/commands.h"
#include "host/config/keys.h"
#include "host/run/cuda_plugin.h"
#include "host/util/version.h"
#include "kernels/base/error.h"
#include "models/names.h"
#include "models/onnx/onnx.h"

namespace mho::cli {
namespace {

std::string description_of_gpu(int gpu) {
    try {
        return cuda_state().plugin->make_backend(gpu)->description();
    } catch (const RunError& error) {
        return error.what();
    }
}

}  // namespace

void add_info(CLI::App& app) {
    CLI::App* command = app.add_subcommand("info", "Version, build, processor and backends");
    auto config_table = std::make_shared<bool>(false);
    command->add_flag("--config-table", *config_table, "Only the table of every config key, as Markdown");
    command->callback([config_table] {
        if (*config_table) return fmt::print("{}", config_table_markdown());
        fmt::print("mho       {}\n", kVersion);
        fmt::print("build     {}, {}\n", kBuildType, kCompiler);
        const auto cpu = make_cpu_backend();
        fmt::print("cpu       {}, {} threads\n", cpu->description(), cpu->busy_streams());
        if (cuda_state().devices == 0) fmt::print("cuda      none: {}\n", cuda_state().why_none);
        for (int i = 0; i < cuda_state().devices; ++i) fmt::print("cuda      {}\n", description_of_gpu(i));
        fmt::print("auto      {}\n", cuda_state().devices > 0 ? "cuda" : "cpu");
        fmt::print("operators {}\n", joined(supported_onnx_operators()));
    });
}

}  // namespace mho::cli
