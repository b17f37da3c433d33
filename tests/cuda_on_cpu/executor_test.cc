// The executor of CUDA on the CPU: every word that it knows, and every mistake that it must find.
#include <gtest/gtest.h>

#include <vector>

#include "cuda_runtime.h"

namespace cuda_on_cpu {
namespace {

/// Runs a kernel of one pointer at once.
template <class T>
void run(void (*kernel)(T*), dim3 grid, dim3 block, T* p, size_t shared_bytes = 0,
         std::vector<Guard> guards = {}) {
    launch("tested", grid, block, shared_bytes, guards, [=] { kernel(p); });
}

template <class T>
T* shared() {
    return reinterpret_cast<T*>(shared_memory());
}

unsigned linear_thread() { return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z); }

TEST(CudaOnCpu, every_thread_of_every_block_runs_once_with_its_indices) {
    std::vector<int> count(3 * 2 * 2 * 5 * 3 * 2);
    run<int>(
        [](int* out) {
            const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
            atomicAdd(&out[block * 30 + linear_thread()], 1);
        },
        {3, 2, 2}, {5, 3, 2}, count.data());
    for (int c : count) EXPECT_EQ(c, 1);
}

TEST(CudaOnCpu, a_barrier_lets_no_thread_past_before_all_are_there) {
    for (uint64_t schedule = 0; schedule < 20; ++schedule) {
        set_schedule(schedule);
        std::vector<int> out(2 * 100);
        run<int>(
            [](int* o) {
                int* s = shared<int>();
                const unsigned t = threadIdx.x;
                for (int round = 0; round < 3; ++round) {
                    s[t] = static_cast<int>(t) * (round + 1);
                    __syncthreads();
                    o[blockIdx.x * 100 + t] += s[(t + 37) % 100];
                    __syncthreads();
                }
            },
            2, 100, out.data(), 100 * sizeof(int));
        for (int i = 0; i < 200; ++i)
            ASSERT_EQ(out[static_cast<size_t>(i)], 6 * ((i % 100 + 37) % 100)) << schedule;
    }
    set_schedule(0);
}

TEST(CudaOnCpu, shuffles_and_ballots_are_those_of_a_warp) {
    std::vector<int> out(6 * 64);
    run<int>(
        [](int* o) {
            const int t = static_cast<int>(threadIdx.x), lane = t % 32;
            o[t] = __shfl_sync(~0u, t, 5);
            o[64 + t] = __shfl_up_sync(~0u, t, 3u);
            o[128 + t] = __shfl_down_sync(~0u, t, 4u, 8);
            o[192 + t] = __shfl_xor_sync(~0u, t, 9);
            o[256 + t] = static_cast<int>(__ballot_sync(~0u, lane % 3 == 0));
            o[320 + t] = lane < 16 ? __shfl_xor_sync(0xffffu, t, 1) : __shfl_xor_sync(0xffff0000u, t, 2);
        },
        1, 64, out.data());
    unsigned thirds = 0;
    for (int lane = 0; lane < 32; lane += 3) thirds |= 1u << lane;
    for (int t = 0; t < 64; ++t) {
        const int lane = t % 32, first = t - lane;
        EXPECT_EQ(out[static_cast<size_t>(t)], first + 5);
        EXPECT_EQ(out[static_cast<size_t>(64 + t)], lane < 3 ? t : t - 3);
        EXPECT_EQ(out[static_cast<size_t>(128 + t)], lane % 8 < 4 ? t + 4 : t);
        EXPECT_EQ(out[static_cast<size_t>(192 + t)], first + (lane ^ 9));
        EXPECT_EQ(static_cast<unsigned>(out[static_cast<size_t>(256 + t)]), thirds);
        EXPECT_EQ(out[static_cast<size_t>(320 + t)], first + (lane ^ (lane < 16 ? 1 : 2)));
    }
}

TEST(CudaOnCpu, a_collective_of_the_whole_warp_sees_all_operands_in_order) {
    std::vector<int> out(96);
    run<int>(
        [](int* o) {
            int value = static_cast<int>(threadIdx.x);
            whole_warp(
                [](void* const operands[32]) {
                    for (int lane = 31; lane > 0; --lane)
                        *static_cast<int*>(operands[lane]) += *static_cast<int*>(operands[lane - 1]);
                },
                &value);
            o[threadIdx.x] = value;
        },
        1, 96, out.data());
    for (int t = 0; t < 96; ++t) EXPECT_EQ(out[static_cast<size_t>(t)], t % 32 == 0 ? t : 2 * t - 1);
}

TEST(CudaOnCpu, integer_intrinsics_are_those_of_the_programming_guide) {
    EXPECT_EQ(__byte_perm(0x33221100u, 0x77665544u, 0x7250u), 0x77225500u);
    EXPECT_EQ(__dp4a(0xff020304u, 0xff050607u, 9u), 9u + 255 * 255 + 2 * 5 + 3 * 6 + 4 * 7);
    EXPECT_EQ(__float2uint_rn(2.5f), 2u);
    EXPECT_EQ(__float2uint_rn(3.5f), 4u);
    EXPECT_EQ(__float2uint_rn(-0.75f), 0u);
    EXPECT_EQ(__float2uint_rn(NAN), 0u);
    EXPECT_EQ(__float2uint_rn(5e9f), 0xffffffffu);
    unsigned most = 7;
    EXPECT_EQ(atomicMax(&most, 5u), 7u);
    EXPECT_EQ(atomicMax(&most, 9u), 7u);
    EXPECT_EQ(atomicMin(&most, 2u), 9u);
    EXPECT_EQ(most, 2u);
}

TEST(CudaOnCpu, shared_memory_begins_as_garbage_in_every_block) {
    std::vector<unsigned> out(3);
    run<unsigned>(
        [](unsigned* o) {
            o[blockIdx.x] = shared<unsigned>()[1];
            shared<unsigned>()[1] = 0;
        },
        3, 1, out.data(), 8);
    for (unsigned v : out) EXPECT_EQ(v, 0xffffffffu);
}

TEST(CudaOnCpu, the_order_of_threads_and_blocks_is_as_scheduled) {
    const auto order = [](uint64_t schedule) {
        set_schedule(schedule);
        std::vector<unsigned> out(65);
        run<unsigned>(
            [](unsigned* o) {
                const unsigned turn = atomicAdd(o, 1u);
                o[1 + turn] = threadIdx.x;
            },
            1, 64, out.data());
        set_schedule(0);
        return std::vector<unsigned>(out.begin() + 1, out.end());
    };
    for (unsigned t = 0; t < 64; ++t) {
        EXPECT_EQ(order(0)[t], t);
        EXPECT_EQ(order(1)[t], 63 - t);
    }
    EXPECT_NE(order(2), order(3));
    EXPECT_EQ(order(2), order(2));
}

using CudaOnCpuDeath = ::testing::Test;

TEST(CudaOnCpuDeath, threads_that_part_at_a_barrier_are_told) {
    EXPECT_DEATH(run<int>(
                     [](int* o) {
                         if (threadIdx.x < 16) {
                             __syncthreads();
                             o[0] = 1;
                         } else {
                             o[1] = 2;
                             __syncthreads();
                         }
                     },
                     1, 32, std::vector<int>(2).data()),
                 "different barriers");
}

TEST(CudaOnCpuDeath, threads_that_wait_for_each_other_are_told) {
    EXPECT_DEATH(run<int>(
                     [](int* o) {
                         if (threadIdx.x < 16)
                             __syncthreads();
                         else
                             *o = __shfl_sync(~0u, 1, 0);
                     },
                     1, 32, std::vector<int>(1).data()),
                 "deadlock");
    EXPECT_DEATH(run<int>(
                     [](int* o) {
                         if (threadIdx.x == 5) return;
                         o[threadIdx.x] = __shfl_xor_sync(~0u, 1, 1);
                     },
                     1, 32, std::vector<int>(32).data()),
                 "lane that has returned");
    EXPECT_DEATH(run<int>([](int* o) { *o = __shfl_sync(1u, 1, 0); }, 1, 2, std::vector<int>(1).data()),
                 "leaves it out");
    EXPECT_DEATH(run<int>([](int* o) { *o = __shfl_sync(3u, 1, 4); }, 1, 2, std::vector<int>(1).data()),
                 "not in the mask");
}

TEST(CudaOnCpuDeath, writes_past_a_part_of_shared_memory_are_told) {
    const auto kernel = [](int* o) {
        shared<char>()[o[0]] = 1;
        __syncthreads();
    };
    std::vector<int> place{7};
    run<int>(kernel, 1, 1, place.data(), 32, {{8, 8}});  // up to the guard
    place[0] = 8;
    EXPECT_DEATH(run<int>(kernel, 1, 1, place.data(), 32, {{8, 8}}), "past the end|use-after-poison");
}

TEST(CudaOnCpuDeath, launches_that_no_gpu_takes_are_told) {
    EXPECT_DEATH(run<int>([](int*) {}, 1, 1025, static_cast<int*>(nullptr)), "1025 threads");
    EXPECT_DEATH(run<int>([](int*) {}, {0, 1, 1}, 1, static_cast<int*>(nullptr)), "0 blocks");
}

struct StreamTest : ::testing::Test {
    void SetUp() override {
        ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
    }
    void TearDown() override { EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess); }
    cudaStream_t stream = nullptr;
};

