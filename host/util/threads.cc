#include "host/util/threads.h"

#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace mho {

void on_threads(int threads, const std::function<void(int)>& work) {
    if (threads <= 1) return work(0);
    std::mutex mutex;
    std::exception_ptr failure;
    auto guarded = [&](int thread) {
        try {
            work(thread);
        } catch (...) {
            const std::lock_guard lock(mutex);
            if (!failure) failure = std::current_exception();
        }
    };
    std::vector<std::jthread> running;
    for (int thread = 0; thread < threads; ++thread) running.emplace_back(guarded, thread);
    running.clear();  // joins
    if (failure) std::rethrow_exception(failure);
}

}  // namespace mho
