// A matrix in integers of 16 bits, with a unit for each column.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "common/views.hpp"

namespace dln::simulation {

/// Fills the integers Q (rows, d) up to `levels`, the units (d,) and the sums of squares of the columns of X, (d,).
///
/// Q[i, j] units[j] is next to X[i, j], but that the diagonal of a matrix that is triangular from column `first` on is left out.
inline void round_columns(Matrix<const float> X, std::ptrdiff_t first, float levels, Matrix<std::int16_t> Q, float* units, float* squares) {
    const auto left_of = [=](std::ptrdiff_t i) { return std::max<std::ptrdiff_t>(0, first + i + 1); };
    std::vector<float> factors(X.columns);
    std::fill_n(units, X.columns, 0.0F), std::fill_n(squares, X.columns, 0.0F);
    for (std::ptrdiff_t i = 0; i < X.rows; i++) {
        const std::ptrdiff_t left = left_of(i);
        const float* x = X[i];
        if (left > 0) squares[left - 1] += x[left - 1] * x[left - 1];
        for (std::ptrdiff_t j = left; j < X.columns; j++) {
            units[j] = std::max(units[j], std::abs(x[j]));
            squares[j] += x[j] * x[j];
        }
    }
    for (std::ptrdiff_t j = 0; j < X.columns; j++) {
        units[j] /= levels;
        factors[j] = units[j] > 0 ? 1 / units[j] : 0.0F;
    }
    constexpr float SHIFTER = 0x1.8p23F;  // brings the nearest integer into the last bits
    for (std::ptrdiff_t i = 0; i < X.rows; i++) {
        const std::ptrdiff_t left = left_of(i);
        std::fill_n(Q[i], std::min(left, X.columns), std::int16_t(0));
        const float* x = X[i];
        std::int16_t* q = Q[i];
        for (std::ptrdiff_t j = left; j < X.columns; j++) {
            const float nearest = (x[j] * factors[j] + SHIFTER) - SHIFTER;
            q[j] = std::int16_t(int(std::max(-levels, std::min(levels, nearest))));  // also where that is not a number
        }
    }
}

}  // namespace dln::simulation
