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
    const PanelSizes sizes =
        expect_panel<const double>(paths, blocks, {factor, memory, integral, decay, shift}, {height, error, slope, early});
    const std::ptrdiff_t m = sizes.m, n = sizes.n;
    expect("response", response, {m, n + m}), expect_lanes("tangents", tangents, {sizes.pairs, n + m, m, Singles::COUNT});
    const Left left{height.data(), error.data(), slope.data(), tangents.data(), early.data(), sizes.capacity};
    const auto by_slopes = zeros<Result2>({std::size_t(m), std::size_t(n + m)}),
               correlation = zeros<Result2>({std::size_t(m), std::size_t(n + m)}),
               regression = zeros<Result2>({std::size_t(m), factor.shape(1)});
    const Changes changes{rows_of(by_slopes), rows_of(correlation), rows_of(regression)};
    const nb::gil_scoped_release released;
    with_nodes(m, [&]<int M>(std::integral_constant<int, M>) {
        const auto move = move_along<M>(matrix(factor), matrix(memory), matrix(response), matrix(integral), decay.data());
        with_map(paths.depth, [&](auto map_of) {
            dln::differentiate<M>(paths.sample(), map_of, move, blocks.first, blocks.second, shift.data(), left, changes);
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
               "What rows of a panel change by to first order where its rows of L and R_r do, over the paths of the `blocks`\n"
               "[first, last): those of R_w by slopes (m, n + m), of E[δE E] (m, n + m) and of E[δE z] (m, rank).\n\n"
               "`factor` (m, rank) are the changes of L, `memory` (m, n + m) those of R_r, whose rows are `response`; the others are what\n"
               "`advance` was given and left, `tangents` (P / SINGLE_LANES, n + m, m, SINGLE_LANES) those of the panel.");
}

}  // namespace dln
