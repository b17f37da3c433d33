// The runtime library of CUDA on the CPU: memory, streams whose work is put off, events, graphs.
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "cuda_runtime.h"

using Work = std::function<void()>;

struct CUstream_st {
    int device = 0;
    std::mutex mutex;
    std::deque<Work> waiting;
    std::vector<Work>* capture = nullptr;
};
/// Everything that its stream held when it was recorded is done once `reached` is set.
struct CUevent_st {
    cudaStream_t stream = nullptr;
    std::shared_ptr<bool> reached = std::make_shared<bool>(true);
};
struct CUgraph_st {
    std::vector<Work> work;
};
struct CUgraphExec_st {
    std::vector<Work> work;
};

namespace {

cuda_on_cpu::Machine machine;
std::mutex memory_mutex;
std::map<void*, size_t> device_memory;
size_t allocated = 0;
constexpr size_t kAlignment = 256;  // what cudaMalloc promises

thread_local int current_device = 0;

/// How much more a device does before it breaks; nothing said: all.
struct Breaking {
    std::mutex mutex;
    std::map<int, uint64_t> work_left;
};
Breaking& breaking() {  // also asked while a plug-in's other variables are being made
    static Breaking all;
    return all;
}

bool is_broken(int device) {
    const std::lock_guard lock(breaking().mutex);
    const auto left = breaking().work_left.find(device);
    return left != breaking().work_left.end() && left->second == 0;
}

/// Whether the device still does one more piece of work.
bool takes_work(int device) {
    const std::lock_guard lock(breaking().mutex);
    const auto left = breaking().work_left.find(device);
    if (left == breaking().work_left.end()) return true;
    if (left->second == 0) return false;
    --left->second;
    return true;
}

/// Does what waits on a stream, in order, until nothing is left.
void drain(cudaStream_t stream) {
    const std::lock_guard lock(stream->mutex);
    while (!stream->waiting.empty()) {
        const Work work = std::move(stream->waiting.front());
        stream->waiting.pop_front();
        if (takes_work(stream->device)) work();
    }
}

cudaError_t state_of(int device) { return is_broken(device) ? cudaErrorLaunchFailure : cudaSuccess; }

}  // namespace

void cuda_on_cpu::set_machine(const Machine& m) {
    machine = m;
    const std::lock_guard lock(breaking().mutex);
    breaking().work_left.clear();
}

void cuda_on_cpu::break_device(int device, uint64_t after) {
    const std::lock_guard lock(breaking().mutex);
    breaking().work_left[device] = after;
}

void cuda_on_cpu::enqueue(cudaStream_t stream, Work work) {
    if (stream->device != current_device) {
        std::fprintf(stderr, "cuda on cpu: work for device %d, and the thread has chosen device %d\n",
                     stream->device, current_device);
        std::abort();
    }
    const std::lock_guard lock(stream->mutex);
    if (stream->capture)
        stream->capture->push_back(std::move(work));
    else
        stream->waiting.push_back(std::move(work));
}

const char* cudaGetErrorName(cudaError_t error) {
    switch (error) {
        case cudaSuccess:
            return "cudaSuccess";
        case cudaErrorInvalidValue:
            return "cudaErrorInvalidValue";
        case cudaErrorMemoryAllocation:
            return "cudaErrorMemoryAllocation";
        case cudaErrorInsufficientDriver:
            return "cudaErrorInsufficientDriver";
        case cudaErrorNoDevice:
            return "cudaErrorNoDevice";
        case cudaErrorNotReady:
            return "cudaErrorNotReady";
        case cudaErrorLaunchFailure:
            return "cudaErrorLaunchFailure";
        case cudaErrorStreamCaptureUnsupported:
            return "cudaErrorStreamCaptureUnsupported";
        case cudaErrorGraphExecUpdateFailure:
            return "cudaErrorGraphExecUpdateFailure";
    }
    return "unknown";
}
const char* cudaGetErrorString(cudaError_t error) { return cudaGetErrorName(error); }
cudaError_t cudaGetLastError() { return cudaSuccess; }

