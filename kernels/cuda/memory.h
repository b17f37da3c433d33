// kernels/cuda/memory.h - owners of device memory, pinned host memory and streams.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "kernels/cuda/check.h"

namespace mho::cuda {

/// Work in order. Belongs to one host thread.
class WorkQueue {
  public:
    WorkQueue() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream"); }
    ~WorkQueue() {
        if (stream_) cudaStreamDestroy(stream_);
    }
    WorkQueue(WorkQueue&& o) noexcept : stream_(std::exchange(o.stream_, nullptr)) {}
    WorkQueue(const WorkQueue&) = delete;
    WorkQueue& operator=(const WorkQueue&) = delete;

    cudaStream_t get() const { return stream_; }
    void wait() const { check(cudaStreamSynchronize(stream_), "waiting for a stream"); }

  private:
    cudaStream_t stream_ = nullptr;
};

/// `count` elements on the device, not initialised.
template <class T>
class DeviceBuffer {
  public:
    DeviceBuffer() = default;
    explicit DeviceBuffer(int64_t count) : count_(count) {
        if (count == 0) return;
        void* p = nullptr;
        check(cudaMalloc(&p, static_cast<size_t>(count) * sizeof(T)), "taking device memory");
        data_ = static_cast<T*>(p);
    }
    ~DeviceBuffer() { cudaFree(data_); }
    DeviceBuffer(DeviceBuffer&& o) noexcept
        : data_(std::exchange(o.data_, nullptr)), count_(std::exchange(o.count_, 0)) {}
    DeviceBuffer& operator=(DeviceBuffer&& o) noexcept {
        std::swap(data_, o.data_);
        std::swap(count_, o.count_);
        return *this;
    }

    T* data() const { return data_; }
    int64_t size() const { return count_; }

  private:
    T* data_ = nullptr;
    int64_t count_ = 0;
};

/// Copies that are over when the call returns: for what is done once a run or once a look.
template <class T>
void copy_now(const T* from, int64_t count, T* to, cudaMemcpyKind kind, const WorkQueue& queue) {
    if (count == 0) return;
    check(cudaMemcpyAsync(to, from, static_cast<size_t>(count) * sizeof(T), kind, queue.get()), "copying");
    queue.wait();
}

template <class T>
DeviceBuffer<T> uploaded(std::span<const T> values, const WorkQueue& queue) {
    DeviceBuffer<T> buffer(static_cast<int64_t>(values.size()));
    copy_now(values.data(), buffer.size(), buffer.data(), cudaMemcpyHostToDevice, queue);
    return buffer;
}

template <class T>
std::vector<T> downloaded(const T* from, int64_t count, const WorkQueue& queue) {
    std::vector<T> values(static_cast<size_t>(count));
    copy_now(from, count, values.data(), cudaMemcpyDeviceToHost, queue);
    return values;
}

}  // namespace mho::cuda
