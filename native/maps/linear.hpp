// The scalar map of a linear network, depth one: w = u − v = −2 e^(−λt) H, u = e^(−λt) (P − H) and v = e^(−λt) (P + H).
//
// P is the mean of u(0) and v(0), H starts at −w(0)/2.
#pragma once

#include <cmath>

#include "maps/map.hpp"

namespace dln {

struct Linear {
    Reals scale;  // P

    struct Graph {
        Reals start;
        double growth;

        Point operator()(const Reals& H) const { return {-2.0 * growth * H, 2.0 * growth}; }
        Layers layers(const Point&, const Reals& H) const {
            const Reals u = growth * (start - H), v = growth * (start + H);
            return {u * u + v * v, u * u - v * v, log(max(abs(u), 1e-300)) + log(max(abs(v), 1e-300))};
        }
        Reals bend(const Reals&) const { return 0.0; }
        Reals farthest(const Graph&, const Reals&) const { return 1e300; }  // no step overshoots
        Reals unit(const Reals& H) const { return 1.0 + 1e-3 * abs(H); }
        Integers harmless(const Reals&, const Reals& H) const { return abs(H) < 1e300; }
        Reals shortened(const Reals& step, const Reals&) const { return step; }
    };
    Graph at(double decay) const { return {scale, std::exp(0.5 * decay)}; }
};

}  // namespace dln
