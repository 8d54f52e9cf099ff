// What Python sees of the loops over sampled paths. Shapes are checked here, once, and the interpreter lock is released.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "dmft/arguments.hpp"
#include "dmft/extrapolate.hpp"

namespace dln {
namespace face {

template <int M>
Ahead<M> ahead_of(const double* weights) {
    Ahead<M> ahead;
    for (int i = 0; i < M; i++)
        for (int k = 0; k < 3; k++) ahead[i][k] = weights[3 * i + k];
    return ahead;
}

Cube<double> cube_of(const Result3& array) {
    return {array.data(), std::ptrdiff_t(array.shape(0)), std::ptrdiff_t(array.shape(1)), std::ptrdiff_t(array.shape(2))};
}

using Propagated = std::optional<std::tuple<Result2, Result2, Result2, Result3>>;
using Advanced = std::optional<std::tuple<Result2, Result2, Result2, Result2, Result3>>;

Propagated propagate(const Paths& paths, Numbers2 factor, Numbers2 memory, Numbers3 integrals, Numbers3 quadratures, Numbers2 ahead,
                   Numbers1 decay, bool tangents, std::optional<Array<double, 2>> heights, int kinds) {
    const std::ptrdiff_t panels = integrals.shape(0), m = integrals.shape(1), size = panels * m;
    expect("integrals", integrals, {panels, m, m}), expect("memory", memory, {size, size}), expect("ahead", ahead, {size, 3});
    expect("factor", factor, {size, -1}), expect("decay", decay, {size}), expect("quadratures", quadratures, {panels, m, m + 1});
    if (!panels) throw std::invalid_argument("integrals has no panels");
    if (factor.shape(1) > paths.modes.shape(0)) throw std::invalid_argument("factor has more modes than the paths");
    if (kinds < paths.kinds) throw std::invalid_argument("kinds is less than the strata are");
    if (heights) expect("heights", *heights, {size, paths.count()});
    const auto response = zeros<Result2>({std::size_t(size), std::size_t(size)}),
               correlation = zeros<Result2>({std::size_t(size), std::size_t(size)}),
               regression = zeros<Result2>({std::size_t(size), factor.shape(1)});
    const auto sums = zeros<Result3>({std::size_t(kinds), std::size_t(OBSERVED), std::size_t(size)});
    const Averages averages{rows_of(response), rows_of(correlation), rows_of(regression), cube_of(sums),
                            heights ? matrix(*heights) : Matrix<double>{nullptr, 0, 0}};
    bool settled;
    {
        const nb::gil_scoped_release released;
        settled = with_nodes(m, [&]<int M>(std::integral_constant<int, M>) {
            std::vector<Panel<M>> all;
            std::vector<Ahead<M>> guesses;
            for (std::ptrdiff_t p = 0; p < panels; p++) {
                const std::ptrdiff_t n = p * M;
                const Matrix<const double> rows{memory.data() + n * size, M, size},
                    fields{factor.data() + n * factor.shape(1), M, std::ptrdiff_t(factor.shape(1))};
                all.push_back(dln::panel<M>(n, fields, rows, cube(integrals)[p], cube(quadratures)[p], decay.data() + n));
                guesses.push_back(ahead_of<M>(ahead.data() + 3 * n));
            }
            return with_map(paths.depth,
                            [&](auto map_of) { return dln::propagate<M>(paths.sample(), map_of, all, guesses, averages, tangents); });
        });
    }
    if (!settled) return {};
    return std::tuple(response, correlation, regression, sums);
}

Advanced advance(const Paths& paths, std::pair<int, int> blocks, int known, Numbers2 factor, Numbers2 memory, Numbers2 integral,
                 Numbers2 quadrature, Numbers1 decay, Numbers1 shift, Array<double, 3> height, Array<double, 3> error,
                 Array<double, 3> running, Array<double, 3> slope, std::vector<Array<float, 4>> tangents, Array<float, 3> edge,
                 Array<float, 3> reached, Array<const std::int64_t, 1> early, int kinds) {
    const PanelSizes sizes = expect_panel<double>(paths, blocks, {factor, memory, integral, decay, shift}, {height, error, slope, early});
    const std::ptrdiff_t m = sizes.m, n = sizes.n, capacity = sizes.capacity, tiles = sizes.tiles, pairs = sizes.pairs;
    expect("quadrature", quadrature, {m, m + 1});
    if (kinds < paths.kinds) throw std::invalid_argument("kinds is less than the strata are");
    const std::ptrdiff_t fresh = std::ptrdiff_t(factor.shape(1)) - known;
    if (known < 0 || fresh < 0) throw std::invalid_argument("known is not a number of the factor's modes");
    expect_lanes("running", running, {tiles, capacity, Reals::COUNT});
    expect_lanes("edge", edge, {pairs, capacity, Singles::COUNT}), expect_lanes("reached", reached, {pairs, capacity, Singles::COUNT});
    if (std::ptrdiff_t(tangents.size()) != n / m + 1) throw std::invalid_argument("tangents is not that of every panel");
    Kept kept{height.data(), error.data(), running.data(), slope.data(), {}, edge.data(), reached.data(), early.data(), capacity};
    for (std::size_t p = 0; p < tangents.size(); p++) {
        expect_lanes("tangents", tangents[p], {pairs, std::ptrdiff_t(p + 1) * m, m, Singles::COUNT});
        kept.tangents.push_back(tangents[p].data());
    }
    const auto response = zeros<Result2>({std::size_t(m), std::size_t(n + m)}),
               correlation = zeros<Result2>({std::size_t(m), std::size_t(n + m)}),
               regression = zeros<Result2>({std::size_t(m), factor.shape(1)}),
               earlier = zeros<Result2>({std::size_t((fresh + m - 1) / m * m), std::size_t(n)});
    const auto sums = zeros<Result3>({std::size_t(kinds), std::size_t(OBSERVED), std::size_t(m)});
    const PanelAverages averages{rows_of(response), rows_of(correlation), rows_of(regression), rows_of(earlier), cube_of(sums)};
    bool settled;
    {
        const nb::gil_scoped_release released;
        settled = with_nodes(m, [&]<int M>(std::integral_constant<int, M>) {
            const auto made = dln::panel<M>(n, matrix(factor), matrix(memory), matrix(integral), matrix(quadrature), decay.data());
            return with_map(paths.depth, [&](auto map_of) {
                return dln::advance<M>(paths.sample(), map_of, made, blocks.first, blocks.second, known, shift.data(), kept, averages);
            });
        });
    }
    if (!settled) return {};
    return std::tuple(response, correlation, regression, earlier, sums);
}

void extrapolate(const Paths& paths, int nodes, Numbers2 ahead, Numbers1 decay, Array<double, 3> height) {
    const std::ptrdiff_t m = ahead.shape(0), capacity = height.shape(1);
    expect("ahead", ahead, {m, 3}), expect("decay", decay, {m + 1});
    expect_lanes("height", height, {paths.count() / Reals::COUNT, capacity, Reals::COUNT});
    if (nodes < 0 || (nodes && nodes < 3) || nodes + m > capacity) throw std::invalid_argument("nodes leaves no room for a panel");
    const nb::gil_scoped_release released;
    with_nodes(m, [&]<int M>(std::integral_constant<int, M>) {
        with_map(paths.depth, [&](auto map_of) {
            dln::extrapolate<M>(paths.sample(), map_of, nodes, ahead_of<M>(ahead.data()), decay.data(), height.data(), capacity);
        });
    });
}

/// Calls `enter` with the graph, H and the place in an array (N, P) of every tile of `heights` (N, P).
template <class Enter>
void at_points(const Paths& paths, const Numbers1& decay, const Numbers2& heights, Enter enter) {
    const std::size_t size = decay.shape(0), count = paths.count();
    expect("heights", heights, {std::ptrdiff_t(size), std::ptrdiff_t(count)});
    const nb::gil_scoped_release released;
    with_map(paths.depth, [&](auto map_of) {
        for (std::size_t tile = 0; tile < count; tile += Reals::COUNT) {
            const auto map = map_of(Reals::load(paths.scale.data() + tile));
            for (std::size_t i = 0; i < size; i++)
                enter(map.at(decay.data()[i]), Reals::load(heights.data() + i * count + tile), i * count + tile);
        }
    });
}

std::pair<Result2, Result2> weigh(const Paths& paths, Numbers1 decay, Numbers2 heights) {
    const std::size_t size = decay.shape(0), count = paths.count();
    const auto w = zeros<Result2>({size, count}), slope = zeros<Result2>({size, count});
    at_points(paths, decay, heights, [&](const auto& graph, const Reals& H, std::size_t to) {
        const Point point = graph(H);
        point.w.store(w.data() + to), point.k.store(slope.data() + to);
    });
    return {w, slope};
}

std::tuple<Result2, Result2, Result2> layers(const Paths& paths, Numbers1 decay, Numbers2 heights) {
    const std::size_t size = decay.shape(0), count = paths.count();
    const auto sum = zeros<Result2>({size, count}), difference = zeros<Result2>({size, count}), product = zeros<Result2>({size, count});
    at_points(paths, decay, heights, [&](const auto& graph, const Reals& H, std::size_t to) {
        const Layers found = graph.layers(graph(H), H);
        found.sum.store(sum.data() + to), found.difference.store(difference.data() + to), found.log_product.store(product.data() + to);
    });
    return {sum, difference, product};
}

}  // namespace face

void bind_algebra(nb::module_& module);
void bind_descent(nb::module_& module);
void bind_differential(nb::module_& module);

void bind_dmft(nb::module_& module) {
    using namespace nb::literals;
    module.attr("BLOCK") = BLOCK;
    module.attr("LANES") = Reals::COUNT;
    module.attr("SINGLE_LANES") = Singles::COUNT;
    module.attr("ALIGNMENT") = BYTES;
    module.attr("OBSERVED") = OBSERVED;
    module.attr("QUIET") = QUIET;
    nb::class_<face::Paths>(module, "Paths", "Sampled paths, the depth of their network, and the threshold of the support.")
        .def(nb::init<face::Numbers2, face::Numbers1, face::Numbers1, face::Numbers1, face::Numbers1, face::Numbers1,
                      Array<const std::int64_t, 1>, bool, double, double>(),
             nb::kw_only(), "modes"_a.noconvert(), "target"_a.noconvert(), "scale"_a.noconvert(), "root"_a.noconvert(),
             "origin"_a.noconvert(), "weights"_a.noconvert(), "strata"_a.noconvert(), "folded"_a, "depth"_a, "threshold"_a,
             "`modes` (≥ rank, P) are z, `target` (P,) w*, `scale` (P,) that of the map, `root` (P,) √c, `origin` (P,) H(0), `weights` "
             "(P,)\n"
             "sum to 1, `strata` (P / BLOCK,) numbers the stratum of each block. Where `folded`, a path stands for its mirror image too.\n"
             "Weights with |w| > `threshold` count as the support that is found.")
        .def_prop_ro("size", &face::Paths::count, "P.");
    module.def(
        "propagate", face::propagate, "paths"_a, nb::kw_only(), "factor"_a.noconvert(), "memory"_a.noconvert(), "integrals"_a.noconvert(),
        "quadratures"_a.noconvert(), "ahead"_a.noconvert(), "decay"_a.noconvert(), "tangents"_a, "heights"_a.noconvert().none(), "kinds"_a,
        "R_w, E[E E] (N, N), E[E z] (N, rank), and what is averaged by stratum (kinds, OBSERVED, N), over all paths with given "
        "kernels.\n\n"
        "`factor` (N, rank) is L, `memory` (N, N) R_r, `integrals` (K, m, m) B, `quadratures` (K, m, m + 1) the\n"
        "integral over time from the left edge and the nodes, `ahead` (N, 3) weights of the last three nodes in a first\n"
        "guess, `decay` (N,) −2λt. E[E E] is filled up to the panel of each row. Without `tangents` R_w is zero; `heights` (N, P) is\n"
        "filled with H. None where a path does not settle.");
    module.def(
        "advance", face::advance, "paths"_a, "blocks"_a, nb::kw_only(), "known"_a, "factor"_a.noconvert(), "memory"_a.noconvert(),
        "integral"_a.noconvert(), "quadrature"_a.noconvert(), "decay"_a.noconvert(), "shift"_a.noconvert(), "height"_a.noconvert(),
        "error"_a.noconvert(), "running"_a.noconvert(), "slope"_a.noconvert(), "tangents"_a.noconvert(), "edge"_a.noconvert(),
        "reached"_a.noconvert(), "early"_a.noconvert(), "kinds"_a,
        "One panel for the paths of the `blocks` [first, last) after n nodes: their rows of R_w and E[E E] (m, n + m) and of E[E z]\n"
        "(m, rank), E[z E] of the modes from `known` on with earlier nodes (≥ new, n), and by stratum what is averaged\n"
        "(kinds, OBSERVED, m).\n"
        "None where a path does not settle.\n\n"
        "`factor` (m, rank) are rows of L, `memory` (m, n + m) of R_r, `integral` (m, m) B, `quadrature` (m, m + 1) the integral over time "
        "from\n"
        "the left edge and the nodes, `decay` (m,) −2λt, `shift` (n + m,) the weights of\n"
        "the nodes in the integral over time. `height` (P / LANES, N, LANES) holds H: of the past and a first guess on the panel, the\n"
        "solution on return; `error` of the same shape E, `running` the integral of w − w* over time, `slope` (P / LANES, m, LANES) κ on "
        "the\n"
        "panel. `tangents`, one (P / SINGLE_LANES,\n"
        "nodes so far, m, SINGLE_LANES) a panel, `edge` and `reached` (P / SINGLE_LANES, N, SINGLE_LANES) are δw and δH at the panel's "
        "edges\n"
        "for perturbations from node `early` (P / BLOCK,) on; those before are multiples of one.");
    module.def("extrapolate", face::extrapolate, "paths"_a, "nodes"_a, nb::kw_only(), "ahead"_a.noconvert(), "decay"_a.noconvert(),
               "height"_a.noconvert(),
               "Fill `height` (P / LANES, N, LANES) with a first guess of H on the panel after so many nodes: the parabola on, but |w| not "
               "beyond\n"
               "that at the edge. `ahead` (m, 3) are its weights, `decay` (1 + m,) is −2λt at the edge and on the panel.");
    module.def("weigh", face::weigh, "paths"_a, nb::kw_only(), "decay"_a.noconvert(), "heights"_a.noconvert(),
               "w and k = −dw/dH, (N, P) each, at `heights` (N, P), the values of H; `decay` (N,) is −2λt.");
    module.def("layers", face::layers, "paths"_a, nb::kw_only(), "decay"_a.noconvert(), "heights"_a.noconvert(),
               "u² + v², u² − v² and log |u v|, (N, P) each, at `heights` (N, P), the values of H; `decay` (N,) is −2λt.");
    bind_algebra(module);
    bind_descent(module);
    bind_differential(module);
}

}  // namespace dln
