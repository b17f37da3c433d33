// tests/cuda_on_cpu/block.h - one block of CUDA threads while it runs on one OS thread: its fibers, barriers
// and warps.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/cuda_on_cpu/executor.h"
#include "tests/cuda_on_cpu/fiber.h"

namespace cuda_on_cpu {

/// What all blocks of one launch share.
struct Launch {
    std::string name;
    Extent3 grid, block;
    size_t shared_bytes = 0;
    const std::vector<Guard>* guards = nullptr;
    const std::function<void()>* kernel = nullptr;
    uint64_t schedule = 0;
    uint64_t number = 0;  ///< counts launches of the whole program
};

/// What a lane waits for in a collective of its warp.
struct Collective {
    enum class Kind { shuffle, ballot, sync, whole_warp } kind;
    Shuffle shuffle = Shuffle::from;
    uint32_t mask = 0;
    uint64_t value = 0;
    int arg = 0, width = 32;
    WarpAct act = nullptr;
    void* operands = nullptr;

    bool meets(const Collective& other) const {
        return kind == other.kind && shuffle == other.shuffle && mask == other.mask && act == other.act;
    }
};

struct CudaThread {
    enum class State { ready, at_barrier, in_collective, done } state;
    Fiber fiber;
    unsigned number = 0;  ///< in the block
    Index3 index;
    const void* barrier_site = nullptr;
    Collective collective;
    uint64_t result = 0;

    unsigned lane() const { return number % 32; }
    unsigned warp() const { return number / 32; }
};

class Block {
  public:
    ~Block();
    /// Runs block `number` of the launch from begin to end.
    void run(const Launch& launch, uint64_t number);

    static Block* current();  ///< that runs on this OS thread; none outside kernels
    CudaThread& running() { return *running_; }
    bool in_thread() const { return running_ != nullptr; }
    const Launch& launch() const { return *launch_; }
    uint64_t number() const { return number_; }
    uint64_t barriers_passed() const { return barriers_; }
    uint64_t collectives_acted() const { return collectives_; }
    std::byte* shared() { return shared_.get(); }

    void wait_at_barrier(const void* site);
    uint64_t wait_in_collective(const Collective& collective);
    [[noreturn]] void fail(const std::string& what) const;

  private:
    void begin_threads();
    void fill_shared();
    void check_guards() const;
    void enter(CudaThread& thread);
    void release_barrier();
    void act(unsigned warp, uint32_t mask);
    std::byte* take_stack();
    static void thread_main();

    const Launch* launch_ = nullptr;
    uint64_t number_ = 0, barriers_ = 0, collectives_ = 0;
    std::vector<CudaThread> threads_;
    std::vector<unsigned> order_;
    CudaThread* running_ = nullptr;
    unsigned alive_ = 0, at_barrier_ = 0;
    std::vector<uint32_t> waiting_lanes_, gone_lanes_;  // of each warp
    std::unique_ptr<std::byte, void (*)(void*)> shared_{nullptr, nullptr};
    size_t shared_capacity_ = 0;
    std::vector<std::byte*> free_stacks_, all_stacks_;
};

/// Hooks for the race detector, called by the block that runs.
void on_block_begin(const Block& block);
void on_warp_sync(const Block& block, unsigned warp, uint32_t mask);

}  // namespace cuda_on_cpu