TEST_F(StreamTest, work_waits_until_somebody_waits_for_it) {
    int from = 1, to = 0;
    cudaMemcpyAsync(&to, &from, sizeof to, cudaMemcpyHostToDevice, stream);
    from = 2;
    EXPECT_EQ(to, 0);
    cudaStreamSynchronize(stream);
    EXPECT_EQ(to, 2);  // what a copy reads is what lies there once it runs
}

TEST_F(StreamTest, an_event_makes_another_stream_wait) {
    cudaStream_t other = nullptr;
    cudaEvent_t event = nullptr;
    cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking);
    cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
    int value = 5, middle = 0, end = 0;
    cudaMemcpyAsync(&middle, &value, sizeof value, cudaMemcpyHostToDevice, stream);
    cudaEventRecord(event, stream);
    cudaStreamWaitEvent(other, event);
    cudaMemcpyAsync(&end, &middle, sizeof value, cudaMemcpyDeviceToHost, other);
    cudaStreamSynchronize(other);
    EXPECT_EQ(end, 5);
    cudaEventDestroy(event);
    cudaStreamDestroy(other);
}

TEST_F(StreamTest, a_graph_repeats_what_was_captured) {
    std::vector<int> sum(1);
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
    cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
    enqueue(stream, [&] { ++sum[0]; });
    cudaStreamEndCapture(stream, &graph);
    cudaStreamSynchronize(stream);
    EXPECT_EQ(sum[0], 0);
    cudaGraphInstantiate(&executable, graph, 0);
    cudaGraphDestroy(graph);
    for (int i = 0; i < 3; ++i) cudaGraphLaunch(executable, stream);
    cudaStreamSynchronize(stream);
    EXPECT_EQ(sum[0], 3);
    cudaGraphExecDestroy(executable);
}

