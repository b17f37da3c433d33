#include "host/util/output.h"

#include <fmt/format.h>

#include <fstream>

#include "kernels/base/error.h"

namespace mho {

namespace fs = std::filesystem;

void make_empty_directory(const fs::path& directory) {
    std::error_code error;
    fs::create_directories(directory, error);
    if (error)
        throw InputError(fmt::format("--out {}: cannot be made: {}", directory.string(), error.message()));
    if (!fs::is_empty(directory, error))
        throw InputError(
            fmt::format("--out {}: holds other files; use an empty or new directory", directory.string()));
}

void write_file(const fs::path& directory, const std::string& name, const std::string& text) {
    const fs::path file = directory / name, unfinished = directory / (name + ".part");
    {
        std::ofstream stream(unfinished, std::ios::binary);
        stream << text;
        stream.close();
        if (!stream)
            throw RunError(fmt::format(
                "{}: cannot be written (disk full?); the chips are safe in run.sqlite: make room, then "
                "run again with --resume",
                file.string()));
    }
    std::error_code error;
    fs::rename(unfinished, file, error);
    if (error) throw RunError(fmt::format("{}: cannot be written: {}", file.string(), error.message()));
}

}  // namespace mho
