// Tangents of w in many directions under gradient descent, for blocks of paths that are next to one another.
//
// A direction is a perturbation of ζ that has been made in the past. For each a path keeps δu and δv, and the history of R_r δw as
// coefficients on the memory's basis functions.
#pragma once

#include <algorithm>

#include "common/flush.hpp"
#include "common/functions.hpp"
#include "dmft/sample.hpp"

namespace dln {

/// δu and δv (blocks, `directions`, BLOCK), and histories (blocks, `directions`, `basis`, BLOCK).
struct Directions {
    double *du, *dv;
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

/// u and v, (P) each, their values inside of [−M, M], where they act, and 1 where that is what they are.
struct Walkers {
    double *u, *v, *inner_u, *inner_v, *moving_u, *moving_v;
};

/// A step of gradient descent: its length η, λ, the `truncation` M, and the row of L (rank) of ζ.
struct Step {
    double length, weight_decay, truncation;
    const double* noise;
    std::ptrdiff_t modes;
};

/// u ← u − η (h + λ) T(u) for a tile of one sign; fills what its directions are multiplied by, whose w and h are those times `root` √c.
inline void walk(const Step& step, const Reals& force, const Reals& root, double* outer, double* inner, double* moving, Reals& in_w, Reals& here, Reals& in_step) {
    const Reals rate = step.length * (step.weight_decay + force), free = Reals::load(moving);
    const Reals before = Reals::load(inner);
    here = root * before, in_w = here * free, in_step = 1.0 - rate * free;
    const Reals next = Reals::load(outer) - rate * before;
    next.store(outer);
    clamp(next, step.truncation).store(inner);
    select(abs(next) < step.truncation, 1.0, 0.0).store(moving);
}

/// Takes the tiles of a block, with the `residual` R_r E (P), one step on; returns the lanes' largest |η h|.
inline Reals walk_block(const Sample& sample, const Step& step, const double* residual, const Walkers& at, int block, Factors* factors) {
    Reals largest = 0.0;
    for (int t = 0; t < IN_BLOCK; t++) {
        const std::ptrdiff_t first = std::ptrdiff_t(block) * BLOCK + t * Reals::COUNT;
        Reals force = Reals::load(residual + first);
        for (std::ptrdiff_t k = 0; k < step.modes; k++) force = fma(step.noise[k], Reals::load(sample.modes[k] + first), force);
        const Reals root = Reals::load(sample.root + first);
        force = root * force;
        Factors& f = factors[t];
        walk(step, force, root, at.u + first, at.inner_u + first, at.moving_u + first, f.in_w_u, f.u, f.in_step_u);
        walk(step, -force, root, at.v + first, at.inner_v + first, at.moving_v + first, f.in_w_v, f.v, f.in_step_v);
        largest = max(largest, abs(step.length * force));
    }
    return largest;
}

/// One step of a direction, δh = δw + Σ memory[r] past[r] over r in [begin, rank), which also enters `past` at r = rank.
inline void step_direction(const Factors* factors, double length, const float* memory, std::ptrdiff_t begin, std::ptrdiff_t rank, double* du,
                           double* dv, float* past) {
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
        const Reals along = length * widened(moved + lane);
        fma(-factors[t].u, along, Reals::load(du + lane) * factors[t].in_step_u).store(du + lane);
        fma(factors[t].v, along, Reals::load(dv + lane) * factors[t].in_step_v).store(dv + lane);
    }
}

/// Begins the direction of a unit perturbation of this step.
inline void begin_direction(const Factors* factors, double length, std::ptrdiff_t rank, double* du, double* dv, float* past) {
    for (int t = 0; t < IN_BLOCK; t++) {
        (-length * factors[t].u).store(du + t * Reals::COUNT);
        (length * factors[t].v).store(dv + t * Reals::COUNT);
    }
    std::fill_n(past, (rank + 1) * BLOCK, 0.0f);
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
        const auto first = [&](std::ptrdiff_t m) { return (block * at.directions + m) * BLOCK; };
        for (std::ptrdiff_t m = 0; m < nodes + rank; m++) {
            const std::ptrdiff_t begin = m < nodes + kept ? 0 : m - nodes + 1;
            step_direction(factors, step.length, memory, begin, rank, at.du + first(m), at.dv + first(m), at.past + first(m) * at.basis);
        }
        for (const std::ptrdiff_t m : {nodes + rank, node})
            if (m >= 0) begin_direction(factors, step.length, rank, at.du + first(m), at.dv + first(m), at.past + first(m) * at.basis);
    }
    double lanes[Reals::COUNT], most = 0.0;
    largest.store(lanes);
    for (double lane : lanes) most = lane <= most ? most : lane;  // also what is not a number
    return most;
}

}  // namespace dln
