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
    ~WorkQueue() {  // waits: what its work uses is gone next
        if (!stream_) return;
        cudaStreamSynchronize(stream_);
        cudaStreamDestroy(stream_);
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

/// A mark in a WorkQueue that a host thread can wait for.
class Event {
  public:
    Event() { check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "making an event"); }
    ~Event() { cudaEventDestroy(event_); }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    void record(const WorkQueue& queue) { check(cudaEventRecord(event_, queue.get()), "recording an event"); }
    /// Returns when all that the queue held at the last record() is done; at once where there was none.
    void wait() const { check(cudaEventSynchronize(event_), "waiting for an event"); }

  private:
    cudaEvent_t event_ = nullptr;
};

/// `count` elements of host memory that the device copies from while the host goes on.
template <class T>
class PinnedBuffer {
  public:
    explicit PinnedBuffer(int64_t count) {
        void* p = nullptr;
        check(cudaMallocHost(&p, static_cast<size_t>(count) * sizeof(T)), "taking pinned memory");
        data_ = static_cast<T*>(p);
    }
    ~PinnedBuffer() { cudaFreeHost(data_); }
    PinnedBuffer(const PinnedBuffer&) = delete;
    PinnedBuffer& operator=(const PinnedBuffer&) = delete;

    T* data() const { return data_; }

  private:
    T* data_ = nullptr;
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

/// The same into a buffer that is kept where it has the right size: taking device memory stalls the GPU.
template <class T>
void upload_into(DeviceBuffer<T>& buffer, std::span<const T> values, const WorkQueue& queue) {
    if (buffer.size() != static_cast<int64_t>(values.size()))
        buffer = DeviceBuffer<T>(static_cast<int64_t>(values.size()));
    copy_now(values.data(), buffer.size(), buffer.data(), cudaMemcpyHostToDevice, queue);
}

template <class T>
std::vector<T> downloaded(const T* from, int64_t count, const WorkQueue& queue) {
    std::vector<T> values(static_cast<size_t>(count));
    copy_now(from, count, values.data(), cudaMemcpyDeviceToHost, queue);
    return values;
}

}  // namespace mho::cuda
