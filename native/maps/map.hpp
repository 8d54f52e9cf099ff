// Scalar maps from H to w, which are all that a solver knows of a network's architecture (arXiv 2510.01930).
//
// A map is made for some paths by their `scale`; `at(−2λt)` gives its graph at one time: w and k = −dw/dH, which of Newton's steps are
// harmless, how others are shortened so that w does not overshoot, and the largest |H| at which |w| is no more than at an earlier time.
#pragma once

#include "common/functions.hpp"

namespace dln {

struct Point {
    Reals w, k;
};

}  // namespace dln
