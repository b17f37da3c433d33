// tests/cuda_on_cpu/fiber.h - a stack of its own that can be left and entered again: one CUDA thread.
#pragma once

#include <cstddef>
#include <functional>

namespace cuda_on_cpu {

inline constexpr size_t kStackBytes = 64 * 1024;

/// A place to come back to: the registers that a function call keeps lie on the stack at `stack_pointer`.
struct Context {
    void* stack_pointer = nullptr;
    void* fake_stack = nullptr;  // AddressSanitizer's
};

/// Runs work() on a stack of its own until it leaves.
class Fiber {
  public:
    /// `stack`: kStackBytes, reused by later fibers. `skew` < kSkews: stacks that lie alike must not fight
    /// for the same cache sets.
    static constexpr unsigned kSkews = 61;
    void begin(std::byte* stack, unsigned skew, void (*work)());
    /// From the scheduler: goes on where the fiber left.
    void enter();
    /// From within the fiber: back to the scheduler. `last`: it will not be entered again.
    void leave(bool last = false);
    std::byte* stack() const { return stack_; }

  private:
    static void start();

    Context self_, scheduler_;
    std::byte* stack_ = nullptr;
    void (*work_)() = nullptr;
    const void* scheduler_stack_ = nullptr;
    size_t scheduler_stack_bytes_ = 0;
};

}  // namespace cuda_on_cpu
