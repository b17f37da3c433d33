// The CUDA backend, its kernels executed on the CPU, under the contract of all backends.
#include "kernels/cuda/backend.h"
#include "tests/backend_contract.h"

namespace mho::testing {

std::unique_ptr<Backend> backend_under_test() { return cuda::make_backend(0); }

}  // namespace mho::testing
