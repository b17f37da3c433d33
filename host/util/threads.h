// host/util/threads.h - run one function on several threads and bring its first failure back.
#pragma once

#include <functional>

namespace mho {

/// Calls work(0) ... work(threads - 1), each on a thread of its own (work(0) on the caller's where threads is
/// 1), and returns when all have ended. The first exception thrown is rethrown here; the other threads still
/// end by themselves.
void on_threads(int threads, const std::function<void(int)>& work);

}  // namespace mho
