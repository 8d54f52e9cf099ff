// The linear algebra of a panel's rows, eqs. (7a), (11), (13), (14): of matrices so small that NumPy's calls take longer than what they do.
//
// A panel has m nodes, n come before it. Where a matrix is singular or not finite there is no result.
#pragma once

#include <numeric>

#include "common/dense.hpp"

namespace dln {

constexpr double MODE_SHARE = 1e-5;      // of the variance of ζ at the end of a panel, below which a component is no mode
constexpr double MODE_FLOOR = 1e-9;      // of that at the start
constexpr double LEAST_VARIANCE = 0.03;  // of the cut, that a component which is wanted is taken to have
constexpr double LEAST_SINGULAR = 1e-10;  // of the largest singular value, that counts in Anderson's combination

/// A panel's rows of two kernels, (m, n + m) each.
struct TwoRows {
    Dense response, correlation;
};

/// R_r = (1 − R_w/δ)⁻¹ and C_r = R_r (C_e + σ²) R_rᵀ on a panel's rows, eq. (11), from those of R_w and C_e; `noise` is σ².
///
/// By blocks: the panel's own block of 1 − R_w/δ is solved for what earlier rows imply, those of R_r and C_r side by side in `known`
/// (n, 2 n).
inline std::optional<TwoRows> implied(const Block& response, const Block& correlation, const Block& known, double aspect_ratio, double noise) {
    const int m = response.rows, size = response.columns, n = size - m;
    Dense memory(m, size), error(m, size), own(m, m), right(m, 2 * size);
    for (int i = 0; i < m; i++)
        for (int j = 0; j < size; j++) {
            memory[i][j] = response.data[i * response.stride + j] / aspect_ratio;
            error[i][j] = correlation.data[i * correlation.stride + j] + noise;
        }
    const Block past(memory, 0, n), before(error, 0, n);
    const Dense earlier = product(past, known);
    const Dense driven = product(before, Block(known.data, n, n, known.stride), true);
    Dense both(m, n);  // what earlier rows of R_r and C_r imply for those of C_r
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) both[i][j] = earlier[i][n + j] + driven[i][j];
    const Dense first = product(both, past, true), second = product(past, driven, true);
    for (int i = 0; i < m; i++) {
        std::copy_n(earlier[i], n, right[i]);
        right[i][n + i] = 1.0;
        std::copy_n(both[i], n, right[i] + size);
        for (int j = 0; j < m; j++) {
            right[i][size + n + j] = error[i][n + j] + first[i][j] + second[i][j];
            own[i][j] = (i == j) - memory[i][n + j];
        }
    }
    const auto both_rows = solved(own, right);
    if (!both_rows) return {};
    TwoRows rows{Dense(m, size), Dense(m, size)};
    const Dense last = product(Block(*both_rows, size + n, 2 * size), Block(*both_rows, n, size), true);
    for (int i = 0; i < m; i++) {
        std::copy_n((*both_rows)[i], size, rows.response[i]);
        std::copy_n((*both_rows)[i] + size, n, rows.correlation[i]);
        std::copy_n(last[i], m, rows.correlation[i] + n);
    }
    return rows;
}

/// Rows of L on a panel (m, rank + new), the weights (m, new) that read its new modes off it, and how many are above the cut.
struct Factor {
    Dense rows, modes;
    int above;
};

/// Rows of L, eq. (14), from rows of C_ζ (m, n + m), whose earlier modes `readout` (n, rank) reads off.
///
/// What these leave unexplained on the panel is split into its principal components, whose coefficients are the panel's new modes; `roots`
/// (m) are the square roots of the panel's quadrature weights, `start` is C_ζ(0, 0). Components below the cut are dropped, unless a block
/// of L, `wanted` (m, new), fixes how many there are, and what they are turned towards.
inline std::optional<Factor> factor(const Block& correlation, const Block& readout, double start, const double* roots,
                                    const std::optional<Block>& wanted) {
    const int m = correlation.rows, n = correlation.columns - m, rank = readout.columns;
    const Dense rows = product(Block(correlation.data, m, n, correlation.stride), readout);
    const Dense explained = product(rows, rows, true);
    Dense remainder(m, m), scaled(m, m);
    for (int i = 0; i < m; i++)
        for (int j = 0; j < m; j++) {
            remainder[i][j] = correlation.data[i * correlation.stride + n + j] - explained[i][j];
            scaled[i][j] = roots[i] * remainder[i][j] * roots[j];
        }
    const auto spectrum = diagonalised(scaled);
    if (!spectrum) return {};
    const double cut = std::max(MODE_FLOOR * start, MODE_SHARE * correlation.data[(m - 1) * correlation.stride + n + m - 1]);
    const int above = std::count_if(spectrum->values.begin(), spectrum->values.end(), [=](double x) { return x > cut; });
    const int count = wanted ? wanted->columns : above;
    Dense modes(m, count);
    for (int k = 0; k < count; k++) {
        const double size = std::sqrt(std::max(spectrum->values[m - 1 - k], LEAST_VARIANCE * cut));
        for (int i = 0; i < m; i++) modes[i][k] = spectrum->vectors[m - 1 - k][i] * roots[i] / size;
    }
    if (wanted && count) {
        const auto turn = orthogonal_factor(product(product(remainder, modes).transposed(), *wanted));
        if (!turn) return {};
        modes = product(modes, *turn);
    }
    Dense columns = product(remainder, modes);
    for (int k = 0; !wanted && k < count; k++) {
        if (columns[m - 1][k] >= 0) continue;
        for (int i = 0; i < m; i++) modes[i][k] *= -1.0, columns[i][k] *= -1.0;
    }
    Dense all(m, rank + count);
    for (int i = 0; i < m; i++) {
        std::copy_n(rows[i], rank, all[i]);
        std::copy_n(columns[i], count, all[i] + rank);
    }
    return Factor{all, modes, above};
}

