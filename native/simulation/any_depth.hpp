// The scalar map of a network of any depth L but two, eq. (2), from Γ to its weight w = (u^L − v^L)/L.
//
// With μ = (L − 2)λ, u^(2−L) = e^(μτ) (u₀^(2−L) + (L − 2)Γ) and v^(2−L) = e^(μτ) (v₀^(2−L) − (L − 2)Γ) at the time τ after u₀ and v₀, where
// Γ = ∫ e^(−μs) h ds. That is ∫ h over the map's own time σ = (1 − e^(−μτ))/μ. Both begin afresh at every point, so that neither Γ nor
// what it is added to grows without bound.
#pragma once

#include <algorithm>
#include <cmath>

#include "common/functions.hpp"
#include "simulation/depth_two.hpp"

namespace dln::simulation {

/// Γ is a point's H, which is 0 where it begins; `u` and `v` of a point are those at its time where L = 1, else their logarithms.
class AnyDepth {
  public:
    static constexpr double ESTIMATE = 0.3;

    AnyDepth(const Array& u0, const Array& v0, double depth, double weight_decay)
        : depth_(depth), steps_(depth - 2), weight_decay_(weight_decay), speed_(steps_ * weight_decay), highest_(LARGEST_EXPONENT / (2 * depth - 2)) {
        start_ = {0.0, Array(u0.size()), {}, {}, {}, {}, {}, {}, kept(u0), kept(v0)};
    }

    const Point& start() const { return start_; }

    double own(double duration) const {
        if (speed_ == 0) return duration;
        return std::min(-std::expm1(-speed_ * duration) / speed_, MOST_DECAY / std::abs(speed_));
    }
    double elapsed(double own) const { return speed_ == 0 ? own : -std::log1p(-speed_ * own) / speed_; }
    double growth(double duration) const { return std::exp(speed_ * duration); }

    /// With the force that there is no u or v goes more than half of its way to the pole.
    double farthest(const Point& point) const {
        if (linear()) return std::numeric_limits<double>::infinity();
        double fastest = 0.0;
        for (std::size_t j = 0; j < point.u.size(); j++)
            fastest = std::max(fastest, std::abs(point.force[j]) * std::exp(steps_ * (point.force[j] < 0 ? point.u[j] : point.v[j])));
        return 0.5 / (steps_ * fastest);
    }

    /// The weights at the time t that belong to the lanes of Γ since `origin` which `at` loads.
    template <class Lanes>
    Weight weight(const Point& origin, double t, Lanes at, const Array& H) const {
        const auto [u, v] = layers(origin, t, at, H);
        if (linear()) return {u - v, u - v, 2.0, u * u, v * v, 1.0};
        const Reals w = (exponential(depth_ * u) - exponential(depth_ * v)) * (1.0 / depth_), twice = 2 * depth_ - 2;
        return {w, w, exponential(twice * u) + exponential(twice * v), exponential(2.0 * u), exponential(2.0 * v), exponential(steps_ * max(u, v))};
    }

    /// Makes a point at which Γ has come so far since `origin` the one where it begins.
    void begin(const Point& origin, Point& point) const {
        point.u.resize(point.H.size()), point.v.resize(point.H.size());
        each_lane(point.H.size(), [&](auto at) {
            const auto [u, v] = layers(origin, point.t, at, point.H);
            at.store(point.u, u), at.store(point.v, v);
        });
        point.H.assign(point.H.size(), 0.0);
    }

    /// x that solves J x = ∂h/∂σ: −(∂w/∂σ)/k, or 0 where k is.
    Reals drift(const Reals& free, const Reals& k) const { return select(k > 0.0, depth_ * weight_decay_ * free / k, 0.0); }

    bool at_rest_without_force() const { return weight_decay_ == 0; }

    /// Whether u² and v² move by less than `little` in the `rest` of the time, though the force is not zero, and none is about to grow.
    bool settled(const Point& point, double little, double rest) const {
        if (weight_decay_ == 0) return false;
        double squares = 0.0;
        bool growing = false;
        const auto look = [&](double layer, double force) {
            const double pull = linear() ? force / weight_decay_ : force * std::exp(steps_ * layer) / weight_decay_;
            const double speed = linear() ? layer + pull : 2 * std::exp(2 * layer) * (1 + pull);
            squares += weight_decay_ * speed * weight_decay_ * speed;
            growing |= !linear() && pull < -(1 + STANDING);
        };
        for (std::size_t j = 0; j < point.u.size(); j++) look(point.u[j], point.force[j]), look(point.v[j], -point.force[j]);
        const double longest = linear() ? std::min(rest, 1 / weight_decay_) : rest;  // a linear flow approaches its end at the rate λ or faster
        return !growing && std::sqrt(squares / double(point.u.size())) * longest <= little;
    }

  private:
    static constexpr double LARGEST_EXPONENT = 84.0;  // of a slope, which leaves room in single precision
    static constexpr double NEAREST = 1e-300;         // to the pole where u or v would be infinite
    static constexpr double MOST_DECAY = 0.5;         // |μ| times the own time of a step: where w stands still, longer ones are not stable
    static constexpr double STANDING = 1e-6;          // relative rate at which u or v stands still

    struct Layers {
        Reals u, v;
    };

    bool linear() const { return depth_ == 1; }

    Array kept(Array layer) const {
        if (!linear())
            for (double& each : layer) each = std::log(each);
        return layer;
    }

    template <class Lanes>
    Layers layers(const Point& origin, double t, Lanes at, const Array& H) const {
        const double decay = weight_decay_ * (t - origin.t);
        const Reals u = at(origin.u), v = at(origin.v);
        if (linear()) return {std::exp(-decay) * (u - at(H)), std::exp(-decay) * (v + at(H))};
        return {ahead(u, at(H), decay), ahead(v, -at(H), decay)};
    }

    /// log u − λτ − log(1 + x)/(L − 2) with x = (L − 2) Γ u^(L−2).
    Reals ahead(const Reals& log_u, const Reals& H, double decay) const {
        const Reals x = steps_ * H * exponential(steps_ * log_u), sum = max(1.0 + x, NEAREST), moved = sum - 1.0;
        const Reals ratio = select(abs(moved) > 0.0, log(sum) / moved, 1.0);  // makes up for what the sum forgets of x
        const Reals next = log_u - decay - select(x > -0.5, x * ratio, log(sum)) * (1.0 / steps_);
        return min(next, highest_);
    }

    double depth_, steps_, weight_decay_, speed_, highest_;
    Point start_;
};

}  // namespace dln::simulation
