// The CPU backend under the contract of all backends.
#include "tests/backend_contract.h"

namespace mho::testing {

std::unique_ptr<Backend> backend_under_test() { return make_cpu_backend(); }

int layers_a_shard() { return 25; }

}  // namespace mho::testing
