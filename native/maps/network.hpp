// The map of a network, by its depth.
#pragma once

#include <stdexcept>

#include "maps/exponential.hpp"
#include "maps/linear.hpp"
#include "maps/power.hpp"

namespace dln {

/// What `run` makes of the function that gives the map of some paths by their `scale`.
template <class Run>
auto with_map(double depth, Run run) {
    if (depth == 2) return run([](const Reals& scale) { return Exponential{scale}; });
    if (depth == 1) return run([](const Reals& scale) { return Linear{scale}; });
    if (depth == 3) return run([](const Reals& scale) { return Power<3>{scale, 3}; });
    if (depth == 4) return run([](const Reals& scale) { return Power<4>{scale, 4}; });
    if (!(depth > 2)) throw std::invalid_argument("depth is neither 1 nor at least 2");
    return run([depth](const Reals& scale) { return Power<0>{scale, depth}; });
}

}  // namespace dln
