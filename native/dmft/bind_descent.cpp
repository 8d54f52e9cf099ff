// What Python sees of the steps of gradient descent.
#include <nanobind/stl/optional.h>

#include "dmft/arguments.hpp"
#include "dmft/descent.hpp"

namespace dln {
namespace face {

Result1 slopes(Numbers3 lanes, Numbers2 weights, Array<double, 3> du, Array<double, 3> dv, int count) {
    const std::ptrdiff_t blocks = weights.shape(0), all = du.shape(1);
    expect("weights", weights, {blocks, BLOCK}), expect("lanes", lanes, {2, blocks, BLOCK});
    expect("du", du, {blocks, all, BLOCK}), expect("dv", dv, {blocks, all, BLOCK});
    if (count < 0 || count > all) throw std::invalid_argument("count is more than the directions");
    const auto mean = zeros<Result1>({std::size_t(count)});
    const nb::gil_scoped_release released;
    add_slopes(lanes.data(), lanes.data() + blocks * BLOCK, weights.data(),
               {du.data(), dv.data(), nullptr, nullptr, nullptr, blocks, all, 0}, count, mean.data());
    return mean;
}

double descend(const Paths& paths, double step_size, double weight_decay, double momentum, double truncation, Numbers1 noise,
               Numbers1 residual, Array<double, 2> outer, Array<double, 2> inner, Array<double, 2> moving,
               std::optional<Array<double, 2>> last, Array<const float, 1> memory, Array<double, 3> du, Array<double, 3> dv,
               std::optional<Array<double, 4>> last_change, Array<float, 4> past, int nodes, int kept, std::optional<int> node) {
    const std::ptrdiff_t count = paths.count(), blocks = paths.blocks(), all = du.shape(1), rank = memory.shape(0);
    expect("residual", residual, {count}), expect("outer", outer, {2, count}), expect("inner", inner, {2, count}),
        expect("moving", moving, {2, count});
    expect("du", du, {blocks, all, BLOCK}), expect("dv", dv, {blocks, all, BLOCK}), expect("past", past, {blocks, all, -1, BLOCK});
    if (momentum && !(last && last_change)) throw std::invalid_argument("last and last_change are needed with momentum");
    if (last) expect("last", *last, {2, count});
    if (last_change) expect("last_change", *last_change, {2, blocks, all, BLOCK});
    if (noise.shape(0) > paths.modes.shape(0)) throw std::invalid_argument("noise has more modes than the paths");
    if (kept < 0 || kept > rank || nodes < 0) throw std::invalid_argument("kept is more than the memory");
    if (nodes + rank >= all) throw std::invalid_argument("du has no room for another direction");
    if (rank >= std::ptrdiff_t(past.shape(2))) throw std::invalid_argument("past has no room for another step");
    if (node && (*node < 0 || *node >= nodes)) throw std::invalid_argument("node is none of the nodes");
    double *const of_walkers = last ? last->data() : nullptr, *const of_directions = last_change ? last_change->data() : nullptr;
    const Walkers walkers{outer.data(),  outer.data() + count,  inner.data(), inner.data() + count,
                          moving.data(), moving.data() + count, of_walkers,   of_walkers ? of_walkers + count : nullptr};
    const Step step{step_size, weight_decay, momentum, truncation, paths.depth, noise.data(), std::ptrdiff_t(noise.shape(0))};
    const nb::gil_scoped_release released;
    return dln::descend(paths.sample(), step, residual.data(), memory.data(), rank, nodes, kept, node ? *node : -1, walkers,
                        {du.data(), dv.data(), of_directions, of_directions ? of_directions + blocks * all * BLOCK : nullptr, past.data(),
                         blocks, all, std::ptrdiff_t(past.shape(2))});
}

}  // namespace face

void bind_descent(nb::module_& module) {
    using namespace nb::literals;
    module.def(
        "slopes", face::slopes, "lanes"_a, "weights"_a, "du"_a.noconvert(), "dv"_a.noconvert(), "count"_a,
        "E[δw] (count,) in the first `count` directions of gradient descent.\n\n"
        "`lanes` (2, B, BLOCK) is what δu and δv (B, directions, BLOCK) are multiplied by in δw, `weights` (B, BLOCK) those of the paths.");
    module.def(
        "descend", face::descend, "paths"_a, nb::kw_only(), "step_size"_a, "weight_decay"_a, "momentum"_a, "truncation"_a, "noise"_a,
        "residual"_a, "outer"_a.noconvert(), "inner"_a.noconvert(), "moving"_a.noconvert(), "last"_a.noconvert().none(), "memory"_a,
        "du"_a.noconvert(), "dv"_a.noconvert(), "last_change"_a.noconvert().none(), "past"_a.noconvert(), "nodes"_a, "kept"_a,
        "node"_a.none(),
        "One step of gradient descent for all paths and their directions; returns the largest |η h|.\n\n"
        "h = ζ + `residual` (P,), ζ = `noise` (modes,) · z. `outer` (2, P) are u and v, `inner` their values in [−M, M], M = "
        "`truncation`,\n"
        "where they act, `moving` is 1 where these are the same. δu and δv, `du` and `dv` (B, directions, BLOCK), with δh = δw + Σ\n"
        "memory[r] past[r], which enters `past` (B, directions, > R, BLOCK) at row R = len(memory): of `nodes` directions, then of R "
        "basis\n"
        "functions, `kept` of them as they were reduced last, the others unit perturbations of the steps since. That of this step becomes\n"
        "direction nodes + R and, unless it is None, `node`. With `momentum` β, `last` (2, P) and `last_change` (2, B, directions, BLOCK) "
        "are\n"
        "the last changes of u and v and of δu and δv; else they may be None.");
}

}  // namespace dln
