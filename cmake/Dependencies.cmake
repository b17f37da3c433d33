# Everything here is in Debian 12: scripts/setup installs it. An installed mho brings this file along for find_package(mho).
find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(Boost REQUIRED)
find_package(OpenSSL REQUIRED)  # SHA-256 of configs and networks

# Debian ships libonnx without a CMake package.
find_path(ONNX_INCLUDE_DIR onnx/onnx-ml.pb.h REQUIRED)
find_library(ONNX_PROTO_LIBRARY onnx_proto REQUIRED)
add_library(onnx_proto INTERFACE IMPORTED)
target_include_directories(onnx_proto SYSTEM INTERFACE ${ONNX_INCLUDE_DIR})
target_compile_definitions(onnx_proto INTERFACE ONNX_ML=1 ONNX_NAMESPACE=onnx)
target_link_libraries(onnx_proto INTERFACE ${ONNX_PROTO_LIBRARY} protobuf::libprotobuf)

# Debian's oneDNN names OpenCL in its CMake package, which mho does not use: take header and library alone.
find_path(DNNL_INCLUDE_DIR oneapi/dnnl/dnnl.hpp REQUIRED)
find_library(DNNL_LIBRARY dnnl REQUIRED)
add_library(onednn INTERFACE IMPORTED)
target_include_directories(onednn SYSTEM INTERFACE ${DNNL_INCLUDE_DIR})
target_link_libraries(onednn INTERFACE ${DNNL_LIBRARY})
