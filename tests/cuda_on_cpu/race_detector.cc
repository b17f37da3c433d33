// Finds accesses of two CUDA threads to the same byte, at least one a write, that no barrier orders. The
// kernels are compiled with -fsanitize=thread, which makes the compiler call __tsan_read4 and its kin at
// every access; the program links this file in place of that sanitizer's library. Watched are a block's
// shared memory and what cudaMalloc gave. Two accesses are ordered by a launch between them; within a block
// by a __syncthreads between them, or a __syncwarp that both lanes took part in; nothing orders two blocks of
// one launch.
#include <dlfcn.h>

#include <array>
#include <bit>
#include <cstdio>
#include <map>
#include <set>
#include <vector>

#include "tests/cuda_on_cpu/block.h"

namespace cuda_on_cpu {
namespace {

struct Access {
    uint64_t launch = 0, block = 0, interval = 0;  // barriers passed
    uint64_t time = 0;                             // 0: none yet
    uint32_t thread = 0;
    bool atomic = false;
    const void* place = nullptr;  // in the code
};

/// What happened to one byte: its last write and the last reads of two different threads.
struct Byte {
    Access write, read, other_read;
};

struct Region {
    const char* begin;
    std::vector<Byte> bytes;
    bool shared;
};

uint64_t now = 0, found = 0;
std::map<const char*, Region> watched;  // by first byte
Region shared_region{nullptr, {}, true};
std::set<std::pair<const void*, const void*>> described;
/// When two lanes of a warp last met in a __syncwarp.
std::array<std::array<std::array<uint64_t, 32>, 32>, 32> met;

bool ordered(const Access& a, const Access& b, bool shared) {
    if (a.time == 0 || a.launch != b.launch) return true;
    if (a.block != b.block) return shared;  // shared memory begins anew with each block
    if (a.thread == b.thread || a.interval != b.interval) return true;
    const uint32_t warp = a.thread / 32;
    return warp == b.thread / 32 && met[warp][a.thread % 32][b.thread % 32] > a.time;
}

std::string place_name(const void* place) {
    Dl_info info{};
    char text[256];
    dladdr(place, &info);
    std::snprintf(
        text, sizeof text, "%s+0x%zx", info.dli_fname ? info.dli_fname : "?",
        static_cast<size_t>(static_cast<const char*>(place) - static_cast<const char*>(info.dli_fbase)));
    return text;
}

void report(const char* what, const Region& region, size_t byte, const Access& a, const Access& b) {
    ++found;
    if (!described.emplace(a.place, b.place).second) return;
    std::fprintf(
        stderr,
        "cuda on cpu: race, %s, byte %zu of %s memory, kernel %s: thread %u at %s and thread %u at %s\n",
        what, byte, region.shared ? "shared" : "device", Block::current()->launch().name.c_str(), a.thread,
        place_name(a.place).c_str(), b.thread, place_name(b.place).c_str());
}

void touch(Region& region, size_t byte, bool write, const Access& access) {
    Byte& b = region.bytes[byte];
    if (!(access.atomic && b.write.atomic) && !ordered(b.write, access, region.shared))
        report(write ? "write after write" : "read after write", region, byte, b.write, access);
    if (write) {
        for (const Access* read : {&b.read, &b.other_read})
            if (!ordered(*read, access, region.shared))
                report("write after read", region, byte, *read, access);
        b.write = access;
    } else {
        if (b.read.time && b.read.thread != access.thread) b.other_read = b.read;
        b.read = access;
    }
}

Region* region_of(const char* p, size_t& byte) {
    Block& block = *Block::current();
    if (shared_region.begin != reinterpret_cast<const char*>(block.shared()) ||
        shared_region.bytes.size() != block.launch().shared_bytes) {
        shared_region.begin = reinterpret_cast<const char*>(block.shared());
        shared_region.bytes.assign(block.launch().shared_bytes, {});
    }
    byte = static_cast<size_t>(p - shared_region.begin);
    if (byte < shared_region.bytes.size()) return &shared_region;
    auto after = watched.upper_bound(p);
    if (after == watched.begin()) return nullptr;
    Region& region = std::prev(after)->second;
    byte = static_cast<size_t>(p - region.begin);
    return byte < region.bytes.size() ? &region : nullptr;
}

void access(const void* p, size_t size, bool write, bool atomic, const void* place) {
    Block* block = Block::current();
    if (!block || !block->in_thread()) return;
    size_t byte = 0;
    Region* region = region_of(static_cast<const char*>(p), byte);
    if (!region) return;
    const Access a{block->launch().number,
                   block->number(),
                   block->barriers_passed(),
                   ++now,
                   block->running().number,
                   atomic,
                   place};
    for (size_t i = 0; i < size && byte + i < region->bytes.size(); ++i) touch(*region, byte + i, write, a);
}

}  // namespace

bool detects_races() { return true; }
uint64_t races() { return found; }
void watch(const void* p, size_t size) {
    const char* begin = static_cast<const char*>(p);
    watched[begin] = {begin, std::vector<Byte>(size), false};
}
void forget(const void* p) { watched.erase(static_cast<const char*>(p)); }
void note_atomic(const void* p, size_t size) { access(p, size, true, true, __builtin_return_address(0)); }
void on_block_begin(const Block&) {}
void on_warp_sync(const Block&, unsigned warp, uint32_t mask) {
    ++now;
    for (uint32_t a = mask; a; a &= a - 1)
        for (uint32_t b = mask; b; b &= b - 1) met[warp][std::countr_zero(a)][std::countr_zero(b)] = now;
}

}  // namespace cuda_on_cpu

// What the compiler calls. Names and meaning are those of ThreadSanitizer's interface.
#define MHO_ACCESS(size)                                                         \
    extern "C" void __tsan_read##size(void* p) {                                 \
        cuda_on_cpu::access(p, size, false, false, __builtin_return_address(0)); \
    }                                                                            \
    extern "C" void __tsan_write##size(void* p) {                                \
        cuda_on_cpu::access(p, size, true, false, __builtin_return_address(0));  \
    }                                                                            \
    extern "C" void __tsan_unaligned_read##size(void* p) {                       \
        cuda_on_cpu::access(p, size, false, false, __builtin_return_address(0)); \
    }                                                                            \
    extern "C" void __tsan_unaligned_write##size(void* p) {                      \
        cuda_on_cpu::access(p, size, true, false, __builtin_return_address(0));  \
    }
MHO_ACCESS(1)
MHO_ACCESS(2)
MHO_ACCESS(4)
MHO_ACCESS(8)
MHO_ACCESS(16)
extern "C" void __tsan_read_range(void* p, unsigned long size) {
    cuda_on_cpu::access(p, size, false, false, __builtin_return_address(0));
}
extern "C" void __tsan_write_range(void* p, unsigned long size) {
    cuda_on_cpu::access(p, size, true, false, __builtin_return_address(0));
}
extern "C" void __tsan_init() {}
extern "C" void __tsan_func_entry(void*) {}
extern "C" void __tsan_func_exit() {}
extern "C" void __tsan_vptr_update(void**, void*) {}
extern "C" void __tsan_vptr_read(void**) {}