cudaError_t cudaGetDeviceCount(int* count) {  // an error leaves the count alone, as the real library does
    if (machine.devices < 0) return cudaErrorInsufficientDriver;
    if (machine.devices == 0) return cudaErrorNoDevice;
    *count = machine.devices;
    return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int device) {
    if (device < 0 || device >= machine.devices) return cudaErrorInvalidValue;
    *p = {};
    std::strcpy(p->name, "CUDA on CPU");
    p->major = machine.major;
    p->minor = machine.minor;
    p->multiProcessorCount = machine.multiprocessors;
    p->totalGlobalMem = machine.memory;
    p->sharedMemPerBlockOptin = machine.shared_bytes;
    p->sharedMemPerMultiprocessor = machine.shared_bytes + 1024;
    return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
    if (device < 0 || device >= machine.devices) return cudaErrorInvalidValue;
    current_device = device;
    return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
    *device = current_device;
    return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
    *version = machine.devices < 0 ? 0 : 13000;
    return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
    *version = 13000;
    return cudaSuccess;
}
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
    const std::lock_guard lock(memory_mutex);
    *total = machine.memory;
    *free = machine.memory - std::min(allocated, machine.memory);
    return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() { return cudaSuccess; }

cudaError_t cudaMalloc(void** p, size_t bytes) {
    if (is_broken(current_device)) return cudaErrorLaunchFailure;
    const std::lock_guard lock(memory_mutex);
    if (allocated + bytes > machine.memory) return cudaErrorMemoryAllocation;
    void* made = nullptr;  // of the exact size: sanitizers see its end
    if (posix_memalign(&made, kAlignment, std::max<size_t>(bytes, 1)) != 0) return cudaErrorMemoryAllocation;
    std::memset(made, 0xff, bytes);
    device_memory[made] = bytes;
    allocated += bytes;
    cuda_on_cpu::watch(made, bytes);
    *p = made;
    return cudaSuccess;
}
cudaError_t cudaFree(void* p) {
    if (!p) return cudaSuccess;
    const std::lock_guard lock(memory_mutex);
    const auto found = device_memory.find(p);
    if (found == device_memory.end()) return cudaErrorInvalidValue;
    allocated -= found->second;
    device_memory.erase(found);
    cuda_on_cpu::forget(p);
    std::free(p);
    return cudaSuccess;
}
cudaError_t cudaMallocHost(void** p, size_t bytes) {
    *p = std::malloc(std::max<size_t>(bytes, 1));
    if (*p) std::memset(*p, 0xff, bytes);
    return *p ? cudaSuccess : cudaErrorMemoryAllocation;
}
cudaError_t cudaFreeHost(void* p) {
    std::free(p);
    return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
    *stream = new CUstream_st;
    (*stream)->device = current_device;
    return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    drain(stream);
    delete stream;
    return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    if (stream->capture) return cudaErrorStreamCaptureUnsupported;
    drain(stream);
    return state_of(stream->device);
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
    cuda_on_cpu::enqueue(stream, [other = event->stream, reached = event->reached] {
        if (!*reached) drain(other);
    });
    return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
    cuda_on_cpu::enqueue(stream, [=] { std::memcpy(to, from, bytes); });
    return state_of(stream->device);
}
cudaError_t cudaMemsetAsync(void* p, int value, size_t bytes, cudaStream_t stream) {
    cuda_on_cpu::enqueue(stream, [=] { std::memset(p, value, bytes); });
    return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
    *event = new CUevent_st;
    return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
    delete event;
    return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    event->stream = stream;
    event->reached = std::make_shared<bool>(false);
    cuda_on_cpu::enqueue(stream, [reached = event->reached] { *reached = true; });
    return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    if (!event->stream) return cudaSuccess;
    if (!*event->reached) drain(event->stream);
    return state_of(event->stream->device);
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
    const std::lock_guard lock(stream->mutex);
    if (stream->capture) return cudaErrorInvalidValue;
    stream->capture = new std::vector<Work>;
    return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
    const std::lock_guard lock(stream->mutex);
    if (!stream->capture) return cudaErrorInvalidValue;
    *graph = new CUgraph_st{std::move(*stream->capture)};
    delete stream->capture;
    stream->capture = nullptr;
    return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
    *executable = new CUgraphExec_st{graph->work};
    return cudaSuccess;
}
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t executable, cudaGraph_t graph,
                                cudaGraphExecUpdateResultInfo*) {
    if (executable->work.size() != graph->work.size()) return cudaErrorGraphExecUpdateFailure;
    executable->work = graph->work;
    return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
    cuda_on_cpu::enqueue(stream, [work = executable->work] {
        for (const Work& step : work) step();
    });
    return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    delete graph;
    return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
    delete executable;
    return cudaSuccess;
}
