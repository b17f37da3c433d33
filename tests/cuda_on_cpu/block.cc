#include "tests/cuda_on_cpu/block.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#if defined(MHO_SANITIZED)
#include <sanitizer/asan_interface.h>
#endif

namespace cuda_on_cpu {

thread_local Index3 thread_index, block_index;
thread_local Extent3 block_extent, grid_extent;

namespace {

thread_local Block* current_block = nullptr;
constexpr std::byte kGarbage{0xff};  // as float a NaN, as a count far out of range
constexpr size_t kAlignment = 128;

void guard_memory([[maybe_unused]] const std::byte* p, [[maybe_unused]] size_t bytes,
                  [[maybe_unused]] bool guarded) {
#if defined(MHO_SANITIZED)
    if (guarded)
        ASAN_POISON_MEMORY_REGION(p, bytes);
    else
        ASAN_UNPOISON_MEMORY_REGION(p, bytes);
#endif
}

/// The lane that a lane reads from; itself where the source lies outside its part of the warp.
int source_lane(const Collective& c, int lane) {
    const int first = lane & ~(c.width - 1), end = first + c.width;
    switch (c.shuffle) {
        case Shuffle::from:
            return first | (c.arg & (c.width - 1));
        case Shuffle::up:
            return lane - c.arg >= first ? lane - c.arg : lane;
        case Shuffle::down:
            return lane + c.arg < end ? lane + c.arg : lane;
        case Shuffle::exclusive_or:
            return (lane ^ c.arg) < end ? lane ^ c.arg : lane;
    }
    return lane;
}

}  // namespace

Block* Block::current() { return current_block; }

Block::~Block() {
    for (std::byte* stack : all_stacks_) std::free(stack);
}

void Block::fail(const std::string& what) const {
    std::fprintf(stderr, "cuda on cpu: %s (kernel %s, block %u %u %u", what.c_str(), launch_->name.c_str(),
                 block_index.x, block_index.y, block_index.z);
    if (running_) std::fprintf(stderr, ", thread %u %u %u", thread_index.x, thread_index.y, thread_index.z);
    std::fprintf(stderr, ")\n");
    std::abort();
}

std::byte* Block::take_stack() {
    if (free_stacks_.empty()) {
        all_stacks_.push_back(static_cast<std::byte*>(std::aligned_alloc(64, kStackBytes)));
        free_stacks_.push_back(all_stacks_.back());
    }
    std::byte* stack = free_stacks_.back();
    free_stacks_.pop_back();
    return stack;
}

void Block::thread_main() {
    Block& block = *current_block;
    (*block.launch_->kernel)();
    block.running_->state = CudaThread::State::done;
}

void Block::begin_threads() {
    const Extent3& extent = launch_->block;
    const unsigned count = static_cast<unsigned>(extent.count());
    threads_.resize(count);
    order_.resize(count);
    for (unsigned t = 0; t < count; ++t) {
        CudaThread& thread = threads_[t];
        thread.state = CudaThread::State::ready;
        thread.number = t;
        thread.index = {t % extent.x, t / extent.x % extent.y, t / (extent.x * extent.y)};
        thread.fiber.begin(take_stack(), t % Fiber::kSkews, &Block::thread_main);
        order_[t] = launch_->schedule == 1 ? count - 1 - t : t;
    }
    alive_ = count;
    at_barrier_ = 0;
    waiting_lanes_.assign((count + 31) / 32, 0);
    gone_lanes_.assign((count + 31) / 32, 0);
}

void Block::fill_shared() {
    const size_t bytes = std::max<size_t>(launch_->shared_bytes, 1);
    if (shared_capacity_ != bytes) {  // its own allocation of the exact size: sanitizers see its end
        shared_ = {static_cast<std::byte*>(
                       std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment)),
                   std::free};
        shared_capacity_ = bytes;
        guard_memory(shared_.get() + bytes, (bytes + kAlignment - 1) / kAlignment * kAlignment - bytes, true);
    }
    for (const Guard& guard : *launch_->guards) guard_memory(shared_.get() + guard.offset, guard.size, false);
    std::memset(shared_.get(), static_cast<int>(kGarbage), bytes);
    for (const Guard& guard : *launch_->guards) guard_memory(shared_.get() + guard.offset, guard.size, true);
}

void Block::check_guards() const {
    for (const Guard& guard : *launch_->guards) {
        const std::byte* begin = shared_.get() + guard.offset;
        guard_memory(begin, guard.size, false);
        if (std::any_of(begin, begin + guard.size, [](std::byte b) { return b != kGarbage; }))
            fail("a thread wrote past the end of a part of shared memory, into the guard at byte " +
                 std::to_string(guard.offset));
    }
}

