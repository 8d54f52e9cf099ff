// Steps of gradient descent, eqs. (29) and (30), and the tangents of w in many directions, R_w of eq. (31), for blocks of paths.
//
// A direction is a perturbation of ζ that has been made in the past. For each a path keeps δu and δv, with momentum also how
// they changed in the last step, and the history of R_r δw as coefficients on the memory's basis functions, eq. (35).
#pragma once

#include <algorithm>
#include <cmath>

#include "common/flush.hpp"
#include "common/functions.hpp"
#include "dmft/sample.hpp"

namespace dln {

/// δu and δv (blocks, `directions`, BLOCK), their last changes where there is momentum, and histories (blocks, `directions`, `basis`, BLOCK).
struct Directions {
    double *du, *dv, *last_du, *last_dv;
    float* past;
    std::ptrdiff_t blocks, directions, basis;
};

/// Adds E[δw] in each of the first `count` directions to `mean`; `weights` (blocks, BLOCK).
inline void add_slopes(const double* in_w_u, const double* in_w_v, const double* weights, const Directions& at, std::ptrdiff_t count,
                       double* mean) {
    for (std::ptrdiff_t block = 0; block < at.blocks; block++) {
        Reals a[IN_BLOCK], b[IN_BLOCK];
        for (int t = 0; t < IN_BLOCK; t++) {
            const std::ptrdiff_t path = block * BLOCK + t * Reals::COUNT;
            const Reals weight = Reals::load(weights + path);
            a[t] = weight * Reals::load(in_w_u + path), b[t] = weight * Reals::load(in_w_v + path);
        }
        for (std::ptrdiff_t m = 0; m < count; m++) {
            const double *du = at.du + (block * at.directions + m) * BLOCK, *dv = at.dv + (block * at.directions + m) * BLOCK;
            Reals total = 0.0;
            for (int t = 0; t < IN_BLOCK; t++) {
                total = fma(a[t], Reals::load(du + t * Reals::COUNT), total);
                total = fma(-b[t], Reals::load(dv + t * Reals::COUNT), total);
            }
            mean[m] += sum(total);
        }
    }
}

/// What the directions of a tile of paths are multiplied by: δu and δv in δw, δh in the steps of u and v, and δu and δv in these.
struct Factors {
    Reals in_w_u, in_w_v, u, v, in_step_u, in_step_v;
};

/// u and v, (P) each, their values inside of [−M, M], where they act, 1 where that is what they are, and their last changes.
struct Walkers {
    double *u, *v, *inner_u, *inner_v, *moving_u, *moving_v, *last_u, *last_v;
};

/// A step of gradient descent: its length η, λ, the momentum β, the `truncation` M, the network's depth, and the row of L (rank) of ζ.
struct Step {
    double length, weight_decay, momentum, truncation, depth;
    const double* noise;
    std::ptrdiff_t modes;
};

/// x^p for p = 0, 1, …, 16; of other p that of |x| with the sign of x.
inline Reals power(const Reals& x, double p) {
    if (p == std::floor(p) && p >= 0 && p <= 16) {
        Reals product = 1.0;
        for (int i = 0; i < int(p); i++) product = product * x;
        return product;
    }
    constexpr double SMALLEST = 1e-290, LARGEST_EXPONENT = 690;
    const Reals size = exp(clamp(p * log(max(abs(x), SMALLEST)), LARGEST_EXPONENT));
    return select(x < 0.0, -size, size);
}

/// Where a tile of u is led, and by which step: its arrays' first entries.
struct Walker {
    double *outer, *inner, *moving, *last;
};

/// Eq. (29), u ← u − η (T(u)^(L−1) h + λ T(u)) + β (u − u before), for a tile of one sign; fills what its directions are
/// multiplied by, whose w and h are those times `root` √c.
inline void walk(const Step& step, const Reals& force, const Reals& root, const Walker& at, Reals& in_w, Reals& here, Reals& in_step) {
    const Reals before = Reals::load(at.inner), free = Reals::load(at.moving), outer = Reals::load(at.outer);
    const bool two = step.depth == 2;
    const Reals slope = two ? before : power(before, step.depth - 1), curvature = two ? Reals(1.0) : (step.depth - 1) * power(before, step.depth - 2);
    const Reals rate = step.length * (step.weight_decay + force * curvature);
    here = root * slope, in_w = here * free, in_step = 1.0 - rate * free;
    Reals next = outer - (two ? rate * before : step.length * (step.weight_decay * before + force * slope));
    if (step.momentum) next += step.momentum * Reals::load(at.last), (next - outer).store(at.last);
    next.store(at.outer);
    clamp(next, step.truncation).store(at.inner);
    select(abs(next) < step.truncation, 1.0, 0.0).store(at.moving);
}

/// Takes the tiles of a block, with the `residual` R_r E (P), one step on with h of eq. (30); returns the lanes' largest |η h|.
inline Reals walk_block(const Sample& sample, const Step& step, const double* residual, const Walkers& at, int block, Factors* factors) {
    Reals largest = 0.0;
    for (int t = 0; t < IN_BLOCK; t++) {
        const std::ptrdiff_t first = std::ptrdiff_t(block) * BLOCK + t * Reals::COUNT;
        Reals force = Reals::load(residual + first);
        for (std::ptrdiff_t k = 0; k < step.modes; k++) force = fma(step.noise[k], Reals::load(sample.modes[k] + first), force);
        const Reals root = Reals::load(sample.root + first);
        force = root * force;
        Factors& f = factors[t];
        const auto shifted = [&](double* of) { return of ? of + first : of; };
        walk(step, force, root, {shifted(at.u), shifted(at.inner_u), shifted(at.moving_u), shifted(at.last_u)}, f.in_w_u, f.u, f.in_step_u);
        walk(step, -force, root, {shifted(at.v), shifted(at.inner_v), shifted(at.moving_v), shifted(at.last_v)}, f.in_w_v, f.v, f.in_step_v);
        largest = max(largest, abs(step.length * force));
    }
    return largest;
}

/// A direction of one block.
struct Direction {
    double *du, *dv, *last_du, *last_dv;
    float* past;
};

/// One step of a direction, δh = δw + Σ memory[r] past[r] over r in [begin, rank), which also enters `past` at r = rank.
inline void step_direction(const Factors* factors, const Step& step, const float* memory, std::ptrdiff_t begin, std::ptrdiff_t rank,
                           const Direction& at) {
    const auto& [du, dv, last_du, last_dv, past] = at;
    constexpr int PAIRS_IN_BLOCK = BLOCK / Singles::COUNT;
    Singles change[PAIRS_IN_BLOCK];
    const auto in_w = [&](int t) {
        return factors[t].in_w_u * Reals::load(du + t * Reals::COUNT) - factors[t].in_w_v * Reals::load(dv + t * Reals::COUNT);
    };
    for (int p = 0; p < PAIRS_IN_BLOCK; p++) change[p] = rounded(in_w(IN_PAIR * p), in_w(IN_PAIR * p + 1));
    for (std::ptrdiff_t r = begin; r < rank; r++)
        for (int p = 0; p < PAIRS_IN_BLOCK; p++)
            change[p] = fma(memory[r], Singles::load(past + r * BLOCK + p * Singles::COUNT), change[p]);
    float moved[BLOCK];
    for (int p = 0; p < PAIRS_IN_BLOCK; p++) {
        change[p].store(past + rank * BLOCK + p * Singles::COUNT);
        change[p].store(moved + p * Singles::COUNT);
    }
    for (int t = 0; t < IN_BLOCK; t++) {
        const std::ptrdiff_t lane = t * Reals::COUNT;
        const Reals along = step.length * widened(moved + lane), u = Reals::load(du + lane), v = Reals::load(dv + lane);
        Reals next_u = fma(-factors[t].u, along, u * factors[t].in_step_u), next_v = fma(factors[t].v, along, v * factors[t].in_step_v);
        if (step.momentum) {
            next_u += step.momentum * Reals::load(last_du + lane), next_v += step.momentum * Reals::load(last_dv + lane);
            (next_u - u).store(last_du + lane), (next_v - v).store(last_dv + lane);
        }
        next_u.store(du + lane), next_v.store(dv + lane);
    }
}

/// Begins the direction of a unit perturbation of this step.
inline void begin_direction(const Factors* factors, const Step& step, std::ptrdiff_t rank, const Direction& at) {
    for (int t = 0; t < IN_BLOCK; t++) {
        (-step.length * factors[t].u).store(at.du + t * Reals::COUNT);
        (step.length * factors[t].v).store(at.dv + t * Reals::COUNT);
    }
    if (step.momentum) std::copy_n(at.du, BLOCK, at.last_du), std::copy_n(at.dv, BLOCK, at.last_dv);
    std::fill_n(at.past, (rank + 1) * BLOCK, 0.0f);
}

/// One step of all paths and of their directions: those of `nodes`, then of basis functions, of which `kept` are of the memory as it was
/// reduced last and the others unit perturbations of the steps since, which earlier functions do not see. The perturbation of this step
/// becomes the last direction and, unless that is negative, that of the `node`. Returns the largest |η h|.
inline double descend(const Sample& sample, const Step& step, const double* residual, const float* memory, std::ptrdiff_t rank,
                      std::ptrdiff_t nodes, std::ptrdiff_t kept, std::ptrdiff_t node, const Walkers& walkers, const Directions& at) {
    const FlushSubnormals flushed;
    Reals largest = 0.0;
    for (int block = 0; block < sample.blocks; block++) {
        Factors factors[IN_BLOCK];
        largest = max(largest, walk_block(sample, step, residual, walkers, block, factors));
        const auto direction = [&](std::ptrdiff_t m) {
            const std::ptrdiff_t first = (block * at.directions + m) * BLOCK;
            return Direction{at.du + first, at.dv + first, step.momentum ? at.last_du + first : nullptr, step.momentum ? at.last_dv + first : nullptr,
                             at.past + first * at.basis};
        };
        for (std::ptrdiff_t m = 0; m < nodes + rank; m++) {
            const std::ptrdiff_t begin = m < nodes + kept ? 0 : m - nodes + 1;
            step_direction(factors, step, memory, begin, rank, direction(m));
        }
        for (const std::ptrdiff_t m : {nodes + rank, node})
            if (m >= 0) begin_direction(factors, step, rank, direction(m));
    }
    double lanes[Reals::COUNT], most = 0.0;
    largest.store(lanes);
    for (double lane : lanes) most = lane <= most ? most : lane;  // also what is not a number
    return most;
}

}  // namespace dln
