// The scalar map of a network of depth L > 2: w = (p_u^(−L/(L−2)) − p_v^(−L/(L−2)))/L with p = e^((L−2)λt) (P ± (L−2)H).
//
// There is a pole on either side, which paths never reach. P is the mean of u(0)^(2−L) and v(0)^(2−L), H starts at half of their difference
// over L − 2.
#pragma once

#include <cmath>

#include "maps/map.hpp"

namespace dln {

struct Power {
    Reals scale;  // P
    double depth;

    struct Graph {
        Reals start;
        double growth, depth, steps;  // L − 2

        Reals p(const Reals& H) const { return growth * fma(steps, H, start); }
        Reals falling(const Reals& p) const {  // p^(−L/(L−2))
            if (depth == 3) return 1.0 / (p * p * p);
            if (depth == 4) return 1.0 / (p * p);
            return exp(clamp(-(depth / steps) * log(p), 690.0));
        }
        Point operator()(const Reals& H) const {
            const Reals pu = max(p(H), 1e-100), pv = max(p(-H), 1e-100), u = falling(pu), v = falling(pv);
            return {(u - v) * (1.0 / depth), growth * (u / pu + v / pv)};
        }
        Reals bend(const Reals& H) const {
            const Reals pu = max(p(H), 1e-100), pv = max(p(-H), 1e-100), u = falling(pu) / pu, v = falling(pv) / pv;
            return (-2.0 * (depth - 1) * growth) * (u / pu - v / pv) / max(u + v, 1e-300);
        }
        Reals square(const Reals& p) const {  // p^(−2/(L−2))
            if (depth == 3) return 1.0 / (p * p);
            if (depth == 4) return 1.0 / p;
            return exp(clamp(-(2.0 / steps) * log(p), 690.0));
        }
        Layers layers(const Point&, const Reals& H) const {
            const Reals pu = max(p(H), 1e-100), pv = max(p(-H), 1e-100), u2 = square(pu), v2 = square(pv);
            return {u2 + v2, u2 - v2, (-1.0 / steps) * log(pu * pv)};
        }
        Reals farthest(const Graph& earlier, const Reals& H) const {
            return max((start - earlier.p(-abs(H)) * (1.0 / growth)) * (1.0 / steps), 0.0);
        }
        /// A share of the distance from the nearer pole: over it k grows by a factor.
        Reals unit(const Reals& H) const { return (0.5 / (depth - 1)) * (start - steps * abs(H)); }
        Integers harmless(const Reals& step, const Reals& H) const { return abs(step) < unit(H); }
        /// To where u or v alone changes w by as much as the tangent says, which is before their poles.
        Reals shortened(const Reals& step, const Reals& H) const {
            const Reals direction = select(step < 0.0, -1.0, 1.0), left = start - steps * (direction * H);
            const Reals share = 1.0 - exp((-steps / depth) * log(1.0 + depth * abs(step) / left));
            return direction * (1.0 / steps) * left * share;
        }
    };
    Graph at(double decay) const { return {scale, std::exp(-0.5 * (depth - 2) * decay), depth, depth - 2}; }
};

}  // namespace dln
