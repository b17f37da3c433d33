// tests/cuda_on_cpu/include/cuda_runtime.h - the words of CUDA C++ and of its runtime library that the
// project uses, for g++ and the executor: stands before the toolkit's header of that name on the include
// path. Work on a stream is put off until somebody waits for it, so that a missing wait shows as wrong data.
// To add a word: its declaration here, its meaning in runtime.cc or executor.cc, a line in executor_test.cc.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>

#include "tests/cuda_on_cpu/executor.h"

#define MHO_CUDA_ON_CPU 1

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) alignas(n)

using dim3 = cuda_on_cpu::Extent3;
#define threadIdx (::cuda_on_cpu::thread_index)
#define blockIdx (::cuda_on_cpu::block_index)
#define blockDim (::cuda_on_cpu::block_extent)
#define gridDim (::cuda_on_cpu::grid_extent)

// --- device functions

inline __attribute__((always_inline)) void __syncthreads() { cuda_on_cpu::sync_block(); }
inline void __syncwarp(unsigned mask = ~0u) { cuda_on_cpu::sync_warp(mask); }

template <class T>
T mho_shuffle(cuda_on_cpu::Shuffle kind, unsigned mask, T value, int arg, int width) {
    static_assert(sizeof(T) <= sizeof(uint64_t));
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    bits = cuda_on_cpu::shuffle(kind, mask, bits, arg, width);
    std::memcpy(&value, &bits, sizeof value);
    return value;
}
template <class T>
T __shfl_sync(unsigned mask, T value, int lane, int width = 32) {
    return mho_shuffle(cuda_on_cpu::Shuffle::from, mask, value, lane, width);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned distance, int width = 32) {
    return mho_shuffle(cuda_on_cpu::Shuffle::up, mask, value, static_cast<int>(distance), width);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned distance, int width = 32) {
    return mho_shuffle(cuda_on_cpu::Shuffle::down, mask, value, static_cast<int>(distance), width);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32) {
    return mho_shuffle(cuda_on_cpu::Shuffle::exclusive_or, mask, value, lanes, width);
}
inline unsigned __ballot_sync(unsigned mask, int predicate) {
    return cuda_on_cpu::ballot(mask, predicate != 0);
}

inline unsigned __byte_perm(unsigned low, unsigned high, unsigned selector) {
    const uint64_t bytes = static_cast<uint64_t>(high) << 32 | low;
    unsigned result = 0;
    for (int i = 0; i < 4; ++i)
        result |= static_cast<unsigned>(bytes >> (selector >> (4 * i) & 7) * 8 & 0xff) << (8 * i);
    return result;
}
/// Nearest, ties to even; what unsigned numbers cannot hold is cut, NaN is 0 (PTX ISA, cvt.rni.u32.f32).
inline unsigned __float2uint_rn(float v) {
    if (!(v > 0)) return 0;
    return v >= 4294967296.0f ? ~0u : static_cast<unsigned>(rintf(v));
}
/// Four products of unsigned bytes, added to `sum`.
inline unsigned __dp4a(unsigned a, unsigned b, unsigned sum) {
    for (int i = 0; i < 32; i += 8) sum += (a >> i & 0xff) * (b >> i & 0xff);
    return sum;
}

template <class T, class Change>
__attribute__((no_sanitize_thread)) T mho_atomic(T* p, const Change& change) {
    cuda_on_cpu::note_atomic(p, sizeof(T));
    T old, changed;
    __atomic_load(p, &old, __ATOMIC_RELAXED);
    do changed = change(old);
    while (!__atomic_compare_exchange(p, &old, &changed, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return old;
}
template <class T>
T atomicAdd(T* p, T value) {
    return mho_atomic(p, [value](T old) { return static_cast<T>(old + value); });
}
template <class T>
T atomicMax(T* p, T value) {
    return mho_atomic(p, [value](T old) { return old > value ? old : value; });
}
template <class T>
T atomicMin(T* p, T value) {
    return mho_atomic(p, [value](T old) { return old < value ? old : value; });
}

// --- runtime library

enum cudaError_t {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
    cudaErrorInsufficientDriver = 35,
    cudaErrorNoDevice = 100,
    cudaErrorNotReady = 600,
    cudaErrorLaunchFailure = 719,
    cudaErrorStreamCaptureUnsupported = 900,
    cudaErrorGraphExecUpdateFailure = 910,
};
const char* cudaGetErrorName(cudaError_t error);
const char* cudaGetErrorString(cudaError_t error);
cudaError_t cudaGetLastError();

struct cudaDeviceProp {
    char name[256];
    int major, minor, multiProcessorCount;
    size_t totalGlobalMem, sharedMemPerBlockOptin, sharedMemPerMultiprocessor;
};
cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDevice(int* device);
cudaError_t cudaDriverGetVersion(int* version);
cudaError_t cudaRuntimeGetVersion(int* version);
cudaError_t cudaMemGetInfo(size_t* free, size_t* total);
cudaError_t cudaDeviceSynchronize();

cudaError_t cudaMalloc(void** p, size_t bytes);
cudaError_t cudaFree(void* p);
cudaError_t cudaMallocHost(void** p, size_t bytes);
cudaError_t cudaFreeHost(void* p);

using cudaStream_t = struct CUstream_st*;
using cudaEvent_t = struct CUevent_st*;
using cudaGraph_t = struct CUgraph_st*;
using cudaGraphExec_t = struct CUgraphExec_st*;
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };
enum cudaStreamCaptureMode { cudaStreamCaptureModeThreadLocal = 1 };
inline constexpr unsigned cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2;

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags = 0);
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream);
cudaError_t cudaMemsetAsync(void* p, int value, size_t bytes, cudaStream_t stream);

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long flags);
struct cudaGraphExecUpdateResultInfo {
    int result;
};
/// Fails where the graph has another number of pieces of work, as the real one fails for another shape.
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t executable, cudaGraph_t graph,
                                cudaGraphExecUpdateResultInfo* info);
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable);

enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };
template <class Kernel>
cudaError_t cudaFuncSetAttribute(Kernel*, cudaFuncAttribute, int) {
    return cudaSuccess;
}

namespace cuda_on_cpu {

/// Puts work at the end of a stream: kernel launches, and what libraries do. Aborts where the stream belongs
/// to another device than the thread has chosen.
void enqueue(cudaStream_t stream, std::function<void()> work);

/// From its next `after` pieces of work on a device does nothing any more, and calls that wait for it, copy
/// or take memory on it fail, until set_machine().
void break_device(int device, uint64_t after);

/// The machine that the runtime library shows; `devices` < 0: there is no driver.
struct Machine {
    int devices = 1;
    int major = 9, minor = 0, multiprocessors = 4;
    size_t memory = size_t{4} << 30;
    size_t shared_bytes = 227 * 1024;
};
void set_machine(const Machine& machine);

}  // namespace cuda_on_cpu
