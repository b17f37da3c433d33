// tests/real_data.h - real data sets that are too large to be committed, for the tests that use them where
// they are.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace mho::test {

/// Folder of the whole CIFAR-100 (train.bin, test.bin), put together once below build/ by whichever test asks
/// first; empty where ../shared/data has no parts to make it from: then the test skips, and says so.
inline std::filesystem::path whole_cifar_100() {
    const std::filesystem::path parts = MHO_SOURCE_DIR "/../shared/data/cifar-100-binary",
                                whole = MHO_SOURCE_DIR "/build/data/cifar-100";
    if (!std::filesystem::exists(parts / "assemble.sh")) return {};
    if (std::filesystem::exists(whole / "train.bin")) return whole;
    const std::filesystem::path building = whole.string() + "." + std::to_string(getpid());
    const std::string command =
        "bash '" + (parts / "assemble.sh").string() + "' '" + building.string() + "' >/dev/null";
    if (std::system(command.c_str()) != 0) return {};
    std::error_code other_was_first;
    std::filesystem::rename(building, whole, other_was_first);
    std::filesystem::remove_all(building);
    return whole;
}

}  // namespace mho::test
