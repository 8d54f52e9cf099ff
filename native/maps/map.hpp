// Scalar maps from H to w, eq. (2), which are all that a solver knows of a network's architecture (arXiv 2510.01930).
//
// A map is made for some paths by their `scale`; `at(−2λt)` gives its graph at one time: w and k = −dw/dH, what follows from u and v
// themselves, the `bend` d log k/dH, the unit of H in which Newton's steps are small, which of them are harmless, how others are shortened
// so that w does not overshoot, and the largest |H| at which |w| is no more than at an earlier time. The integral over time that makes H
// carries the weight e^(−(L−2)λt).
#pragma once

#include "common/functions.hpp"

namespace dln {

struct Point {
    Reals w, k;
};

/// u² + v², u² − v² and log |u v|.
struct Layers {
    Reals sum, difference, log_product;
};

}  // namespace dln
