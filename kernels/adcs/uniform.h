// kernels/adcs/uniform.h - equal steps: the nearest code. docs/physics.md section 4.
#pragma once

#include "kernels/adcs/adc_type.h"

namespace mho {

struct UniformAdc {
    static constexpr char kHelp[] = "equal steps";
    using Settings = NoSettings;

    float largest_code = 0;

    static std::string complaint(const Settings&, int) { return ""; }

    UniformAdc() = default;
    UniformAdc(const Settings&, int bits) : largest_code(static_cast<float>((int64_t{1} << bits) - 1)) {}
    static int numbers(int) { return 0; }
    static int draws(int) { return 0; }
    template <class Draw>
    MHO_HD void make(const Draw&, Strided<float>) const {}
    /// kernels/cuda/crossbar_codes.h spells it in two instructions of a GPU.
    MHO_FORMULA float code(float v, Strided<const float>) const { return cut(rintf(v), 0.0f, largest_code); }
};

}  // namespace mho
