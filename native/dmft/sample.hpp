// The sampled paths of a problem, as they are read.
#pragma once

#include <cstdint>

#include "common/lanes.hpp"
#include "common/views.hpp"

namespace dln {

constexpr int BLOCK = 64;                       // paths of one stratum
constexpr int IN_BLOCK = BLOCK / Reals::COUNT;  // tiles of these: as many paths as double precision takes at once
constexpr int IN_PAIR = Singles::COUNT / Reals::COUNT;  // tiles that single precision takes at once

/// P paths: modes (≥ rank, P), w*, scale of the map, √c, H(0) and weights (P), the stratum of each block (P / BLOCK).
///
/// Where `folded`, a path stands for its mirror image too, and averages of w are those of w sgn w*. A weight counts as one of the support
/// where |w| > `threshold`.
struct Sample {
    Matrix<const double> modes;
    const double *target, *scale, *root, *origin, *weights;
    const std::int64_t* strata;
    int blocks;
    bool folded;
    double threshold;
};

}  // namespace dln
