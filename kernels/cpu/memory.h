// kernels/cpu/memory.h - how much memory this process may still take: asked before large activations are laid
// out, because Linux promises more than there is and ends the process later.
#pragma once

#include <cstdint>
#include <filesystem>

namespace mho::cpu {

/// Bytes that can be had without swapping: what the machine has free or can free, and no more than the
/// control group (v1 or v2) of a container leaves. `root`: where /proc and /sys lie, for tests. Where nothing
/// is stated, the largest number.
int64_t available_memory(const std::filesystem::path& root = "/");

}  // namespace mho::cpu