TEST(CudaOnCpuMemory, has_an_end_and_begins_as_garbage) {
    Machine small;
    small.memory = 1000;
    set_machine(small);
    void *first = nullptr, *second = nullptr;
    ASSERT_EQ(cudaMalloc(&first, 600), cudaSuccess);
    EXPECT_EQ(*static_cast<unsigned char*>(first), 0xff);
    EXPECT_EQ(cudaMalloc(&second, 600), cudaErrorMemoryAllocation);
    size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    EXPECT_EQ(free, 400u);
    EXPECT_EQ(cudaFree(first), cudaSuccess);
    EXPECT_EQ(cudaFree(&small), cudaErrorInvalidValue);
    EXPECT_EQ(cudaMalloc(&second, 600), cudaSuccess);
    cudaFree(second);
    set_machine({});
}

TEST(CudaOnCpuMachine, without_a_driver_counting_devices_fails_and_leaves_the_count_alone) {
    Machine none;
    none.devices = -1;
    set_machine(none);
    int count = 77;
    EXPECT_EQ(cudaGetDeviceCount(&count), cudaErrorInsufficientDriver);
    EXPECT_EQ(count, 77);
    set_machine({});
    EXPECT_EQ(cudaGetDeviceCount(&count), cudaSuccess);
    EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace cuda_on_cpu
