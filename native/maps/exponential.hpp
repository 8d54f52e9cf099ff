// The scalar map of a network of depth two: w = (e^(c − 2H) − e^(c + 2H))/2 with c = log(u(0) v(0)) − 2λt.
#pragma once

#include "maps/map.hpp"

namespace dln {

struct Exponential {
    Reals scale;  // log(u(0) v(0))

    struct Graph {
        Reals c;

        Point operator()(const Reals& H) const {
            const Reals falling = exp(clamp(c - 2.0 * H, 690.0)), rising = exp(clamp(c + 2.0 * H, 690.0));
            return {0.5 * (falling - rising), falling + rising};
        }
        Layers layers(const Point& at, const Reals&) const { return {at.k, 2.0 * at.w, c}; }
        Reals bend(const Reals& H) const {
            const Point at = (*this)(H);
            return -4.0 * at.w / max(at.k, 1e-300);
        }
        Reals farthest(const Graph& earlier, const Reals& H) const {
            return max(0.5 * (max(earlier.c + 2.0 * abs(H), 0.0) - c), 0.0);
        }
        Reals unit(const Reals& H) const { return 1.0 + 1e-3 * abs(H); }
        Integers harmless(const Reals& step, const Reals& H) const { return abs(step) < 0.5 * (1.0 + 1e-3 * abs(H)); }
        /// As diode equations are solved.
        Reals shortened(const Reals& step, const Reals& H) const {
            const Reals size = abs(step), direction = select(step < 0.0, -1.0, 1.0);
            const auto outwards = (step * H > 0.0) & (size > 0.5);
            const Reals move = select(outwards, direction * (0.5 * (1.0 + log(2.0 * max(size, 0.5)))), step);
            return select(c + 2.0 * abs(H + move) > 40.0, clamp(move, 1.0), move);
        }
    };
    Graph at(double decay) const { return {scale + decay}; }
};

}  // namespace dln
