// A design X, beside it what is next to X in integers of 16 bits, and products with them as accurate as is asked for.
#pragma once

#include <thread>
#include <variant>

#include "common/flush.hpp"
#include "common/views.hpp"
#include "simulation/arrays.hpp"
#include "simulation/products.hpp"

namespace dln::simulation {

constexpr double SINGLE = 1e-7;   // relative error of products in single precision
constexpr double ROUNDED = 1e-4;  // and of those with columns rounded to integers of 16 bits; of Gaussian entries half of that

/// Xw − y or Xx, and Xᵀ times that.
struct Product {
    Array r, image;
};

/// X (rows, d), zero in row i to the left of column `first` + i.
///
/// `rounded` (rows, d), where it has rows, is next to X in the `units` of each column (d,), but without the `diagonal` (rows,) or (0,) that
/// is kept apart. Rows from `cut` on, if it is not 0, are multiplied apart, by a second thread if there are more `threads` than one: the
/// bits are the same.
struct Design {
    std::variant<Matrix<const float>, Matrix<const double>> X;
    std::ptrdiff_t first;
    Matrix<const std::int16_t> rounded;
    Array units, diagonal;
    std::ptrdiff_t cut;
    int threads;

    std::ptrdiff_t rows() const { return std::visit([](auto X) { return X.rows; }, X); }
    std::ptrdiff_t dimension() const { return std::visit([](auto X) { return X.columns; }, X); }

    /// Xw − y and Xᵀ(Xw − y), in double precision.
    Product residual_and_force(const Array& w, const Array& y) const {
        return std::visit([&](auto X) { return in_halves(X, w, y); }, X);
    }

    /// Xx and XᵀXx, in the fastest of three ways whose relative error is about `error` or less.
    Product products(const Array& x, double error) const {
        const auto* single = std::get_if<Matrix<const float>>(&X);
        if (error < SINGLE || !single) return residual_and_force(x, Array(rows()));
        if (error < ROUNDED || !rounded.rows) return in_halves(*single, std::vector<float>(x.begin(), x.end()), std::vector<float>(rows()));
        return with_integers(x);
    }

    /// Xw.
    Array multiply(const Array& w) const {
        Array r(rows());
        const auto range = [&](auto X, Range part, int) {
            simulation::multiply(rows_from(X, part.begin), part.size(), X.columns, first + part.begin, w.data(), r.data() + part.begin);
        };
        std::visit([&](auto X) { each_half([=](Range part, int half) { range(X, part, half); }); }, X);
        return r;
    }

    /// Xᵀc.
    Array combine(const Array& c) const {
        std::vector<Array> images(halves(), Array(dimension()));
        const auto range = [&](auto X, Range part, int half) {
            double* image = images[half].data();
            simulation::combine(rows_from(X, part.begin), part.size(), X.columns, first + part.begin, c.data() + part.begin, image);
        };
        std::visit([&](auto X) { each_half([=](Range part, int half) { range(X, part, half); }); }, X);
        return together(images);
    }

  private:
    struct Range {
        std::ptrdiff_t begin, end;

        std::ptrdiff_t size() const { return end - begin; }
    };

    int halves() const { return cut > 0 ? 2 : 1; }

    template <class Entry>
    static Matrix<const Entry> rows_from(Matrix<const Entry> X, std::ptrdiff_t begin) {
        return {X[begin], X.rows - begin, X.columns};
    }

    template <class Take>
    void each_half(Take take) const {
        if (!cut) return take(Range{0, rows()}, 0);
        const auto second = [&] { take(Range{cut, rows()}, 1); };
        if (threads < 2) {
            take(Range{0, cut}, 0), second();
        } else {
            const std::jthread beside(second);
            take(Range{0, cut}, 0);
        }
    }

    template <class T>
    static Array together(const std::vector<std::vector<T>>& images) {
        Array sum_of_all(images[0].begin(), images[0].end());
        if (images.size() > 1)
            for (std::size_t j = 0; j < sum_of_all.size(); j++) sum_of_all[j] += images[1][j];
        return sum_of_all;
    }

    template <class Entry, class T>
    Product in_halves(Matrix<const Entry> X, const std::vector<T>& w, const std::vector<T>& y) const {
        std::vector<T> r(rows());
        std::vector<std::vector<T>> images(halves(), std::vector<T>(dimension()));
        each_half([&](Range part, int half) {
            const FlushSubnormals flushing;
            const std::ptrdiff_t i = part.begin;
            simulation::residual_and_force(rows_from(X, i), part.size(), X.columns, first + i, w.data(), y.data() + i, r.data() + i,
                                           images[half].data());
        });
        return {Array(r.begin(), r.end()), together(images)};
    }

    Product with_integers(const Array& x) const {
        std::vector<float> scaled(x.size()), minus(rows());
        for (std::size_t j = 0; j < x.size(); j++) scaled[j] = float(units[j] * x[j]);
        for (std::size_t i = 0; i < diagonal.size(); i++) minus[i] = float(-diagonal[i] * x[first + i]);
        Product result = in_halves(rounded, scaled, minus);
        for (std::size_t j = 0; j < x.size(); j++) result.image[j] *= units[j];
        for (std::size_t i = 0; i < diagonal.size(); i++) result.image[first + i] += diagonal[i] * result.r[i];
        return result;
    }
};

}  // namespace dln::simulation
