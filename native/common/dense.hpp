// Small dense matrices, row after row, and what LAPACK makes of them.
#pragma once

#include <cmath>
#include <optional>
#include <vector>

#include "common/lapack.hpp"
#include "common/views.hpp"

namespace dln {

struct Dense {
    int rows, columns;
    std::vector<double> data;

    Dense(int rows, int columns, double value = 0.0) : rows(rows), columns(columns), data(std::size_t(rows) * columns, value) {}
    double* operator[](int row) { return data.data() + std::ptrdiff_t(row) * columns; }
    const double* operator[](int row) const { return data.data() + std::ptrdiff_t(row) * columns; }
    bool is_finite() const {
        return std::all_of(data.begin(), data.end(), [](double x) { return std::isfinite(x); });
    }
    Dense transposed() const {
        Dense other(columns, rows);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++) other[j][i] = (*this)[i][j];
        return other;
    }
};

/// A block of columns of a matrix.
struct Block {
    const double* data;
    int rows, columns;
    int stride;

    Block(const double* data, int rows, int columns, int stride) : data(data), rows(rows), columns(columns), stride(stride) {}
    Block(const Dense& all) : Block(all.data.data(), all.rows, all.columns, all.columns) {}
    Block(const Dense& all, int first, int last) : Block(all.data.data() + first, all.rows, last - first, all.columns) {}
};

/// A B, or A Bᵀ where `transpose`.
inline Dense product(const Block& A, const Block& B, bool transpose = false) {
    const int columns = transpose ? B.rows : B.columns;
    Dense C(A.rows, columns);
    if (!A.rows || !columns || !A.columns) return C;
    char of_b = transpose ? 'T' : 'N', of_a = 'N';  // the transposed of everything is what Fortran sees
    int m = columns, n = A.rows, k = A.columns, lda = B.stride, ldb = A.stride, ldc = columns;
    double one = 1.0, zero = 0.0;
    lapack::library().dgemm(&of_b, &of_a, &m, &n, &k, &one, const_cast<double*>(B.data), &lda, const_cast<double*>(A.data), &ldb, &zero,
                            C.data.data(), &ldc);
    return C;
}

/// A⁻¹ B; none where A is singular or anything is not finite.
inline std::optional<Dense> solved(const Dense& A, const Dense& B) {
    if (!A.is_finite() || !B.is_finite()) return {};
    Dense a = A.transposed(), b = B.transposed();
    std::vector<int> pivots(A.rows);
    int n = A.rows, right = B.columns, info = 0;
    lapack::library().dgesv(&n, &right, a.data.data(), &n, pivots.data(), b.data.data(), &n, &info);
    if (info) return {};
    return b.transposed();
}

/// Eigenvalues, ascending, and eigenvectors, the rows of `vectors`, of a symmetric matrix; none where that is not finite.
struct Spectrum {
    std::vector<double> values;
    Dense vectors;
};

inline std::optional<Spectrum> diagonalised(const Dense& A) {
    if (!A.is_finite()) return {};
    int n = A.rows, info = 0, work_size = 1 + 6 * n + 2 * n * n, integers = 3 + 5 * n;
    std::vector<double> work(work_size), values(n);
    std::vector<int> integer_work(integers);
    Dense vectors = A;
    char with = 'V', half = 'L';
    lapack::library().dsyevd(&with, &half, &n, vectors.data.data(), &n, values.data(), work.data(), &work_size, integer_work.data(),
                             &integers, &info);
    if (info) return {};
    return Spectrum{values, vectors};
}

/// The orthogonal factor U Vᵀ of a square matrix U S Vᵀ; none where that is not finite.
inline std::optional<Dense> orthogonal_factor(const Dense& A) {
    if (!A.is_finite()) return {};
    int n = A.rows, info = 0, work_size = 32 * n + 64;
    std::vector<double> work(work_size), sizes(n);
    Dense a = A, left(n, n), right(n, n);  // Fortran sees V S Uᵀ: Vᵀ in `left` and U in `right`, as they are read here
    char all = 'A';
    lapack::library().dgesvd(&all, &all, &n, &n, a.data.data(), &n, sizes.data(), left.data.data(), &n, right.data.data(), &n, work.data(),
                             &work_size, &info);
    if (info) return {};
    return product(right, left);
}

/// The shortest x that minimises |A x − b| where singular values below `cut` times the largest count as zero; `columns` are those of A.
inline std::optional<std::vector<double>> least_squares(Dense columns, std::vector<double> b, double cut) {
    int m = columns.columns, n = columns.rows, one = 1, rank = 0, info = 0, query = -1, integers = 0, longest = std::max(m, n);
    if (!columns.is_finite() || !std::all_of(b.begin(), b.end(), [](double x) { return std::isfinite(x); })) return {};
    std::vector<double> sizes(std::min(m, n));
    b.resize(longest);
    double best = 0.0;
    const auto call = [&](double* work, int* size, int* integer_work) {
        lapack::library().dgelsd(&m, &n, &one, columns.data.data(), &m, b.data(), &longest, sizes.data(), &cut, &rank, work, size,
                                 integer_work, &info);
    };
    call(&best, &query, &integers);
    int size = int(best);
    std::vector<double> work(size);
    std::vector<int> integer_work(integers);
    call(work.data(), &size, integer_work.data());
    if (info) return {};
    b.resize(n);
    return b;
}

}  // namespace dln
