// Functions of the Jacobian, φ(hJ)b of eq. (39), by all eigenvalues, for steps too stiff for a Krylov space.
//
// With A = X diag(k) Xᵀ/δ, of shape (rows, rows), J = −(XᵀX/δ) diag(k) has φ_p(hJ)b = b/p! − (h/δ) Xᵀ φ_{p+1}(−hA) X (k b).
#pragma once

#include <algorithm>
#include <memory>

#include "simulation/functions.hpp"
#include "simulation/jacobian.hpp"
#include "simulation/design.hpp"

namespace dln::simulation {

constexpr double SAME = 1e-6;  // relative change of k up to which eigenvalues are used again: the defect of a step makes up for it

/// The eigenvalues of −A for the slopes k (d,), `decay` (rows,), none above zero, and its eigenvectors, one in each row of `vectors`.
struct Spectrum {
    Array k, decay;
    Matrix<const double> vectors;

    double radius() const { return decay.empty() ? 0.0 : -*std::min_element(decay.begin(), decay.end()); }

    /// Whether the slopes have hardly changed.
    bool serves(const Array& slopes) const {
        for (std::size_t j = 0; j < k.size(); j++)
            if (!(std::abs(slopes[j] - k[j]) <= SAME * k[j])) return false;
        return true;
    }
};

class Spectral : public Functions {
  public:
    Spectral(const Design& design, double per_sample, std::shared_ptr<const Spectrum> spectrum, Array b)
        : design_(design), per_sample_(per_sample), spectrum_(std::move(spectrum)), b_(std::move(b)), components_(rows()) {
        const Array image = design_.multiply(product(spectrum_->k, b_));
        simulation::multiply(spectrum_->vectors, FULL, image.data(), components_.data());
    }

    std::ptrdiff_t dimension() const override { return design_.dimension(); }

    /// Nothing is left to do for any step.
    double build(int, double, double h, double) override { return h; }

    Array add(const Array& x, double s, int p, double h) const override {
        const Array along = product(phi(p + 1, h, spectrum_->decay), components_);
        Array inner(rows());
        simulation::combine(spectrum_->vectors, FULL, along.data(), inner.data());
        return moved(moved(x, s * phi_at_zero(p), b_), -s * h * per_sample_, design_.combine(inner));
    }

    double radius() const override { return spectrum_->radius(); }

  private:
    std::ptrdiff_t rows() const { return design_.rows(); }

    const Design& design_;
    double per_sample_;
    std::shared_ptr<const Spectrum> spectrum_;
    Array b_;
    Array components_;
};

}  // namespace dln::simulation
