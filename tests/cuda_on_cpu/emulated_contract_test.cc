// The CUDA backend, its kernels executed on the CPU, under the contract of all backends.
#include "kernels/cuda/backend.h"
#include "tests/backend_contract.h"

namespace mho::testing {

std::unique_ptr<Backend> backend_under_test() { return cuda::make_backend(0); }

#if defined(MHO_SANITIZED)
int layers_a_shard() { return 2; }  // fibers under sanitizers take ten times as long
#else
int layers_a_shard() { return 25; }
#endif

}  // namespace mho::testing
