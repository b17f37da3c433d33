// host/util/output.h - where a command writes: --out directories and the files in them.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

namespace mho {

/// Makes `directory` where it is not there. Throws InputError where it cannot be made or holds files already.
void make_empty_directory(const std::filesystem::path& directory);

/// One writer a directory: as long as it lives, no other process gets one. Where the file system knows no
/// locks, it holds nothing.
class DirectoryLock {
  public:
    DirectoryLock() = default;
    /// Makes the directory where it is not there; where it cannot be made, holds nothing. Throws RunError
    /// where another process holds it.
    explicit DirectoryLock(const std::filesystem::path& directory);
    DirectoryLock(DirectoryLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
    DirectoryLock& operator=(DirectoryLock&& other) noexcept {
        std::swap(file_, other.file_);
        return *this;
    }
    ~DirectoryLock();

  private:
    int file_ = -1;
};

/// Writes `text` to directory/name, whole or not at all. Throws RunError where it cannot.
void write_file(const std::filesystem::path& directory, const std::string& name, const std::string& text);

}  // namespace mho
