// Products of a matrix, and of its transpose, with vectors of single or double precision: its rows are read once and used twice.
//
// A matrix X is anything that has `rows` and `columns`, and row i at X[i]. Its entries may be shorter than the numbers that are summed.
#pragma once

#include <algorithm>
#include <cstddef>

#include "simulation/fused.hpp"

namespace dln::simulation {

constexpr int ROWS = 8;                        // that are read together, and again while they are at hand
constexpr int AT_ONCE = REGISTER / 8;          // of them, whose sums stay in registers
constexpr std::ptrdiff_t FULL = -(1LL << 62);  // `first` of a matrix that is not triangular

template <class Matrix>
using EntryOf = std::remove_cvref_t<decltype(*std::declval<const Matrix&>()[0])>;

/// sum + a b, numbers or registers. Where reading takes longer, products are rounded before they are added: all processors can do that.
template <class Entry, class Number>
Number added(Number sum, Number a, Number b) {
    if constexpr (std::is_same_v<Entry, std::int16_t>) {
        return fused(a, b, sum);
    } else {
        return sum + a * b;
    }
}

/// Σ_j x_ij w_j over j ≥ left, of COUNT rows.
template <int COUNT, class Entry, class T>
void dot_rows(const Entry* const* x, std::ptrdiff_t left, std::ptrdiff_t columns, const T* w, T* sums) {
    const std::ptrdiff_t whole = columns - (columns - left) % Lanes<T>::COUNT;
    Lanes<T> lanes[COUNT];
    for (int i = 0; i < COUNT; i++) lanes[i] = T(0);
    for (std::ptrdiff_t j = left; j < whole; j += Lanes<T>::COUNT)
        for (int part = 0; part < Lanes<T>::PARTS; part++) {
            const std::ptrdiff_t at = j + part * WIDTH<T>;
            const Register<T> each = load<T>(w + at);
            for (int i = 0; i < COUNT; i++) lanes[i].part[part] = added<Entry>(lanes[i].part[part], load<T>(x[i] + at), each);
        }
    for (int i = 0; i < COUNT; i++) {
        sums[i] = sum(lanes[i]);
        for (std::ptrdiff_t j = whole; j < columns; j++) sums[i] = added<Entry>(sums[i], T(x[i][j]), w[j]);
    }
}

/// g_j += Σ_i c_i x_ij for j ≥ left, by two chains of sums, half as long.
template <int COUNT, class Entry, class T>
void add_rows(const Entry* const* x, std::ptrdiff_t left, std::ptrdiff_t columns, const T* c, T* g) {
    std::ptrdiff_t j = left;
    Register<T> factors[COUNT];
    for (int i = 0; i < COUNT; i++) factors[i] = c[i] - Register<T>{};
    for (; j + WIDTH<T> <= columns; j += WIDTH<T>) {
        Register<T> chains[2] = {load<T>(g + j), {}};
        for (int i = 0; i < COUNT; i++) chains[i % 2] = added<Entry>(chains[i % 2], factors[i], load<T>(x[i] + j));
        chains[0] += chains[1];
        std::memcpy(g + j, &chains[0], REGISTER);
    }
    for (; j < columns; j++) {
        T chains[2] = {g[j], 0};
        for (int i = 0; i < COUNT; i++) chains[i % 2] = added<Entry>(chains[i % 2], c[i], T(x[i][j]));
        g[j] = chains[0] + chains[1];
    }
}

/// The same of as many rows as a block has.
template <int COUNT, class Entry, class T>
void dot_block(const Entry* const* x, std::ptrdiff_t left, std::ptrdiff_t columns, const T* w, T* sums) {
    constexpr int some = std::min(COUNT, AT_ONCE);
    for (int i = 0; i < COUNT; i += some) dot_rows<some>(x + i, left, columns, w, sums + i);
}

/// Calls `take` with every `ROWS` rows, and with each that is left, from which column on they are read, and the index of the first.
///
/// Entries of row i to the left of column `first` + i have to be zero; some of them are read, to have whole lanes of type T if possible.
template <class T, class Matrix, class Take>
void in_blocks(const Matrix& X, std::ptrdiff_t first, Take take) {
    const auto left = [&](std::ptrdiff_t i) {
        const std::ptrdiff_t lanes = (X.columns - std::max<std::ptrdiff_t>(0, first + i) + Lanes<T>::COUNT - 1) / Lanes<T>::COUNT;
        return std::max<std::ptrdiff_t>(0, X.columns - lanes * Lanes<T>::COUNT);
    };
    std::ptrdiff_t i = 0;
    for (; i + ROWS <= X.rows; i += ROWS) {
        const EntryOf<Matrix>* x[ROWS];
        for (int k = 0; k < ROWS; k++) x[k] = X[i + k];
        take(std::integral_constant<int, ROWS>{}, x, left(i), i);
    }
    for (; i < X.rows; i++) {
        const EntryOf<Matrix>* x[] = {X[i]};
        take(std::integral_constant<int, 1>{}, x, left(i), i);
    }
}

/// r = Xw − y and g = Xᵀr.
template <class Matrix, class T>
void residual_and_force(const Matrix& X, std::ptrdiff_t first, const T* w, const T* y, T* r, T* g) {
    std::fill_n(g, X.columns, T(0));
    in_blocks<T>(X, first, [&, columns = X.columns](auto count, auto x, std::ptrdiff_t left, std::ptrdiff_t i) {
        T own[count];
        dot_block<count>(x, left, columns, w, own);
        for (int k = 0; k < count; k++) r[i + k] = own[k] -= y[i + k];
        add_rows<count>(x, left, columns, own, g);
    });
}

/// r = Xw.
template <class Matrix, class T>
void multiply(const Matrix& X, std::ptrdiff_t first, const T* w, T* r) {
    in_blocks<T>(X, first, [&](auto count, auto x, std::ptrdiff_t left, std::ptrdiff_t i) { dot_block<count>(x, left, X.columns, w, r + i); });
}

/// g += Xᵀc.
template <class Matrix, class T>
void combine(const Matrix& X, std::ptrdiff_t first, const T* c, T* g) {
    in_blocks<T>(X, first, [&](auto count, auto x, std::ptrdiff_t left, std::ptrdiff_t i) { add_rows<count>(x, left, X.columns, c + i, g); });
}

}  // namespace dln::simulation
