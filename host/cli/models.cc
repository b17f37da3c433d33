// host/cli/models.cc - `mho models`: the zoo.
#include <fmt/format.h>

#include "host/cli/commands.h"
#include "models/zoo.h"

namespace mho::cli {

void add_models(CLI::App& app) {
    CLI::App* command = app.add_subcommand("models", "Trained networks that come with mho");
    command->callback([] {
        fmt::print("{:<20} {:<10} {:>7}  {}\n", "name", "data", "top-1 %", "network");
        for (const ZooModel& model : zoo_models())
            fmt::print("{:<20} {:<10} {:>7.2f}  {}\n", model.name, model.data, 100 * model.top1,
                       model.network);
    });
}

}  // namespace mho::cli
