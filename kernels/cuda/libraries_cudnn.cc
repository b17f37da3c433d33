// Products on a GPU: cuBLAS where a layer is one matrix product, cuDNN for windows, our own kernel for
// windows that cuDNN does not take (that one in float32 always).
#include <cublas_v2.h>
#include <cudnn.h>

#include <algorithm>
#include <array>
#include <vector>

#include "kernels/cuda/check.h"
#include "kernels/cuda/libraries.h"

namespace mho::cuda {
namespace {

constexpr size_t kCublasWorkspaceBytes = size_t{32} << 20;  // what cuBLAS advises for an H100

void check_cudnn(cudnnStatus_t status, const char* what) {
    if (status != CUDNN_STATUS_SUCCESS)
        throw DeviceError(std::string("cuDNN failed in ") + what + ": " + cudnnGetErrorString(status));
}

void check_cublas(cublasStatus_t status, const char* what) {
    if (status != CUBLAS_STATUS_SUCCESS)
        throw DeviceError(std::string("cuBLAS failed in ") + what + ": " + cublasGetStatusString(status));
}

/// An owner of one of cuDNN's descriptors.
template <class Descriptor, cudnnStatus_t (*create)(Descriptor*), cudnnStatus_t (*destroy)(Descriptor)>
class Owned {
  public:
    Owned() { check_cudnn(create(&descriptor_), "making a descriptor"); }
    ~Owned() { destroy(descriptor_); }
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;
    operator Descriptor() const { return descriptor_; }

  private:
    Descriptor descriptor_ = nullptr;
};
using TensorDescriptor =
    Owned<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor>;
using FilterDescriptor =
    Owned<cudnnFilterDescriptor_t, cudnnCreateFilterDescriptor, cudnnDestroyFilterDescriptor>;
using ConvolutionDescriptor =
    Owned<cudnnConvolutionDescriptor_t, cudnnCreateConvolutionDescriptor, cudnnDestroyConvolutionDescriptor>;

/// x: images of depth 1, padding equal at both ends. T: float, or uint16_t for bfloat16.
template <class T>
class CudnnProduct : public ProductOf<T> {
  public:
    /// Throws DeviceError where the descriptors are refused; usable() says whether there is an algorithm.
    CudnnProduct(cudnnHandle_t handle, const ProductShape& s)
        : handle_(handle), exact_(s.precision == Precision::f32) {
        const auto extent = [](int64_t value) { return static_cast<int>(value); };
        const auto describe = [&](cudnnTensorDescriptor_t t, const std::vector<int64_t>& d) {
            check_cudnn(cudnnSetTensor4dDescriptor(t, CUDNN_TENSOR_NHWC, kType, extent(d[0]), extent(d[4]),
                                                   extent(d[2]), extent(d[3])),
                        "describing images");
        };
        describe(x_, s.x);
        describe(y_, s.y);
        const Window& w = s.window;
        check_cudnn(
            cudnnSetFilter4dDescriptor(weight_, kType, CUDNN_TENSOR_NHWC, extent(s.y[4]),
                                       extent(s.x[4] / s.groups), extent(w.kernel[1]), extent(w.kernel[2])),
            "describing weights");
        check_cudnn(
            cudnnSetConvolution2dDescriptor(window_, extent(w.pad_begin[1]), extent(w.pad_begin[2]),
                                            extent(w.stride[1]), extent(w.stride[2]), extent(w.dilation[1]),
                                            extent(w.dilation[2]), CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT),
            "describing a window");
        check_cudnn(cudnnSetConvolutionGroupCount(window_, extent(s.groups)), "describing groups");
        ask_for(exact_           ? CUDNN_FMA_MATH
                : sizeof(T) == 2 ? CUDNN_TENSOR_OP_MATH
                                 : CUDNN_DEFAULT_MATH);  // which takes tensor cores, as TF32
        choose_algorithm();
    }
    bool usable() const { return usable_; }
    size_t workspace_bytes() const override { return workspace_bytes_; }

    void run(const T* x, const T* weight, T* y, void* workspace, cudaStream_t stream) override {
        const float one = 1, zero = 0;
        check_cudnn(cudnnSetStream(handle_, stream), "choosing a stream");
        check_cudnn(cudnnConvolutionForward(handle_, &one, x_, x, weight_, weight, window_, algorithm_,
                                            workspace, workspace_bytes_, &zero, y_, y),
                    "a convolution");
    }

  private:
    static constexpr cudnnDataType_t kType = sizeof(T) == 2 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;

    void ask_for(cudnnMathType_t math) {
        check_cudnn(cudnnSetConvolutionMathType(window_, math), "asking for a precision");
    }