void Block::enter(CudaThread& thread) {
    running_ = &thread;
    thread_index = thread.index;
    thread.fiber.enter();
    running_ = nullptr;
    if (thread.state != CudaThread::State::done) return;
    free_stacks_.push_back(thread.fiber.stack());
    --alive_;
    gone_lanes_[thread.warp()] |= 1u << thread.lane();
    if (alive_ > 0 && at_barrier_ == alive_) release_barrier();
}

void Block::run(const Launch& launch, uint64_t number) {
    current_block = this;
    launch_ = &launch;
    number_ = number;
    barriers_ = collectives_ = 0;
    block_extent = launch.block;
    grid_extent = launch.grid;
    block_index = {static_cast<unsigned>(number % launch.grid.x),
                   static_cast<unsigned>(number / launch.grid.x % launch.grid.y),
                   static_cast<unsigned>(number / (uint64_t{launch.grid.x} * launch.grid.y))};
    fill_shared();
    begin_threads();
    on_block_begin(*this);
    std::minstd_rand random(static_cast<uint32_t>(launch.schedule * 7919 + number + 1));
    while (alive_ > 0) {
        if (launch.schedule > 1) std::shuffle(order_.begin(), order_.end(), random);
        bool any = false;
        for (unsigned t : order_) {
            if (threads_[t].state != CudaThread::State::ready) continue;
            any = true;
            enter(threads_[t]);
        }
        if (!any) fail("deadlock: threads wait at a barrier or in a collective that others never reach");
    }
    check_guards();
    current_block = nullptr;
}

void Block::wait_at_barrier(const void* site) {
    CudaThread& self = *running_;
    self.state = CudaThread::State::at_barrier;
    self.barrier_site = site;
    if (++at_barrier_ == alive_) release_barrier();
    self.fiber.leave();  // even the last to arrive: no thread runs ahead of the schedule
}

void Block::release_barrier() {
    const void* site = nullptr;
    for (CudaThread& thread : threads_) {
        if (thread.state != CudaThread::State::at_barrier) continue;
        if (site && thread.barrier_site != site) fail("threads of one block wait at different barriers");
        site = thread.barrier_site;
        thread.state = CudaThread::State::ready;
    }
    at_barrier_ = 0;
    ++barriers_;
}

uint64_t Block::wait_in_collective(const Collective& collective) {
    CudaThread& self = *running_;
    const unsigned warp = self.warp(), first = warp * 32;
    uint32_t mask = collective.mask;
    if (threads_.size() - first < 32) mask &= (1u << (threads_.size() - first)) - 1;  // a last warp not full
    if (!(mask >> self.lane() & 1)) fail("a lane calls a warp's collective whose mask leaves it out");
    if (mask & gone_lanes_[warp]) fail("the mask of a warp's collective names a lane that has returned");
    self.collective = collective;
    self.state = CudaThread::State::in_collective;
    waiting_lanes_[warp] |= 1u << self.lane();
    if ((waiting_lanes_[warp] & mask) == mask)
        act(warp, mask);
    else
        self.fiber.leave();
    return self.result;
}

/// All lanes of the mask have arrived.
void Block::act(unsigned warp, uint32_t mask) {
    ++collectives_;
    CudaThread* lanes = threads_.data() + warp * 32;
    const Collective& first = lanes[std::countr_zero(mask)].collective;
    void* operands[32] = {};
    uint32_t votes = 0;
    for (int lane = 0; lane < 32; ++lane) {
        if (!(mask >> lane & 1)) continue;
        const Collective& c = lanes[lane].collective;
        if (!c.meets(first)) fail("lanes of one warp meet in different collectives");
        operands[lane] = c.operands;
        votes |= (c.value ? 1u : 0u) << lane;
    }
    if (first.kind == Collective::Kind::whole_warp) {
        if (mask != ~0u) fail("a collective of the whole warp misses lanes");
        first.act(operands);
    }
    for (int lane = 0; lane < 32; ++lane) {
        if (!(mask >> lane & 1)) continue;
        CudaThread& thread = lanes[lane];
        if (first.kind == Collective::Kind::ballot) thread.result = votes;
        if (first.kind == Collective::Kind::shuffle) {
            const int source = source_lane(thread.collective, lane);
            if (!(mask >> source & 1)) fail("a shuffle reads a lane that is not in the mask");
            thread.result = lanes[source].collective.value;
        }
    }
    if (first.kind == Collective::Kind::sync) on_warp_sync(*this, warp, mask);
    waiting_lanes_[warp] &= ~mask;
    for (int lane = 0; lane < 32; ++lane)
        if (mask >> lane & 1) lanes[lane].state = CudaThread::State::ready;
}

}  // namespace cuda_on_cpu
