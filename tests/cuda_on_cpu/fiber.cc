#include "tests/cuda_on_cpu/fiber.h"

#include <cstdint>

#if defined(MHO_SANITIZED)  // for addresses: nothing here is built under ThreadSanitizer
#include <sanitizer/common_interface_defs.h>
#endif

// Saves what the System V ABI of x86-64 lets a function keep, changes stacks, and takes it back.
extern "C" void mho_switch_stack(void** save, void* stack_pointer);
asm(R"(
.text
.type mho_switch_stack, @function
mho_switch_stack:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size mho_switch_stack, .-mho_switch_stack
)");

namespace cuda_on_cpu {
namespace {

constexpr int kSavedRegisters = 6;
thread_local Fiber* entered = nullptr;

void announce_switch([[maybe_unused]] void** fake_stack, [[maybe_unused]] const void* bottom,
                     [[maybe_unused]] size_t bytes) {
#if defined(MHO_SANITIZED)
    __sanitizer_start_switch_fiber(fake_stack, bottom, bytes);
#endif
}

void finish_switch([[maybe_unused]] void* fake_stack, [[maybe_unused]] const void** old_bottom,
                   [[maybe_unused]] size_t* old_bytes) {
#if defined(MHO_SANITIZED)
    __sanitizer_finish_switch_fiber(fake_stack, old_bottom, old_bytes);
#endif
}

}  // namespace

void Fiber::begin(std::byte* stack, unsigned skew, void (*work)()) {
    stack_ = stack;
    work_ = work;
    // The first entry returns into start(), whose frame begins as after a call: 8 bytes off a multiple of 16.
    void** top = reinterpret_cast<void**>(stack + kStackBytes - 64 - skew * 192);
    *--top = nullptr;
    *--top = reinterpret_cast<void*>(&Fiber::start);
    for (int i = 0; i < kSavedRegisters; ++i) *--top = nullptr;
    self_ = {top, nullptr};
}

void Fiber::enter() {
    Fiber* before = entered;
    entered = this;
    announce_switch(&scheduler_.fake_stack, stack_, kStackBytes);
    mho_switch_stack(&scheduler_.stack_pointer, self_.stack_pointer);
    finish_switch(scheduler_.fake_stack, nullptr, nullptr);
    entered = before;
}

void Fiber::leave(bool last) {
    announce_switch(last ? nullptr : &self_.fake_stack, scheduler_stack_, scheduler_stack_bytes_);
    mho_switch_stack(&self_.stack_pointer, scheduler_.stack_pointer);
    finish_switch(self_.fake_stack, &scheduler_stack_, &scheduler_stack_bytes_);
}

void Fiber::start() {
    Fiber& self = *entered;
    finish_switch(nullptr, &self.scheduler_stack_, &self.scheduler_stack_bytes_);
    self.work_();
    self.leave(true);
}

}  // namespace cuda_on_cpu
