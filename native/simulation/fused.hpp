// a b + c in single precision, rounded once, with the same bits on every processor.
#pragma once

#include <cmath>

#include "simulation/entries.hpp"

namespace dln::simulation {

inline float fused(float a, float b, float c) { return std::fma(a, b, c); }

#if defined(__x86_64__) && !defined(__FMA__)
/// By way of double precision, where products are exact. To round a sum twice is to round it once, unless the first time leaves it in the
/// middle between two numbers of single precision, or it is subnormal, which is flushed.
inline Register<float> fused(Register<float> a, Register<float> b, Register<float> c) {
    const auto low = [](__m128 each) { return _mm_cvtps_pd(each); };
    const auto high = [](__m128 each) { return _mm_cvtps_pd(_mm_movehl_ps(each, each)); };
    const __m128d first = low(a) * low(b) + low(c), second = high(a) * high(b) + high(c);
    const __m128i last_bits = _mm_castps_si128(_mm_shuffle_ps(_mm_castpd_ps(first), _mm_castpd_ps(second), 0x88));
    const __m128i middle = _mm_set1_epi32(0x10000000), cut = _mm_set1_epi32(0x1FFFFFFF);
    if (_mm_movemask_epi8(_mm_cmpeq_epi32(_mm_and_si128(last_bits, cut), middle))) [[unlikely]] {
        Register<float> sum;
        for (int i = 0; i < WIDTH<float>; i++) sum[i] = std::fma(a[i], b[i], c[i]);
        return sum;
    }
    return _mm_movelh_ps(_mm_cvtpd_ps(first), _mm_cvtpd_ps(second));
}
#else
inline Register<float> fused(Register<float> a, Register<float> b, Register<float> c) { return dln::fused<float>(a, b, c); }
#endif

}  // namespace dln::simulation
