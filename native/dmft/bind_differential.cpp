// What Python sees of the first-order changes of a panel's averages.
#include <nanobind/stl/pair.h>
#include <nanobind/stl/tuple.h>

#include "dmft/arguments.hpp"
#include "dmft/differential.hpp"

namespace dln {
namespace face {

std::tuple<Result2, Result2, Result2> differentiate(const Paths& paths, std::pair<int, int> blocks, Numbers2 factor, Numbers2 memory,
                                                    Numbers2 response, Numbers2 integral, Numbers1 decay, Numbers1 shift,
                                                    Array<const double, 3> height, Array<const double, 3> error,
                                                    Array<const double, 3> slope, Array<const float, 4> tangents,
                                                    Array<const std::int64_t, 1> early) {
    const std::ptrdiff_t m = integral.shape(0), n = std::ptrdiff_t(memory.shape(1)) - m, capacity = height.shape(1);
    const std::ptrdiff_t tiles = paths.count() / Reals::COUNT, pairs = paths.count() / Singles::COUNT;
    expect("integral", integral, {m, m}), expect("memory", memory, {m, -1}), expect("factor", factor, {m, -1}), expect("decay", decay, {m});
    expect("response", response, {m, n + m}), expect("shift", shift, {n + m}), expect("early", early, {paths.blocks()});
    if (n < 0 || n % m || n + m > capacity)
        throw std::invalid_argument("memory has " + std::to_string(n + m) + " columns, no panels that fit");
    if (factor.shape(1) > paths.modes.shape(0)) throw std::invalid_argument("factor has more modes than the paths");
    if (blocks.first < 0 || blocks.second > paths.blocks()) throw std::invalid_argument("blocks are not those of the paths");
    for (int block = 0; block < paths.blocks(); block++)
        if (early.data()[block] < 0 || early.data()[block] > n || early.data()[block] % m)
            throw std::invalid_argument("early is not the first node of a panel");
    expect_lanes("height", height, {tiles, capacity, Reals::COUNT}), expect_lanes("error", error, {tiles, capacity, Reals::COUNT});
    expect_lanes("slope", slope, {tiles, m, Reals::COUNT}), expect_lanes("tangents", tangents, {pairs, n + m, m, Singles::COUNT});
    const Standing standing{height.data(), error.data(), slope.data(), tangents.data(), early.data(), capacity};
    const auto by_slopes = zeros<Result2>({std::size_t(m), std::size_t(n + m)}),
               correlation = zeros<Result2>({std::size_t(m), std::size_t(n + m)}),
               regression = zeros<Result2>({std::size_t(m), factor.shape(1)});
    const Changes changes{rows_of(by_slopes), rows_of(correlation), rows_of(regression)};
    const nb::gil_scoped_release released;
    with_nodes(m, [&]<int M>(std::integral_constant<int, M>) {
        Panel<M> move;
        move.begin = n;
        for (int i = 0; i < M; i++) {
            move.decay[i] = decay.data()[i];
            for (int k = 0; k < M; k++) move.integral[i][k] = matrix(integral)[i][k];
        }
        const auto coupling = integrated<M>(move.integral, matrix(response), n + M);
        move.fields = integrated<M>(move.integral, matrix(factor), factor.shape(1));
        move.memory = integrated<M>(move.integral, matrix(memory), n + M);
        Square<M, double> own;
        for (int i = 0; i < M; i++)
            for (int k = 0; k < M; k++) own[i][k] = coupling[n + k][i];
        with_map(paths.depth, [&](auto map_of) {
            dln::differentiate<M>(paths.sample(), map_of, move, own, blocks.first, blocks.second, shift.data(), standing, changes);
        });
    });
    return {by_slopes, correlation, regression};
}

}  // namespace face

void bind_differential(nb::module_& module) {
    using namespace nb::literals;
    module.def("differentiate", face::differentiate, "paths"_a, "blocks"_a, nb::kw_only(), "factor"_a.noconvert(), "memory"_a.noconvert(),
               "response"_a.noconvert(), "integral"_a.noconvert(), "decay"_a.noconvert(), "shift"_a.noconvert(), "height"_a.noconvert(),
               "error"_a.noconvert(), "slope"_a.noconvert(), "tangents"_a.noconvert(), "early"_a.noconvert(),
               "What rows of a panel change by to first order where its rows of L and R_r do, over the paths of the `blocks` [first, last):\n"
               "those of R_w by slopes (m, n + m), of E[δE E] (m, n + m) and of E[δE z] (m, rank).\n\n"
               "`factor` (m, rank) are the changes of L, `memory` (m, n + m) those of R_r, whose rows are `response`; the others are what\n"
               "`advance` was given and left, `tangents` (P / SINGLE_LANES, n + m, m, SINGLE_LANES) those of the panel.");
}

}  // namespace dln
