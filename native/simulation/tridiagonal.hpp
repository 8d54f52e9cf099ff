// Eigenvalues and eigenvectors of a symmetric tridiagonal matrix.
#pragma once

#include <algorithm>
#include <limits>

#include "simulation/arrays.hpp"

namespace dln::simulation {

constexpr int SWEEPS = 60;  // for one eigenvalue; two are the rule

/// Rotates x and y in their plane: (c x − s y, s x + c y).
inline void rotate(double c, double s, Array& x, Array& y) {
    for (std::size_t i = 0; i < x.size(); i++) {
        const double left = x[i], right = y[i];
        x[i] = c * left - s * right, y[i] = s * left + c * right;
    }
}

/// A matrix of the `diagonal` (m,) and what is `beside` it (m − 1,), taken apart by implicit QL steps (Wilkinson and Reinsch 1971).
///
/// The diagonal becomes the eigenvalues, in no order. Of the orthogonal matrix Q whose columns are the eigenvectors, some rows may be
/// enough: entry j of `columns` begins as what they have in column j of the identity.
inline void diagonalise(Array& diagonal, Array beside, std::vector<Array>& columns) {
    const int m = int(diagonal.size());
    double scale = 0.0;
    for (double each : diagonal) scale = std::max(scale, std::abs(each));
    for (double each : beside) scale = std::max(scale, std::abs(each));
    if (!(scale > 0)) return;
    for (double& each : diagonal) each /= scale;  // so that squares neither vanish nor overflow
    for (double& each : beside) each /= scale;
    beside.resize(m, 0.0);
    const auto couples = [&](int i) {
        return std::abs(beside[i]) > std::numeric_limits<double>::epsilon() * (std::abs(diagonal[i]) + std::abs(diagonal[i + 1]));
    };
    for (int l = 0; l < m; l++)
        for (int sweep = 0; sweep < SWEEPS; sweep++) {
            int end = l;
            while (end < m - 1 && couples(end)) end++;
            if (end == l) break;
            const double half = (diagonal[l + 1] - diagonal[l]) / (2.0 * beside[l]);
            double g = diagonal[end] - diagonal[l] + beside[l] / (half + std::copysign(std::sqrt(half * half + 1.0), half));
            double s = 1.0, c = 1.0, p = 0.0;
            for (int i = end - 1; i >= l; i--) {
                const double f = s * beside[i], b = c * beside[i], r = std::sqrt(f * f + g * g);
                beside[i + 1] = r;
                s = r == 0.0 ? 0.0 : f / r, c = r == 0.0 ? 1.0 : g / r;
                g = diagonal[i + 1] - p;
                const double q = (diagonal[i] - g) * s + 2.0 * c * b;
                p = s * q;
                diagonal[i + 1] = g + p;
                g = c * q - b;
                rotate(c, s, columns[i], columns[i + 1]);
            }
            diagonal[l] -= p, beside[l] = g, beside[end] = 0.0;
        }
    for (double& each : diagonal) each *= scale;
}

}  // namespace dln::simulation
