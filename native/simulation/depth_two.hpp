// The scalar map of a network of depth two, eq. (2), from H = ∫h to its weight: all that a simulation knows of the architecture.
//
// Of another depth it has to tell the same: where H starts, at a time what belongs to H, and the drift. H moves with h in a time of the
// map's own, which may begin afresh at every point, and H with it.
#pragma once

#include <algorithm>
#include <limits>

#include "simulation/point.hpp"

namespace dln::simulation {

/// A weight w; w without the squares that are clipped, `free`, and the slope k = −d free/dH; u² and v²; the error of u or v, relative where
/// they are positive, that an error of H makes, `unit`.
struct Weight {
    Reals w, free, k, u2, v2, unit;
};

/// w = (u² − v²)/2 with u² = e^(c − 2λt − 2H) and v² = e^(c − 2λt + 2H), c = log|u₀v₀|, each no more than the square of the truncation M.
///
/// H starts at −log|u₀/v₀|/2, so that the factor is the same in both. Every exponential is taken of the whole exponent: neither
/// e^(c − 2λt) nor e^(2H) can overflow alone. A start beyond M is continued so that it is linear in H.
class DepthTwo {
  public:
    static constexpr double ESTIMATE = 0.1;  // of the correction that a step makes is taken for its error

    DepthTwo(const Array& u0, const Array& v0, double weight_decay, double truncation)
        : start_{0.0, Array(u0.size()), {}, {}, {}, {}, {}, {}, {}, {}},
          log_product_(u0.size()),
          weight_decay_(weight_decay),
          ceiling_(std::min(LARGEST_EXPONENT, 2 * std::log(truncation))),
          clipped_(SMOOTH * truncation * truncation) {
        for (std::size_t j = 0; j < u0.size(); j++) {
            const double u = exponent(std::abs(u0[j]), truncation), v = exponent(std::abs(v0[j]), truncation);
            start_.H[j] = (v - u) / 2, log_product_[j] = u + v;
        }
    }

    /// t = 0, and H there.
    const Point& start() const { return start_; }

    /// The map's own time that goes by in a duration, no more than a step may take, and the duration in which some of it does; by what
    /// factor it is longer where it begins afresh after that duration.
    double own(double duration) const { return duration; }
    double elapsed(double own) const { return own; }
    double growth(double) const { return 1.0; }

    /// The longest step worth a try from a point on.
    double farthest(const Point&) const { return std::numeric_limits<double>::infinity(); }

    /// The weights at the time t that belong to the lanes of H which `at` loads.
    template <class Lanes>
    Weight weight(const Point&, double t, Lanes at, const Array& H) const {
        const Reals c = at(log_product_) - 2 * weight_decay_ * t, twice = 2.0 * at(H);
        const Reals u2 = exponential(limited(c - twice)), v2 = exponential(limited(c + twice));
        const Reals u = select(u2 < clipped_, u2, 0.0), v = select(v2 < clipped_, v2, 0.0);
        return {0.5 * (u2 - v2), 0.5 * (u - v), u + v, u2, v2, 1.0};
    }

    /// Nothing begins afresh at a point.
    void begin(const Point&, Point&) const {}

    /// x that solves J x = ∂h/∂t: −(∂ free/∂t)/k, or 0 where k is.
    Reals drift(const Reals& free, const Reals& k) const { return select(k > 0.0, 2 * weight_decay_ * free / k, 0.0); }

    bool at_rest_without_force() const { return weight_decay_ == 0; }
    bool settled(const Point&, double, double) const { return false; }

  private:
    static constexpr double LARGEST_EXPONENT = 60.0;  // far above any weight, and e^60 leaves room in single precision
    static constexpr double SMOOTH = 1 - 1e-12;       // share of the square of the truncation that is below it beyond rounding

    static double exponent(double start, double truncation) {
        const double inside = std::min(start, truncation);
        return std::log(inside) + (start - inside) / inside;
    }
    Reals limited(const Reals& x) const { return select(x > ceiling_, ceiling_, x); }

    Point start_;
    Array log_product_;
    double weight_decay_, ceiling_, clipped_;
};

}  // namespace dln::simulation
