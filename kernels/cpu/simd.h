// kernels/cpu/simd.h - compile a hot loop for several CPUs and take the best at run time. The bits are the
// same in all: loops hold only operations that IEEE 754 defines.
#pragma once

// Resolvers run before a sanitizer is ready, and clang 14 knows no such clones: one version there.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(MHO_SANITIZED)
#define MHO_SIMD_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MHO_SIMD_CLONES
#endif
