// r = Xw − y and Xᵀr: the rows of X are read once and used twice.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "common/lanes.hpp"
#include "common/views.hpp"

namespace dln {

#ifdef DLN_WIDE
constexpr int AT_ONCE_BYTES = 64;
#else
constexpr int AT_ONCE_BYTES = 32;  // eight rows' sums and what they are multiplied by stay in sixteen registers
#endif
constexpr int ROWS = 8;

template <class T>
using Part = Vector<T, AT_ONCE_BYTES>;
template <class T>
constexpr int WIDTH = AT_ONCE_BYTES / sizeof(T);

/// Entries of any type as the numbers that are summed. GCC 12 takes conversions apart, so that those of processors are called by name.
template <class T, class Entry>
inline Part<T> load(const Entry* from) {
    if constexpr (std::is_same_v<T, Entry>) {
        Part<T> loaded;
        std::memcpy(&loaded, from, sizeof loaded);
        return loaded;
    }
#if defined(__AVX512F__) && defined(DLN_WIDE)
    if constexpr (std::is_same_v<Entry, float>) return Part<T>(_mm512_cvtps_pd(_mm256_loadu_ps(from)));
    if constexpr (std::is_same_v<Entry, std::int16_t>)
        return Part<T>(_mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)))));
#elif defined(__AVX2__)
    if constexpr (std::is_same_v<Entry, float>) return Part<T>(_mm256_cvtps_pd(_mm_loadu_ps(from)));
    if constexpr (std::is_same_v<Entry, std::int16_t>)
        return Part<T>(_mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)))));
#endif
    Vector<Entry, WIDTH<T> * sizeof(Entry)> entries;
    std::memcpy(&entries, from, sizeof entries);
    return __builtin_convertvector(entries, Part<T>);
}

/// Rows of X from column `left` on: fills r, and adds to Xᵀr.
template <int COUNT, class Entry, class T>
void take_rows(Matrix<const Entry> X, std::ptrdiff_t left, const T* w, const T* y, T* r, T* g) {
    const Entry* x[COUNT];
    for (int i = 0; i < COUNT; i++) x[i] = X[i];
    const std::ptrdiff_t columns = X.columns;
    const std::ptrdiff_t whole = columns - (columns - left) % WIDTH<T>;
    Part<T> sums[COUNT] = {};
    for (std::ptrdiff_t j = left; j < whole; j += WIDTH<T>) {
        const Part<T> each = load<T>(w + j);
        for (int i = 0; i < COUNT; i++) sums[i] += load<T>(x[i] + j) * each;
    }
    T own[COUNT];
    for (int i = 0; i < COUNT; i++) {
        own[i] = sum<T, AT_ONCE_BYTES>(sums[i]) - y[i];
        for (std::ptrdiff_t j = whole; j < columns; j++) own[i] += T(x[i][j]) * w[j];
        r[i] = own[i];
    }
    for (std::ptrdiff_t j = left; j < whole; j += WIDTH<T>) {
        Part<T> pairs[2] = {load<T>(g + j), {}};  // two chains of sums, half as long
        for (int i = 0; i < COUNT; i++) pairs[i % 2] += own[i] * load<T>(x[i] + j);
        pairs[0] += pairs[1];
        std::memcpy(g + j, &pairs[0], AT_ONCE_BYTES);
    }
    for (std::ptrdiff_t j = whole; j < columns; j++)
        for (int i = 0; i < COUNT; i++) g[j] += own[i] * T(x[i][j]);
}

/// Entries of row i to the left of column `first` + i have to be zero; all but up to seven of them are not read.
template <class Entry, class T>
void residual_and_force(Matrix<const Entry> X, const T* w, const T* y, std::ptrdiff_t first, T* r, T* g) {
    std::fill_n(g, X.columns, T(0));
    std::ptrdiff_t i = 0;
    for (; i + ROWS <= X.rows; i += ROWS) {
        take_rows<ROWS>(Matrix<const Entry>{X[i], ROWS, X.columns}, std::max<std::ptrdiff_t>(0, first + i), w, y + i, r + i, g);
    }
    for (; i < X.rows; i++) {
        take_rows<1>(Matrix<const Entry>{X[i], 1, X.columns}, std::max<std::ptrdiff_t>(0, first + i), w, y + i, r + i, g);
    }
}

}  // namespace dln
