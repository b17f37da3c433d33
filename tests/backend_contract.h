// tests/backend_contract.h - what every backend must do. The bodies in tests/contract/ are compiled once;
// each backend's program links them and says which backend is meant:
//   operations.cc every kind of step and every listed activation, alone and fused, against plain loops, and
//                 bit by bit against the embedded CPU backend
//   networks.cc   small networks, laid out and fused as lowering chooses, against plain loops over the graph
//   crossbars.cc  random layers on crossbars, every code and output with ==, against plain loops over cells
//   chips.cc      the same (seed, chip) is the same chip: batches, order, reuse of a chip or stream; noise by
//   address
// The race detector runs what launches every kernel: the filter in tests/cuda_on_cpu/CMakeLists.txt says what.
// To add a backend: a file like tests/cpu_contract_test.cc.
#pragma once

#include <memory>

#include "kernels/backend.h"

namespace mho::testing {

// The two are defined by the backend's own program.
std::unique_ptr<Backend> backend_under_test();
/// How many random layers each of the twelve shards of crossbars.cc tries: 25, or fewer where the backend is
/// executed too slowly.
int layers_a_shard();

}  // namespace mho::testing
