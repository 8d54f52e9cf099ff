// Tangents of w in many directions under gradient descent, for blocks of paths that are next to one another.
//
// A direction is a perturbation of ζ that has been made in the past. For each a path keeps δu and δv, and the history of R_r δw as
// coefficients on the memory's basis functions.
#pragma once

#include <vector>

#include "common/flush.hpp"
#include "dmft/sample.hpp"

namespace dln {

/// Numbers that paths multiply δu and δv by, (blocks, BLOCK) each: in δw, u and v in the force, and in a step.
struct Factors {
    const double *in_w_u, *in_w_v, *u, *v, *in_step_u, *in_step_v;
};

/// δu and δv (blocks, `directions`, BLOCK), and histories (blocks, `directions`, `basis`, BLOCK), of which the first `count` are followed.
struct Directions {
    double *du, *dv;
    float* past;
    std::ptrdiff_t blocks, directions, basis, count;
};

/// Adds E[δw] in each direction to `mean` (count); `weights` (blocks, BLOCK).
inline void add_slopes(const double* in_w_u, const double* in_w_v, const double* weights, const Directions& at, double* mean) {
    for (std::ptrdiff_t block = 0; block < at.blocks; block++) {
        Reals a[IN_BLOCK], b[IN_BLOCK];
        for (int t = 0; t < IN_BLOCK; t++) {
            const std::ptrdiff_t path = block * BLOCK + t * Reals::COUNT;
            const Reals weight = Reals::load(weights + path);
            a[t] = weight * Reals::load(in_w_u + path), b[t] = weight * Reals::load(in_w_v + path);
        }
        for (std::ptrdiff_t m = 0; m < at.count; m++) {
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

/// One step of length η for the directions, δh = δw + Σ memory[r] past[r], r < `rank`, which also enters `past` at r = `rank`.
inline void step_directions(const Factors& factors, double step, const float* memory, std::ptrdiff_t rank, const Directions& at) {
    const FlushSubnormals flushed;
    for (std::ptrdiff_t block = 0; block < at.blocks; block++)
        for (std::ptrdiff_t m = 0; m < at.count; m++) {
            double* du = at.du + (block * at.directions + m) * BLOCK;
            double* dv = at.dv + (block * at.directions + m) * BLOCK;
            float* past = at.past + (block * at.directions + m) * at.basis * BLOCK;
            const auto in_w = [&](int t) {
                const std::ptrdiff_t path = block * BLOCK + t * Reals::COUNT, lane = t * Reals::COUNT;
                return Reals::load(factors.in_w_u + path) * Reals::load(du + lane) - Reals::load(factors.in_w_v + path) * Reals::load(dv + lane);
            };
            constexpr int PAIRS_IN_BLOCK = BLOCK / Singles::COUNT;
            Singles change[PAIRS_IN_BLOCK];
            for (int p = 0; p < PAIRS_IN_BLOCK; p++) change[p] = rounded(in_w(IN_PAIR * p), in_w(IN_PAIR * p + 1));
            for (std::ptrdiff_t r = 0; r < rank; r++)
                for (int p = 0; p < PAIRS_IN_BLOCK; p++)
                    change[p] = fma(memory[r], Singles::load(past + r * BLOCK + p * Singles::COUNT), change[p]);
            float moved[BLOCK];
            for (int p = 0; p < PAIRS_IN_BLOCK; p++) {
                change[p].store(past + rank * BLOCK + p * Singles::COUNT);
                change[p].store(moved + p * Singles::COUNT);
            }
            for (int t = 0; t < IN_BLOCK; t++) {
                const std::ptrdiff_t path = block * BLOCK + t * Reals::COUNT, lane = t * Reals::COUNT;
                const Reals along = step * widened(moved + lane);
                fma(-Reals::load(factors.u + path), along, Reals::load(du + lane) * Reals::load(factors.in_step_u + path)).store(du + lane);
                fma(Reals::load(factors.v + path), along, Reals::load(dv + lane) * Reals::load(factors.in_step_v + path)).store(dv + lane);
            }
        }
}

}  // namespace dln
