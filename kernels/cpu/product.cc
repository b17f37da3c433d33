#include "kernels/cpu/product.h"

// From libgomp, which oneDNN runs on; <omp.h> is not there for every compiler.
extern "C" void omp_set_num_threads(int threads);

namespace mho::cpu {
namespace {

using dnnl::memory;
constexpr auto kF32 = memory::data_type::f32;

bool is_flat(const ProductShape& s) {
    return s.x[1] == 1 && s.y[1] == 1 && s.window.kernel[0] == 1 && s.window.pad_begin[0] == 0 &&
           s.window.pad_end[0] == 0;
}

/// Logical extents as oneDNN counts them (N, C, spatial) of a channels-last image.
memory::dims logical(const std::vector<int64_t>& d, bool flat) {
    return flat ? memory::dims{d[0], d[4], d[2], d[3]} : memory::dims{d[0], d[4], d[1], d[2], d[3]};
}

memory::desc image(const std::vector<int64_t>& d, bool flat) {
    return {logical(d, flat), kF32, flat ? memory::format_tag::nhwc : memory::format_tag::ndhwc};
}

memory::dims axes(const std::array<int64_t, 3>& v, bool flat, int64_t less = 0) {
    return flat ? memory::dims{v[1] - less, v[2] - less}
                : memory::dims{v[0] - less, v[1] - less, v[2] - less};
}

memory::dims weight_dims(const ProductShape& s, bool flat) {
    memory::dims d{s.y[4] / s.groups, s.x[4] / s.groups};
    if (s.groups > 1) d.insert(d.begin(), s.groups);
    const memory::dims kernel = axes(s.window.kernel, flat);
    d.insert(d.end(), kernel.begin(), kernel.end());
    return d;
}

memory::desc plain(const memory::dims& d) {
    memory::dims strides(d.size(), 1);
    for (size_t i = d.size(); i-- > 1;) strides[i - 1] = strides[i] * d[i];
    return {d, kF32, strides};
}

dnnl::convolution_forward::primitive_desc describe(const ProductShape& s, bool has_bias,
                                                   const std::optional<Activation>& activation,
                                                   const std::optional<memory::desc>& weight_format) {
    const bool flat = is_flat(s);
    const memory::desc weight =
        weight_format ? *weight_format : memory::desc(weight_dims(s, flat), kF32, memory::format_tag::any);
    const memory::desc bias = has_bias ? memory::desc({s.y[4]}, kF32, memory::format_tag::a) : memory::desc();
    const dnnl::convolution_forward::desc desc(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, image(s.x, flat), weight,
        bias, image(s.y, flat), axes(s.window.stride, flat), axes(s.window.dilation, flat, 1),
        axes(s.window.pad_begin, flat), axes(s.window.pad_end, flat));
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    if (activation && fuses(*activation)) {
        dnnl::post_ops after;
        if (activation->kind == ActivationKind::relu)
            after.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
        else
            after.append_eltwise(1, dnnl::algorithm::eltwise_clip, activation->alpha, activation->beta);
        attributes.set_post_ops(after);
    }
    return {desc, attributes, engine()};
}

}  // namespace

dnnl::engine& engine() {
    static dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
    return cpu;
}

bool fuses(const Activation& activation) {
    return activation.kind == ActivationKind::relu || activation.kind == ActivationKind::clip;
}

Product::Product(const ProductShape& shape, bool has_bias, const std::optional<Activation>& activation,
                 const std::optional<memory::desc>& weight_format)
    : primitive_(describe(shape, has_bias, activation, weight_format)),
      convolution_(primitive_),
      x_(primitive_.src_desc(), engine(), nullptr),
      weight_(primitive_.weights_desc(), engine(), nullptr),
      y_(primitive_.dst_desc(), engine(), nullptr),
      scratch_(primitive_.scratchpad_desc(), engine(), nullptr) {
    if (has_bias) bias_ = memory(primitive_.bias_desc(), engine(), nullptr);
}

void Product::run(dnnl::stream& stream, const float* x, const void* weight, const float* bias, float* y,
                  void* scratch) {
    omp_set_num_threads(1);  // chips and streams are the threads: oneDNN must not start more
    x_.set_data_handle(const_cast<float*>(x));
    weight_.set_data_handle(const_cast<void*>(weight));
    y_.set_data_handle(y);
    scratch_.set_data_handle(scratch);
    std::unordered_map<int, memory> arguments{
        {DNNL_ARG_SRC, x_}, {DNNL_ARG_WEIGHTS, weight_}, {DNNL_ARG_DST, y_}, {DNNL_ARG_SCRATCHPAD, scratch_}};
    if (bias) {
        bias_.set_data_handle(const_cast<float*>(bias));
        arguments.emplace(DNNL_ARG_BIAS, bias_);
    }
    convolution_.execute(stream, arguments);
}

PackedWeight::PackedWeight(const ProductShape& shape, const memory::desc& format)
    : plain_(plain(weight_dims(shape, is_flat(shape))), engine(), nullptr),
      packed_(format, engine()),
      reorder_(plain_, packed_) {}

void PackedWeight::pack(const float* weight) {
    omp_set_num_threads(1);  // chips and streams are the threads: oneDNN must not start more
    plain_.set_data_handle(const_cast<float*>(weight));
    dnnl::stream stream(engine());
    reorder_.execute(stream, plain_, packed_);
    stream.wait();
}

}  // namespace mho::cpu