/// Of what is linear in the noise on a panel: Λ and Δ (m, rank + new), and the rows (m, n + m) that Stein's identity adds to E[e eᵀ].
struct Stein {
    Dense expected, excess, added;
};

/// Λ = R_w L, Δ = Λ − E[e zᵀ] and the rows of Λ Δᵀ + Δ Λᵀ on a panel, eq. (7a).
///
/// From its rows of R_w (m, n + m), of E[e zᵀ] and of L, (m, rank + new) each, E[z eᵀ] of its new modes with earlier nodes, `earlier`
/// (≥ new, n), and L, Λ and Δ on earlier nodes, (n, rank) each.
inline Stein stein(const Block& response, const Block& regression, const Block& earlier, const Block& rows, const Block& factor,
                   const Block& past_expected, const Block& past_excess) {
    const int m = response.rows, n = response.columns - m, rank = factor.columns, all = rows.columns;
    Stein found{product(Block(response.data + n, m, m, response.stride), rows), Dense(m, all), Dense(m, n + m)};
    const Dense before = product(Block(response.data, m, n, response.stride), factor);
    for (int i = 0; i < m; i++) {
        for (int k = 0; k < rank; k++) found.expected[i][k] += before[i][k];
        for (int k = 0; k < all; k++) found.excess[i][k] = found.expected[i][k] - regression.data[i * regression.stride + k];
    }
    const Dense known = product(Block(found.expected, 0, rank), past_excess, true);
    const Dense back = product(Block(found.excess, 0, rank), past_expected, true);
    const Dense fresh = product(Block(found.expected, rank, all), Block(earlier.data, all - rank, n, earlier.stride));
    const Dense own = product(found.expected, found.excess, true);
    for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) found.added[i][j] = known[i][j] + back[i][j] - fresh[i][j];
        for (int j = 0; j < m; j++) found.added[i][n + j] = own[i][j] + own[j][i];
    }
    return found;
}

/// What an iteration changes: in R_r and, relative to the `norm` (m, n + m), in C_r, (2 m, n + m), and the largest of it.
struct Change {
    Dense change, norm;
    double largest;
};

/// The change of the rows of R_r and C_r to the new ones, and its size by eq. (13); `scale` (n) are the roots of C_r(s, s) on earlier
/// nodes, `least` is the least that counts as C_r(t, t).
///
/// The changes of R_r count together, over those of a row relative to the largest row. The largest is infinite where anything is not finite.
inline Change change(const Block& response, const Block& correlation, const Block& new_response, const Block& new_correlation,
                     const double* scale, double least) {
    const int m = response.rows, size = response.columns, n = size - m;
    Change found{Dense(2 * m, size), Dense(m, size), 0.0};
    std::vector<double> across(scale, scale + n);
    for (int i = 0; i < m; i++) across.push_back(std::sqrt(std::max(new_correlation.data[i * new_correlation.stride + n + i], least)));
    double moved = 0.0, whole = 0.0, everything = 0.0;
    for (int i = 0; i < m; i++) {
        double row = 0.0, all_of_row = 0.0;
        for (int j = 0; j < size; j++) {
            const double r = new_response.data[i * new_response.stride + j], c = new_correlation.data[i * new_correlation.stride + j];
            found.norm[i][j] = across[n + i] * across[j];
            found.change[i][j] = r - response.data[i * response.stride + j];
            found.change[m + i][j] = (c - correlation.data[i * correlation.stride + j]) / found.norm[i][j];
            row += found.change[i][j] * found.change[i][j], all_of_row += r * r, everything += r + c;
            found.largest = std::max(found.largest, std::abs(found.change[m + i][j]));
        }
        moved = std::max(moved, row), whole = std::max(whole, all_of_row);
    }
    found.largest = std::isfinite(everything) ? std::max(found.largest, std::sqrt(moved / whole)) : INFINITY;
    return found;
}

/// x⁺ of eq. (13): `point` + `residual` with the combination of `moves` and `changes` (K, X) that cancels the residual best.
inline std::optional<std::vector<double>> mixed(const Block& moves, const Block& changes, const double* point, const double* residual) {
    const int secants = changes.rows, size = changes.columns;
    Dense columns(secants, size);
    for (int k = 0; k < secants; k++) std::copy_n(changes.data + k * changes.stride, size, columns[k]);
    const auto weights = least_squares(columns, {residual, residual + size}, LEAST_SINGULAR);
    if (!weights) return {};
    std::vector<double> next(size);
    for (int j = 0; j < size; j++) next[j] = point[j] + residual[j];
    for (int k = 0; k < secants; k++)
        for (int j = 0; j < size; j++) next[j] -= (*weights)[k] * (moves.data[k * moves.stride + j] + changes.data[k * changes.stride + j]);
    return next;
}

}  // namespace dln
