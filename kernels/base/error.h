// kernels/base/error.h - the two ways to fail. A bug of ours is neither: it aborts.
#pragma once

#include <stdexcept>

namespace mho {

/// The user's input is wrong (config, network, data, arguments): the program exits with 2.
/// The message names the file, the place, what was found, what is allowed, and the way out.
struct InputError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A run that was asked for correctly could not go on (disk full, no memory): the program exits with 1.
/// The message says what to do next.
struct RunError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A device stopped working, and so has everything on it; what others do goes on. The message says what
/// happened; what to do next is for whoever has no other device.
struct DeviceError : RunError {
    using RunError::RunError;
};

}  // namespace mho
