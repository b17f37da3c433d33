#include "host/util/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
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

DirectoryLock::DirectoryLock(const fs::path& directory) {
    std::error_code error;
    fs::create_directories(directory, error);  // whoever writes there says what is wrong
    file_ = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file_ < 0 || ::flock(file_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
    ::close(std::exchange(file_, -1));
    throw RunError(fmt::format("--out {}: another mho is running there: let it end, or use another --out",
                               directory.string()));
}

DirectoryLock::~DirectoryLock() {
    if (file_ >= 0) ::close(file_);
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
