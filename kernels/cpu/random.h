// kernels/cpu/random.h - many draws at once: equal, bit for bit, to kernels/base/normal.h's one at a time.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/base/rng.h"

namespace mho::cpu {

/// Elements first_element .. first_element + out.size() - 1 of `stream`, as raw words.
/// These three throw std::out_of_range where the stream's layer is kLayerLimit or more.
void fill_words(const RandomStream& stream, uint64_t first_element, std::span<uint32_t> out);
/// The same elements as N(0, 1) draws.
void fill_normals(const RandomStream& stream, uint64_t first_element, std::span<float> out);
/// The same elements as uniform draws in (-1, 1).
void fill_uniforms(const RandomStream& stream, uint64_t first_element, std::span<float> out);

}  // namespace mho::cpu
