// What drives the paths through one panel of M nodes: the collocation integral B, eq. (9), times the panel's rows of L and R_r.
//
// B is the integral over time that makes H; `quadrature` is that of anything, from its values at the left edge and on the nodes.
#pragma once

#include <vector>

#include "common/views.hpp"
#include "dmft/elimination.hpp"

namespace dln {

/// M rows of a matrix, column after column.
template <int M, class T>
using Rows = std::vector<std::array<T, M>>;

template <int M>
struct Panel {
    int begin;                   // number of its first node
    Square<M, double> integral;  // B
    std::array<std::array<double, M + 1>, M> quadrature;
    Square<M, double> coupling;  // C = B R with its own block of R_r
    Rows<M, double> fields;      // B L, (rank)
    Rows<M, double> memory;      // B R_r on earlier nodes
    Rows<M, float> memory32;
    std::array<double, M> decay;  // −2λt
};

/// B (M, M) as it is kept.
template <int M>
Square<M, double> square(Matrix<const double> matrix) {
    Square<M, double> made;
    for (int i = 0; i < M; i++)
        for (int k = 0; k < M; k++) made[i][k] = matrix[i][k];
    return made;
}

/// M rows of a matrix from the left times B, columns [0, count).
template <int M>
Rows<M, double> integrated(const Square<M, double>& B, Matrix<const double> rows, int count) {
    Rows<M, double> product(count);
    for (int j = 0; j < count; j++)
        for (int i = 0; i < M; i++) {
            product[j][i] = 0.0;
            for (int k = 0; k < M; k++) product[j][i] += B[i][k] * rows[k][j];
        }
    return product;
}

/// The block of M rows on the panel after `begin` nodes.
template <int M>
Square<M, double> block_of(const Rows<M, double>& rows, int begin) {
    Square<M, double> block;
    for (int k = 0; k < M; k++)
        for (int i = 0; i < M; i++) block[i][k] = rows[begin + k][i];
    return block;
}

/// The panel after `begin` nodes, from its rows of L (M, rank) and R_r (M, ≥ begin + M), B (M, M), the quadrature (M, M + 1) and −2λt (M).
template <int M>
Panel<M> panel(int begin, Matrix<const double> factor, Matrix<const double> response, Matrix<const double> integral,
               Matrix<const double> quadrature, const double* decay) {
    Panel<M> made;
    made.begin = begin;
    made.integral = square<M>(integral);
    for (int i = 0; i < M; i++) {
        made.decay[i] = decay[i];
        for (int k = 0; k <= M; k++) made.quadrature[i][k] = quadrature[i][k];
    }
    made.fields = integrated<M>(made.integral, factor, factor.columns);
    made.memory = integrated<M>(made.integral, response, begin + M);
    made.coupling = block_of<M>(made.memory, begin);
    made.memory.resize(begin);
    made.memory32.resize(begin);
    for (int j = 0; j < begin; j++)
        for (int i = 0; i < M; i++) made.memory32[j][i] = static_cast<float>(made.memory[j][i]);
    return made;
}

/// `sums` and Σ_j x[j] of each of the M rows.
template <int M>
Column<M> plus_product(Column<M> sums, const std::array<double, M>* rows, const Reals* x, int count) {
    for (int j = 0; j < count; j++) {
        const Reals each = x[j];
        for (int i = 0; i < M; i++) sums[i] = fma(rows[j][i], each, sums[i]);
    }
    return sums;
}

}  // namespace dln
