// kernels/devices/devices.h - every kind of programming error, listed once: the choices of device.error,
// their help, keys and messages, the samplers of both backends, the contract's cases and the oracle's rows
// follow from the list. To add one: a file as device.h says, its include and its line here, its row in
// tests/oracle/devices.cc, docs/physics.md section 3, and the README's table of keys (mho info --config-table
// prints it).
#pragma once

#include "kernels/devices/device.h"
#include "kernels/devices/lognormal.h"
#include "kernels/devices/none.h"
#include "kernels/devices/normal.h"
#include "kernels/devices/polynomial.h"
#include "kernels/devices/uniform.h"

namespace mho {

/// DO(name, type) for every kind.
#define MHO_EACH_DEVICE_ERROR(DO) \
    DO(none, NoError)             \
    DO(normal, NormalError)       \
    DO(uniform, UniformError)     \
    DO(lognormal, LognormalError) \
    DO(polynomial, PolynomialError)

enum class ErrorKind {
#define MHO_ENUMERATOR(name, Type) name,
    MHO_EACH_DEVICE_ERROR(MHO_ENUMERATOR)
#undef MHO_ENUMERATOR
};

/// A kind as the project knows it.
struct ErrorDescription {
    ErrorKind kind;
    const char *name, *help;
    Draw draw;
    bool scaled, relative, microsiemens;
};

inline constexpr ErrorDescription kDeviceErrors[] = {
#define MHO_DESCRIPTION(name, Type) \
    {ErrorKind::name, #name, Type::kHelp, Type::kDraw, Type::kScaled, Type::kRelative, Type::kMicrosiemens},
    MHO_EACH_DEVICE_ERROR(MHO_DESCRIPTION)
#undef MHO_DESCRIPTION
};

inline const ErrorDescription& description_of(ErrorKind kind) {
    for (const ErrorDescription& d : kDeviceErrors)
        if (d.kind == kind) return d;
    return kDeviceErrors[0];  // every kind is there: the list makes both
}

/// What each kind asks of the user.
struct ErrorSettings {
#define MHO_SETTINGS(name, Type) Type::Settings name;
    MHO_EACH_DEVICE_ERROR(MHO_SETTINGS)
#undef MHO_SETTINGS
};

/// How the cells of one layer deviate. Plain: passed to kernels.
struct ProgrammingError {
    ErrorKind kind = ErrorKind::none;
    Draw draw = Draw::none;
#define MHO_MODEL(name, Type) Type name;
    MHO_EACH_DEVICE_ERROR(MHO_MODEL)
#undef MHO_MODEL

    ProgrammingError() = default;
    ProgrammingError(ErrorKind which, const DeviceSigma& sigma, const ErrorSettings& settings,
                     const DeviceGrid& grid)
        : kind(which),
          draw(description_of(which).draw)
#define MHO_MADE(name, Type) , name(sigma, settings.name, grid)
              MHO_EACH_DEVICE_ERROR(MHO_MADE)
#undef MHO_MADE
    {
    }

    /// `n`: the kind's draw.
    MHO_FORMULA float deviated(float target, float n) const {
        switch (kind) {
#define MHO_CASE(name, Type) \
    case ErrorKind::name:    \
        return name.deviated(target, n);
            MHO_EACH_DEVICE_ERROR(MHO_CASE)
#undef MHO_CASE
        }
        return target;
    }
};

/// Why the settings of `kind` mean nothing, or "".
inline std::string complaint_of(ErrorKind kind, const ErrorSettings& settings) {
    switch (kind) {
#define MHO_COMPLAINT(name, Type) \
    case ErrorKind::name:         \
        return Type::complaint(settings.name);
        MHO_EACH_DEVICE_ERROR(MHO_COMPLAINT)
#undef MHO_COMPLAINT
    }
    return "";
}

}  // namespace mho
