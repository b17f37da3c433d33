#include "host/run/cuda_plugin.h"

#include <dlfcn.h>
#include <elf.h>
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <vector>

#include "kernels/interface.h"

namespace mho {
namespace {

namespace fs = std::filesystem;

/// The plug-in lies where the build or the installation put it.
std::vector<fs::path> usual_places() {
    std::error_code ignored;
    const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
    return {folder / kCudaPluginFile, folder.parent_path() / "lib" / kCudaPluginFile};
}

struct Found {
    fs::path file;
    std::string why_not;
};

Found find_plugin() {
    if (const char* named = std::getenv("MHO_CUDA_PLUGIN"); named && *named) {
        if (fs::exists(named)) return {named, ""};
        return {{}, fmt::format("$MHO_CUDA_PLUGIN names {}, which is not there", named)};
    }
    for (const fs::path& file : usual_places())
        if (fs::exists(file)) return {file, ""};
    return {
        {},
        fmt::format("{} is not installed: it is built where nvcc is (cmake says so), and looked for beside "
                    "mho, in ../lib, and where $MHO_CUDA_PLUGIN says",
                    kCudaPluginFile)};
}

CudaState load(const fs::path& file) {
    CudaState state;
    if (const std::string damage = damage_of_library(file); !damage.empty()) {
        state.why_none = fmt::format("{} {}: build or install it again", file.string(), damage);
        return state;
    }
    void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);  // stays: objects of it live till the end
    if (!library) {
        state.why_none = fmt::format("{} does not load: {}", file.string(), dlerror());
        return state;
    }
    const auto shown = reinterpret_cast<CudaPluginFunction>(dlsym(library, kCudaPluginFunction));
    if (!shown) {
        state.why_none = fmt::format("{} is no plug-in of mho's", file.string());
        return state;
    }
    if (const char* theirs = shown()->interface; std::strcmp(theirs, kKernelInterface) != 0) {
        state.why_none =
            fmt::format("{} was built from another version of mho ({}, this is {}): build both together",
                        file.string(), theirs, kKernelInterface);
        return state;
    }
    state.plugin = shown();
    state.devices = state.plugin->device_count(state.why_none);
    return state;
}

CudaState look() {
    const Found found = find_plugin();
    if (!found.why_not.empty()) return {nullptr, 0, found.why_not};
    return load(found.file);
}

/// Whether [offset, offset + size) lies in a file of `length` bytes.
bool lies_within(uint64_t offset, uint64_t size, uint64_t length) {
    return offset <= length && size <= length - offset;
}

}  // namespace

std::string damage_of_library(const fs::path& file) {
    std::error_code error;
    const uint64_t length = fs::file_size(file, error);
    std::ifstream in(file, std::ios::binary);
    Elf64_Ehdr header{};
    if (error || !in.read(reinterpret_cast<char*>(&header), sizeof header) ||
        std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return "is no library";
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_type != ET_DYN ||
        header.e_phentsize != sizeof(Elf64_Phdr))
        return "is no library for this processor";
    if (!lies_within(header.e_shoff, uint64_t{header.e_shentsize} * header.e_shnum, length) ||
        !lies_within(header.e_phoff, uint64_t{header.e_phentsize} * header.e_phnum, length))
        return "is cut short";
    in.seekg(static_cast<std::streamoff>(header.e_phoff));
    for (int i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr part{};
        if (!in.read(reinterpret_cast<char*>(&part), sizeof part) ||
            !lies_within(part.p_offset, part.p_filesz, length))
            return "is cut short";
    }
    return "";
}

const CudaState& cuda_state() {
    static const CudaState state = look();
    return state;
}

}  // namespace mho
