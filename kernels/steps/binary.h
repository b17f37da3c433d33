// kernels/steps/binary.h - arithmetic between two values, listed once: enum, names, loops and kernels of both
// backends follow from the list. To add one: a line in the list, its oracle in tests/oracle/graph_oracle.cc,
// its ONNX name in models/onnx.
#pragma once

#include "kernels/base/host_device.h"

namespace mho {

/// DO(kind, sign) for every kind.
#define MHO_EACH_BINARY(DO) \
    DO(add, +)              \
    DO(subtract, -)         \
    DO(multiply, *)         \
    DO(divide, /)

enum class BinaryKind {
#define MHO_ENUMERATOR(kind, sign) kind,
    MHO_EACH_BINARY(MHO_ENUMERATOR)
#undef MHO_ENUMERATOR
};

inline constexpr BinaryKind kBinaries[] = {
#define MHO_ENUMERATOR(kind, sign) BinaryKind::kind,
    MHO_EACH_BINARY(MHO_ENUMERATOR)
#undef MHO_ENUMERATOR
};

inline const char* name_of(BinaryKind kind) {
    switch (kind) {
#define MHO_NAME(kind, sign) \
    case BinaryKind::kind:   \
        return #kind;
        MHO_EACH_BINARY(MHO_NAME)
#undef MHO_NAME
    }
    return "";
}

/// a kind b.
template <class Real>
MHO_HD inline Real combined(BinaryKind kind, Real a, Real b) {
    switch (kind) {
#define MHO_CASE(kind, sign) \
    case BinaryKind::kind:   \
        return a sign b;
        MHO_EACH_BINARY(MHO_CASE)
#undef MHO_CASE
    }
    return a;
}

}  // namespace mho
