// kernels/host_device.h - one spelling for functions that the CPU and the GPU compile from the same text.
#pragma once

#if defined(__CUDACC__)
#define MHO_HD __host__ __device__
#else
#define MHO_HD
#endif
