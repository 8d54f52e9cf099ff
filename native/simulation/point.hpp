// A network at one time, as a step begins and ends with it.
#pragma once

#include <memory>

#include "simulation/functions.hpp"

namespace dln::simulation {

/// A network at the time t: H, w, and `free`, the slope k and the `unit` of a `Weight`, and the force h, of shape (d,), the residual r of
/// shape (rows,); what a map keeps of `u` and `v` where H begins afresh.
struct Point {
    double t;
    Array H, w, free, k, unit, r, force, u, v;
};

using Shared = std::shared_ptr<const Point>;

}  // namespace dln::simulation
