// How accurate steps of eq. (39) have to be, and how long they become.
#pragma once

#include "simulation/step.hpp"

namespace dln::simulation {

constexpr double LARGEST_GROWTH = 8.0;  // of the step, from one to the next
constexpr double SMALLEST_GROWTH = 0.1;
constexpr double SAFETY = 0.85;       // times the step whose error would be the acceptable one
constexpr double SCALE_FLOOR = 1e-3;  // of the labels: residuals below are followed to this times the tolerance only
constexpr double FLOOR = 1e-15;       // local error that rounding makes of its own, relative to the labels and to the stiffness of the step
constexpr double SETTLED = 1e-4;      // of the tolerance times the labels: how far w may still go where it is at rest
constexpr double REST = 1e-15;        // a force that is rounding error, relative to the labels
constexpr double DEFECT = 100.0;      // times the rounding of the field that its linearisation may have: what is left is part of the defect
constexpr double END_SHARE = 0.3;     // of the acceptable error, of the field at the end of a step: the next may be longer
constexpr double LEAST_SHARE = 0.3, LARGEST_SHARE = 5.0;  // of the acceptable error, of functions of the Jacobian
constexpr double KRYLOV_STIFFNESS = 100.0;                // of a step, at which their share is 1

/// The relative `tolerance` of a flow, the root mean square of its `labels`, and its `end`.
struct Goal {
    double tolerance, labels, end;
};

/// The local error that is acceptable at a point, in w; `stiffness` is that of the step, its length times the spectral radius.
template <class Map>
double acceptable(const Network<Map>& network, const Goal& goal, const Point& point, double stiffness) {
    const double squares = network.fixed_residual + total(point.r.size(), [&](auto at) { return at(point.r) * at(point.r); });
    const double smaller = std::min(std::sqrt(squares / network.samples), distance(point.w, network.teacher));
    const double scale = std::max(smaller, SCALE_FLOOR * goal.labels);
    return std::max(goal.tolerance * scale, FLOOR * (100 + stiffness) * goal.labels);
}

/// What a step has to know to have a local error that is `allowed`.
///
/// The flow may amplify errors of its field by the stiffness, but spreads them over its directions. The error of functions of the
/// Jacobian is estimated as it was before the last direction, and is far less. But in the defect of a stiff step it would pass for
/// nonlinearity and shorten the steps of an almost linear flow.
inline Demands demands(const Goal& goal, double stiffness, double allowed) {
    const double share = 1 / std::max(stiffness, 1.0), rounding = share * goal.tolerance;
    const double functions = std::min(std::max(KRYLOV_STIFFNESS * share, LEAST_SHARE), LARGEST_SHARE);
    return {DEFECT * rounding, rounding, END_SHARE * share * allowed, functions * allowed};
}

/// Of the step after one of length h whose error is so many times the acceptable one; the method has order 3 in it.
inline double next_length(double h, double error) {
    return h * std::min(std::max(SAFETY / std::cbrt(std::max(error, 1e-10)), SMALLEST_GROWTH), LARGEST_GROWTH);
}

/// Whether nothing moves any more but the last bits.
template <class Map>
bool at_rest(const Network<Map>& network, const Goal& goal, const Point& point) {
    return rms(point.force) <= (network.map.at_rest_without_force() ? REST * goal.labels : 0.0) ||
           network.map.settled(point, SETTLED * goal.tolerance * goal.labels, goal.end - point.t);
}

/// Whether steps of length h lead nowhere from t on; also where h is not a number.
inline bool too_short(double h, double t) { return !(h >= std::max(1e-13 * t, SHORTEST)); }

}  // namespace dln::simulation
