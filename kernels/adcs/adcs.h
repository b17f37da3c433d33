// kernels/adcs/adcs.h - every type of converter, listed once: the choices of adc.type, their help and keys,
// the conversions of both backends, the contract's cases and the oracle's rows follow from the list. To add
// one: a file as adc_type.h says, its include and its line here, its row in tests/oracle/adcs.cc,
// docs/physics.md section 4, and the README's table of keys (mho info --config-table prints it).
#pragma once

#include "kernels/adcs/adc_type.h"
#include "kernels/adcs/sar.h"
#include "kernels/adcs/uniform.h"

namespace mho {

/// DO(name, type) for every type.
#define MHO_EACH_ADC_TYPE(DO) \
    DO(uniform, UniformAdc)   \
    DO(sar, SarAdc)

enum class AdcType {
#define MHO_ENUMERATOR(name, Type) name,
    MHO_EACH_ADC_TYPE(MHO_ENUMERATOR)
#undef MHO_ENUMERATOR
};

/// A type as the project knows it.
struct AdcDescription {
    AdcType type;
    const char *name, *help;
};

inline constexpr AdcDescription kAdcTypes[] = {
#define MHO_DESCRIPTION(name, Type) {AdcType::name, #name, Type::kHelp},
    MHO_EACH_ADC_TYPE(MHO_DESCRIPTION)
#undef MHO_DESCRIPTION
};

inline const AdcDescription& description_of(AdcType type) {
    for (const AdcDescription& d : kAdcTypes)
        if (d.type == type) return d;
    return kAdcTypes[0];  // every type is there: the list makes both
}

/// What each type asks of the user.
struct AdcTypeSettings {
#define MHO_SETTINGS(name, Type) Type::Settings name;
    MHO_EACH_ADC_TYPE(MHO_SETTINGS)
#undef MHO_SETTINGS
};

/// Why the settings of a type mean nothing, or "".
inline std::string complaint_of(AdcType type, const AdcTypeSettings& settings, int bits) {
    switch (type) {
#define MHO_COMPLAINT(name, Type) \
    case AdcType::name:           \
        return Type::complaint(settings.name, bits);
        MHO_EACH_ADC_TYPE(MHO_COMPLAINT)
#undef MHO_COMPLAINT
    }
    return "";
}

/// How the converters of one layer find their codes. Plain: passed to kernels.
struct AdcModel {
    AdcType type = AdcType::uniform;
    int32_t numbers = 0, draws = 0;  ///< of each converter, drawn once a chip
#define MHO_MODEL(name, Type) Type name;
    MHO_EACH_ADC_TYPE(MHO_MODEL)
#undef MHO_MODEL

    AdcModel() = default;
    AdcModel(AdcType which, const AdcTypeSettings& settings, int bits)
        : type(which)
#define MHO_MADE(name, Type) , name(settings.name, bits)
              MHO_EACH_ADC_TYPE(MHO_MADE)
#undef MHO_MADE
    {
        switch (type) {
#define MHO_CASE(name, Type)           \
    case AdcType::name:                \
        numbers = Type::numbers(bits); \
        draws = Type::draws(bits);     \
        break;
            MHO_EACH_ADC_TYPE(MHO_CASE)
#undef MHO_CASE
        }
    }

    /// Makes the numbers of one converter. `n(k)`: draw k of its own.
    template <class Draw>
    MHO_HD void make(const Draw& n, Strided<float> own) const {
        switch (type) {
#define MHO_CASE(name, Type) \
    case AdcType::name:      \
        return name.make(n, own);
            MHO_EACH_ADC_TYPE(MHO_CASE)
#undef MHO_CASE
        }
    }

    /// The code of `v`, a column sum in ADC steps, by the converter with numbers `own`.
    MHO_FORMULA float code(float v, Strided<const float> own) const {
        switch (type) {
#define MHO_CASE(name, Type) \
    case AdcType::name:      \
        return name.code(v, own);
            MHO_EACH_ADC_TYPE(MHO_CASE)
#undef MHO_CASE
        }
        return v;
    }
};

}  // namespace mho
