// The race detector: kernels with and without the mistake that it must find. Compiled with -fsanitize=thread,
// linked with race_detector.cc.
#include <gtest/gtest.h>

#include "cuda_runtime.h"

namespace cuda_on_cpu {
namespace {

/// Races found while `kernel` runs on device memory of 256 numbers.
uint64_t races_of(void (*kernel)(int*), unsigned blocks, unsigned threads) {
    void* memory = nullptr;
    cudaMalloc(&memory, 256 * sizeof(int));
    std::memset(memory, 0, 256 * sizeof(int));
    const uint64_t before = races();
    launch("tested", blocks, threads, 256 * sizeof(int), {}, [=] { kernel(static_cast<int*>(memory)); });
    cudaFree(memory);
    return races() - before;
}

int* shared() { return reinterpret_cast<int*>(shared_memory()); }

TEST(RaceDetector, is_in_this_program) { EXPECT_TRUE(detects_races()); }

TEST(RaceDetector, reads_of_what_another_thread_wrote_need_a_barrier) {
    const auto without = [](int* o) {
        const unsigned t = threadIdx.x;
        shared()[t] = static_cast<int>(t);
        o[t] = shared()[t ^ 33];
    };
    const auto with = [](int* o) {
        const unsigned t = threadIdx.x;
        shared()[t] = static_cast<int>(t);
        __syncthreads();
        o[t] = shared()[t ^ 33];
    };
    EXPECT_GT(races_of(without, 1, 64), 0u);
    EXPECT_EQ(races_of(with, 1, 64), 0u);
    EXPECT_EQ(races_of(with, 1, 64), 0u);  // a launch orders what came before
}

TEST(RaceDetector, lanes_of_a_warp_need_a_barrier_too) {
    const auto without = [](int* o) {
        const unsigned t = threadIdx.x;
        shared()[t] = static_cast<int>(t);
        o[t] = shared()[t ^ 1];
    };
    const auto with = [](int* o) {
        const unsigned t = threadIdx.x;
        shared()[t] = static_cast<int>(t);
        __syncwarp();
        o[t] = shared()[t ^ 1];
    };
    const auto across_warps = [](int* o) {
        const unsigned t = threadIdx.x;
        shared()[t] = static_cast<int>(t);
        __syncwarp();
        o[t] = shared()[t ^ 32];
    };
    EXPECT_GT(races_of(without, 1, 32), 0u);
    EXPECT_EQ(races_of(with, 1, 32), 0u);
    EXPECT_GT(races_of(across_warps, 1, 64), 0u);
}

TEST(RaceDetector, what_was_read_may_be_overwritten_only_after_a_barrier) {
    const auto without = [](int* o) {
        const unsigned t = threadIdx.x;
        for (int round = 0; round < 3; ++round) {
            shared()[t] = static_cast<int>(t) * round;
            __syncthreads();
            o[t] += shared()[t ^ 33];
        }
    };
    EXPECT_GT(races_of(without, 1, 64), 0u);
}

TEST(RaceDetector, neighbouring_bytes_are_no_race) {
    const auto bytes = [](int* o) {
        reinterpret_cast<char*>(shared())[threadIdx.x] = 1;
        reinterpret_cast<char*>(o)[threadIdx.x] = 1;
    };
    EXPECT_EQ(races_of(bytes, 1, 64), 0u);
}

TEST(RaceDetector, device_memory_is_watched_within_and_across_blocks) {
    const auto two_writers = [](int* o) { o[threadIdx.x / 2] = static_cast<int>(threadIdx.x); };
    const auto every_block = [](int* o) {
        if (threadIdx.x == 0) o[0] += 1;
    };
    const auto own_places = [](int* o) { o[blockIdx.x * 32 + threadIdx.x] = 1; };
    EXPECT_GT(races_of(two_writers, 1, 64), 0u);
    EXPECT_GT(races_of(every_block, 2, 32), 0u);
    EXPECT_EQ(races_of(own_places, 4, 32), 0u);
}

TEST(RaceDetector, atomics_race_with_plain_accesses_only) {
    const auto atomics = [](int* o) { atomicAdd(&o[threadIdx.x & 3], 1); };
    const auto mixed = [](int* o) {
        atomicAdd(&o[0], 1);
        if (threadIdx.x == 7) o[0] = 3;
    };
    EXPECT_EQ(races_of(atomics, 4, 32), 0u);
    EXPECT_GT(races_of(mixed, 1, 32), 0u);
}

}  // namespace
}  // namespace cuda_on_cpu
