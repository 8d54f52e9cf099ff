// A network: its data, its scalar map, and the force h that they make of H, eq. (38).
#pragma once

#include <functional>

#include "simulation/design.hpp"
#include "simulation/point.hpp"

namespace dln::simulation {

using Before = std::function<void()>;  // called before every product with X

/// The residual Xw − y and the force Xᵀ(Xw − y)/δ have `samples` entries, of which those outside the column space of X do not move and enter
/// only by the sum of their squares, `fixed_residual`.
template <class Map>
struct Network {
    const Design& design;
    Map map;
    Array y, teacher;
    double samples, fixed_residual;

    double per_sample() const { return double(teacher.size()) / samples; }

    /// Everything at one time, from H since the `origin`.
    Point at(const Point& origin, double t, Array H) const {
        Point point = weigh(origin, t, std::move(H));
        Product exact = design.residual_and_force(point.w, y);
        point.r = std::move(exact.r), point.force = scaled(per_sample(), std::move(exact.image));
        map.begin(origin, point);
        return point;
    }

    /// As `at`, and whether it is exact; from the exact point `base` on where that gives r to `error` in w.
    std::pair<Shared, bool> near(const Point& origin, const Point& base, double error, double t, Array H) const {
        Point point = weigh(origin, t, std::move(H));
        if (ROUNDED * distance(point.w, base.w) > error) return {std::make_shared<Point>(at(origin, t, std::move(point.H))), true};
        Product followed = field(base, point.w, ROUNDED);
        point.r = std::move(followed.r), point.force = std::move(followed.image);
        map.begin(origin, point);
        return {std::make_shared<Point>(std::move(point)), false};
    }

    /// The residual and the force at w, from those at `base` on with a change that has the relative `error`.
    Product field(const Point& base, const Array& w, double error) const {
        const Product change = design.products(moved(w, -1.0, base.w), error);
        return {moved(base.r, 1.0, change.r), moved(base.force, per_sample(), change.image)};
    }

    /// XᵀXx/δ, how the force changes with w, to the relative `error`.
    Array gram(const Array& x, double error) const { return scaled(per_sample(), design.products(x, error).image); }

    /// Without the residual and the force, and as H has come since the `origin`.
    Point weigh(const Point& origin, double t, Array H) const {
        const std::size_t d = H.size();
        Point point{t, std::move(H), Array(d), Array(d), Array(d), Array(d), {}, {}, {}, {}};
        each_lane(d, [&](auto at) {
            const auto weight = map.weight(origin, t, at, point.H);
            at.store(point.w, weight.w), at.store(point.free, weight.free), at.store(point.k, weight.k);
            at.store(point.unit, weight.unit);
        });
        return point;
    }

    /// x that solves J x = ∂h/∂t at a point.
    Array drift(const Point& point) const {
        Array x(point.H.size());
        each_lane(x.size(), [&](auto at) { at.store(x, map.drift(at(point.free), at(point.k))); });
        return x;
    }
};

}  // namespace dln::simulation
