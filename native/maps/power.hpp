// The scalar map of a network of depth L > 2: w = (p_u^(−L/(L−2)) − p_v^(−L/(L−2)))/L with p = e^((L−2)λt) (P ± (L−2)H).
//
// There is a pole on either side, which paths never reach. P is the mean of u(0)^(2−L) and v(0)^(2−L), H starts at half of their difference
// over L − 2. Integrals over time that make H carry the weight e^(−(L−2)λt).
#pragma once

#include <cmath>

#include "maps/map.hpp"

namespace dln {

/// A depth that is known to the compiler, or with L = 0 one that is a parameter.
template <int L>
struct Power {
    Reals scale;  // P
    double depth;

    struct Graph {
        Reals start;
        double growth, depth;

        double steps() const { return L ? L - 2 : depth - 2; }
        Reals p(const Reals& H) const { return growth * fma(steps(), H, start); }
        Reals falling(const Reals& p) const {  // p^(−L/(L−2))
            if constexpr (L == 3) return 1.0 / (p * p * p);
            if constexpr (L == 4) return 1.0 / (p * p);
            return exp(clamp(-(depth / steps()) * log(p), 690.0));
        }
        Point operator()(const Reals& H) const {
            const Reals pu = max(p(H), 1e-100), pv = max(p(-H), 1e-100), u = falling(pu), v = falling(pv);
            return {(u - v) * (1.0 / depth), growth * (u / pu + v / pv)};
        }
        Reals farthest(const Graph& earlier, const Reals& H) const {
            return max((start - earlier.p(-abs(H)) * (1.0 / growth)) * (1.0 / steps()), 0.0);
        }
        Integers harmless(const Reals& step, const Reals& H) const { return abs(step) < (0.5 / steps()) * (start - steps() * abs(H)); }
        /// Not more than half of the way to the pole.
        Reals shortened(const Reals& step, const Reals& H) const {
            const Reals up = (0.5 / steps()) * (start - steps() * H), down = (0.5 / steps()) * (start + steps() * H);
            return max(-down, min(up, step));
        }
    };
    Graph at(double decay) const { return {scale, std::exp(-0.5 * ((L ? L : depth) - 2) * decay), L ? double(L) : depth}; }
};

}  // namespace dln
