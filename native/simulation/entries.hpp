// Entries of a matrix, of any type, as the numbers that are summed.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "common/lanes.hpp"

namespace dln::simulation {

template <class T>
using Register = Vector<T, REGISTER>;
template <class T>
constexpr int WIDTH = REGISTER / sizeof(T);

// GCC 12 takes conversions apart, so that those of processors are called by name.
#if defined(__AVX512F__)
inline Register<float> converted(const std::int16_t* from) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
}
inline Register<double> converted(const float* from) { return _mm512_cvtps_pd(_mm256_loadu_ps(from)); }
#elif defined(__AVX2__)
inline Register<float> converted(const std::int16_t* from) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
}
inline Register<double> converted(const float* from) { return _mm256_cvtps_pd(_mm_loadu_ps(from)); }
#elif defined(__x86_64__)
inline Register<float> converted(const std::int16_t* from) {
    const __m128i four = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
    return _mm_cvtepi32_ps(_mm_srai_epi32(_mm_unpacklo_epi16(four, four), 16));
}
inline Register<double> converted(const float* from) {
    return _mm_cvtps_pd(_mm_castsi128_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
}
#else
inline Register<float> converted(const std::int16_t* from) {
    Vector<std::int16_t, WIDTH<float> * sizeof(std::int16_t)> entries;
    std::memcpy(&entries, from, sizeof entries);
    return __builtin_convertvector(entries, Register<float>);
}
inline Register<double> converted(const float* from) {
    Vector<float, WIDTH<double> * sizeof(float)> entries;
    std::memcpy(&entries, from, sizeof entries);
    return __builtin_convertvector(entries, Register<double>);
}
#endif

/// A register of entries from `from` on.
template <class T, class Entry>
Register<T> load(const Entry* from) {
    if constexpr (std::is_same_v<T, Entry>) {
        Register<T> entries;
        std::memcpy(&entries, from, REGISTER);
        return entries;
    } else {
        return converted(from);
    }
}

}  // namespace dln::simulation
