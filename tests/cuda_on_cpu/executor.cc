#include "tests/cuda_on_cpu/executor.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

#include "tests/cuda_on_cpu/block.h"

namespace cuda_on_cpu {
namespace {

constexpr uint64_t kMaxThreads = 1024;  // of one block, on every GPU so far

std::atomic<uint64_t> schedule{0}, launches{0}, blocks{0}, barriers{0}, collectives{0};

Block& running_block() {
    Block* block = Block::current();
    if (!block) {
        std::fprintf(stderr, "cuda on cpu: device code called outside a kernel\n");
        std::abort();
    }
    return *block;
}

uint64_t collective(const Collective& c) { return running_block().wait_in_collective(c); }

/// Blocks keep their fibers' stacks from launch to launch.
class BlockPool {
  public:
    std::unique_ptr<Block> take() {
        const std::lock_guard lock(mutex_);
        if (free_.empty()) return std::make_unique<Block>();
        std::unique_ptr<Block> block = std::move(free_.back());
        free_.pop_back();
        return block;
    }
    void give_back(std::unique_ptr<Block> block) {
        const std::lock_guard lock(mutex_);
        free_.push_back(std::move(block));
    }

  private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<Block>> free_;
};
BlockPool pool;

/// Block i in the order that the schedule asks for; random ones are a rotation of the reversed order.
uint64_t block_of_turn(uint64_t turn, uint64_t count, uint64_t schedule_seed) {
    if (schedule_seed == 0) return turn;
    return count - 1 - (turn + (schedule_seed - 1) * 7919) % count;
}

unsigned worker_count(uint64_t block_count) {
    if (detects_races()) return 1;  // it watches one thread at a time
    return static_cast<unsigned>(
        std::min<uint64_t>(block_count, std::max(1u, std::thread::hardware_concurrency())));
}

}  // namespace

std::byte* shared_memory() { return running_block().shared(); }

void sync_block() { running_block().wait_at_barrier(__builtin_return_address(0)); }

void sync_warp(uint32_t mask) {
    Collective c{Collective::Kind::sync};
    c.mask = mask;
    collective(c);
}

uint64_t shuffle(Shuffle kind, uint32_t mask, uint64_t value, int arg, int width) {
    Collective c{Collective::Kind::shuffle};
    c.shuffle = kind;
    c.mask = mask;
    c.value = value;
    c.arg = arg;
    c.width = width;
    return collective(c);
}

uint32_t ballot(uint32_t mask, bool predicate) {
    Collective c{Collective::Kind::ballot};
    c.mask = mask;
    c.value = predicate ? 1 : 0;
    return static_cast<uint32_t>(collective(c));
}

void whole_warp(WarpAct act, void* operands) {
    Collective c{Collective::Kind::whole_warp};
    c.mask = ~0u;
    c.act = act;
    c.operands = operands;
    collective(c);
}

void set_schedule(uint64_t seed) { schedule = seed; }

Counts counts() { return {launches, blocks, barriers, collectives}; }

void launch(const char* name, Extent3 grid, Extent3 block, size_t shared_bytes,
            const std::vector<Guard>& guards, const std::function<void()>& kernel) {
    const Launch all{name, grid, block, shared_bytes, &guards, &kernel, schedule, ++launches};
    if (block.count() == 0 || block.count() > kMaxThreads || grid.count() == 0) {
        std::fprintf(stderr, "cuda on cpu: kernel %s launched with %llu blocks of %llu threads\n", name,
                     static_cast<unsigned long long>(grid.count()),
                     static_cast<unsigned long long>(block.count()));
        std::abort();
    }
    const uint64_t count = grid.count();
    blocks += count;
    std::atomic<uint64_t> next{0};
    const auto work = [&] {
        std::unique_ptr<Block> running = pool.take();
        for (uint64_t turn; (turn = next.fetch_add(1)) < count;) {
            running->run(all, block_of_turn(turn, count, all.schedule));
            barriers += running->barriers_passed();
            collectives += running->collectives_acted();
        }
        pool.give_back(std::move(running));
    };
    std::vector<std::jthread> others;
    for (unsigned w = 1; w < worker_count(count); ++w) others.emplace_back(work);
    work();
}

}  // namespace cuda_on_cpu
