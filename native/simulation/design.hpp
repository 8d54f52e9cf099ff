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

/// Some rows of a matrix.
template <class Entry>
struct Chosen {
    Matrix<const Entry> X;
    const std::vector<std::int64_t>& numbers;
    std::ptrdiff_t rows, columns;

    const Entry* operator[](std::ptrdiff_t i) const { return X[numbers[i]]; }
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

    /// The same with some rows of an X that is not triangular, a batch of eq. (40), by one thread; `y` is theirs.
    Product batch(const std::vector<std::int64_t>& numbers, const Array& w, const Array& y) const {
        const std::ptrdiff_t count = numbers.size();
        Product product{Array(count), Array(dimension())};
        std::visit([&]<class Entry>(Matrix<const Entry> all) {
            const Chosen<Entry> some{all, numbers, count, all.columns};
            simulation::residual_and_force(some, FULL, w.data(), y.data(), product.r.data(), product.image.data());
        }, X);
        return product;
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
        const auto half = [&](auto part, std::ptrdiff_t begin, int) { simulation::multiply(part, first + begin, w.data(), r.data() + begin); };
        std::visit([&](auto X) { each_half(X, half); }, X);
        return r;
    }

    /// Xᵀc.
    Array combine(const Array& c) const {
        std::vector<Array> images(halves(), Array(dimension()));
        const auto half = [&](auto part, std::ptrdiff_t begin, int i) { simulation::combine(part, first + begin, c.data() + begin, images[i].data()); };
        std::visit([&](auto X) { each_half(X, half); }, X);
        return together(images);
    }

  private:
    int halves() const { return cut > 0 ? 2 : 1; }

    /// Calls `take` with the rows of each half of a matrix, the index of the first of them and that of the half.
    template <class Entry, class Take>
    void each_half(Matrix<const Entry> X, Take take) const {
        if (!cut) return take(X, 0, 0);
        const auto first_half = [&] { take(Matrix<const Entry>{X[0], cut, X.columns}, 0, 0); };
        const auto second_half = [&] { take(Matrix<const Entry>{X[cut], X.rows - cut, X.columns}, cut, 1); };
        if (threads < 2) {
            first_half(), second_half();
        } else {
            std::thread beside(second_half);  // neither half can throw
            first_half();
            beside.join();
        }
    }

    template <class T>
    static Array together(const std::vector<std::vector<T>>& images) {
        Array sum_of_all(images[0].begin(), images[0].end());
        for (std::size_t i = 1; i < images.size(); i++)
            for (std::size_t j = 0; j < sum_of_all.size(); j++) sum_of_all[j] += images[i][j];
        return sum_of_all;
    }

    template <class Entry, class T>
    Product in_halves(Matrix<const Entry> X, const std::vector<T>& w, const std::vector<T>& y) const {
        std::vector<T> r(rows());
        std::vector<std::vector<T>> images(halves(), std::vector<T>(dimension()));
        each_half(X, [&](Matrix<const Entry> half, std::ptrdiff_t begin, int i) {
            const FlushSubnormals flushing;
            simulation::residual_and_force(half, first + begin, w.data(), y.data() + begin, r.data() + begin, images[i].data());
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