    /// The first of cuDNN's suggestions that repeats its bits and keeps to the workspace.
    void choose_algorithm() {
        std::array<cudnnConvolutionFwdAlgoPerf_t, CUDNN_CONVOLUTION_FWD_ALGO_COUNT> found{};
        int count = 0;
        check_cudnn(
            cudnnGetConvolutionForwardAlgorithm_v7(handle_, x_, weight_, window_, y_,
                                                   static_cast<int>(found.size()), &count, found.data()),
            "choosing an algorithm");
        const auto chosen = std::find_if(found.begin(), found.begin() + count, [this](const auto& f) {
            return f.status == CUDNN_STATUS_SUCCESS && f.determinism == CUDNN_DETERMINISTIC &&
                   (f.mathType == CUDNN_FMA_MATH || !exact_) && f.memory <= kMostWorkspaceBytes;
        });
        if (chosen == found.begin() + count) return;
        usable_ = true;
        algorithm_ = chosen->algo;
        workspace_bytes_ = chosen->memory;
        ask_for(chosen->mathType);
    }

    cudnnHandle_t handle_;
    TensorDescriptor x_, y_;
    FilterDescriptor weight_;
    ConvolutionDescriptor window_;
    bool exact_, usable_ = false;
    cudnnConvolutionFwdAlgo_t algorithm_ = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM;
    size_t workspace_bytes_ = 0;
};

/// y = x W' for rows x inputs and outputs x inputs. Row by row is column by column of the transpose: cuBLAS
/// sees y' = W x'.
class CublasProduct : public DeviceProduct {
  public:
    CublasProduct(cublasHandle_t handle, const ProductShape& s)
        : handle_(handle),
          rows_(static_cast<int>(s.x[0] * s.x[1] * s.x[2] * s.x[3])),
          inputs_(static_cast<int>(s.x[4])),
          outputs_(static_cast<int>(s.y[4])),
          compute_(s.precision == Precision::tf32   ? CUBLAS_COMPUTE_32F_FAST_TF32
                   : s.precision == Precision::bf16 ? CUBLAS_COMPUTE_32F_FAST_16BF
                                                    : CUBLAS_COMPUTE_32F_PEDANTIC) {}
    size_t workspace_bytes() const override { return kCublasWorkspaceBytes; }

    void run(const float* x, const float* weight, float* y, void* workspace, cudaStream_t stream) override {
        const float one = 1, zero = 0;
        check_cublas(cublasSetStream(handle_, stream), "choosing a stream");  // forgets the workspace
        check_cublas(cublasSetWorkspace(handle_, workspace, kCublasWorkspaceBytes), "setting a workspace");
        check_cublas(cublasGemmEx(handle_, CUBLAS_OP_T, CUBLAS_OP_N, outputs_, rows_, inputs_, &one, weight,
                                  CUDA_R_32F, inputs_, x, CUDA_R_32F, inputs_, &zero, y, CUDA_R_32F, outputs_,
                                  compute_, CUBLAS_GEMM_DEFAULT),
                     "a matrix product");
    }

  private:
    cublasHandle_t handle_;
    int rows_, inputs_, outputs_;
    cublasComputeType_t compute_;
};

class NvidiaLibraries : public Libraries {
  public:
    NvidiaLibraries() {
        check_cudnn(cudnnCreate(&cudnn_), "starting");
        check_cublas(cublasCreate(&cublas_), "starting");
    }
    ~NvidiaLibraries() override {
        if (cublas_) cublasDestroy(cublas_);
        if (cudnn_) cudnnDestroy(cudnn_);
    }

    std::unique_ptr<DeviceProduct> product(const ProductShape& shape) override {
        if (is_matrix_product(shape)) return std::make_unique<CublasProduct>(cublas_, shape);
        if (needs_direct_product(shape)) return direct_product(shape);
        if (shape.precision == Precision::bf16) {
            auto window = std::make_unique<CudnnProduct<uint16_t>>(cudnn_, shape);
            if (window->usable()) return rounded_to_bf16(std::move(window), shape);
        }
        auto window = std::make_unique<CudnnProduct<float>>(cudnn_, shape);
        if (!window->usable()) return direct_product(shape);
        return window;
    }

  private:
    cudnnHandle_t cudnn_ = nullptr;
    cublasHandle_t cublas_ = nullptr;
};

}  // namespace

std::unique_ptr<Libraries> make_libraries() { return std::make_unique<NvidiaLibraries>(); }

std::string library_versions() {
    const size_t v = cudnnGetVersion();
    return "cuDNN " + std::to_string(v / 10000) + "." + std::to_string(v % 10000 / 100) + "." +
           std::to_string(v % 100);
}

}  // namespace mho::cuda
