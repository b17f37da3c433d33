// tests/cuda_on_cpu/executor.h - executes CUDA kernels on the CPU, so that tests run the real .cu source
// where there is no GPU. g++ compiles a kernel as C++ (include/cuda_runtime.h holds the words of CUDA); every
// thread of a block is a fiber on one OS thread, and a warp's collective is carried out by the last lane that
// arrives, so that a divergent barrier or shuffle is reported instead of hanging. What it does not show:
// speed, memory coalescing, occupancy, rounding of approximate intrinsics.
//
// Found by it: barriers and collectives that threads of one block reach differently, reads of shared memory
// that nobody wrote (it is filled with garbage before each block), writes past the end of a part of it
// (guards between parts), results that depend on the order in which threads or blocks run (set_schedule),
// and, in a build with MHO_RACE_DETECTOR, accesses to shared and device memory that no barrier orders
// (race_detector.cc).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace cuda_on_cpu {

struct Index3 {
    unsigned x = 0, y = 0, z = 0;
};

struct Extent3 {
    unsigned x = 1, y = 1, z = 1;
    constexpr Extent3() = default;
    constexpr Extent3(unsigned x_, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
    constexpr uint64_t count() const { return uint64_t{x} * y * z; }
};

// --- what kernels see

extern thread_local Index3 thread_index, block_index;
extern thread_local Extent3 block_extent, grid_extent;

/// The dynamic shared memory of the block that runs.
std::byte* shared_memory();

void sync_block();
void sync_warp(uint32_t mask);
/// Every lane of `mask` gives a value and gets one back; `arg` is a lane, a distance or a pattern of lanes.
enum class Shuffle { from, up, down, exclusive_or };
uint64_t shuffle(Shuffle kind, uint32_t mask, uint64_t value, int arg, int width);
uint32_t ballot(uint32_t mask, bool predicate);

/// A collective of a whole warp that this file does not know: `act` is called once, by the last lane that
/// arrives, with the operands of all 32 lanes in order.
using WarpAct = void (*)(void* const operands[32]);
void whole_warp(WarpAct act, void* operands);

/// Reports that an atomic operation is about to read and write [p, p + size).
void note_atomic(const void* p, size_t size);

// --- what hosts see

/// Part of a block's shared memory that nobody may touch: [offset, offset + size).
struct Guard {
    size_t offset, size;
};

/// Runs `kernel` for every thread of every block; returns when all are done. Aborts with a message where the
/// kernel breaks a rule: `name`, the block and the thread are in it.
void launch(const char* name, Extent3 grid, Extent3 block, size_t shared_bytes,
            const std::vector<Guard>& guards, const std::function<void()>& kernel);

/// Order in which the threads of a block are resumed and blocks are started: 0 forward, 1 reverse, else
/// random.
void set_schedule(uint64_t seed);

struct Counts {
    uint64_t launches, blocks, barriers, collectives;
};
/// Since the program began.
Counts counts();

// --- the race detector: does nothing in builds without it

bool detects_races();
/// Races found so far; each pair of places in the code is described once on stderr.
uint64_t races();
/// Device memory that is watched, from allocation to release.
void watch(const void* p, size_t size);
void forget(const void* p);

}  // namespace cuda_on_cpu
