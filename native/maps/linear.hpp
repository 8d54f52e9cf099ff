// The scalar map of a linear network, depth one: w = u − v = −2 e^(−λt) H, where H starts at −w(0)/2.
#pragma once

#include <cmath>

#include "maps/map.hpp"

namespace dln {

struct Linear {
    Reals scale;  // of no use: the initial values stand in H(0) alone

    struct Graph {
        double shrunk;

        Point operator()(const Reals& H) const { return {-2.0 * shrunk * H, 2.0 * shrunk}; }
        Reals farthest(const Graph&, const Reals&) const { return 1e300; }  // no step overshoots
        Integers harmless(const Reals&, const Reals& H) const { return abs(H) < 1e300; }
        Reals shortened(const Reals& step, const Reals&) const { return step; }
    };
    Graph at(double decay) const { return {std::exp(0.5 * decay)}; }
};

}  // namespace dln
