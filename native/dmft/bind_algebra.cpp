// What Python sees of the algebra of a panel's rows: responses, the noise's factor, what an iteration changes.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/tuple.h>

#include "common/lapack.hpp"
#include "dmft/algebra.hpp"
#include "dmft/arguments.hpp"

namespace dln {
namespace face {

Result2 given(const Dense& from) {
    auto array = zeros<Result2>({std::size_t(from.rows), std::size_t(from.columns)});
    std::copy(from.data.begin(), from.data.end(), array.data());
    return array;
}

Block block_of(const Numbers2& of) { return Block(of.data(), of.shape(0), of.shape(1), of.shape(1)); }

std::optional<std::pair<Result2, Result2>> implied(Numbers2 response, Numbers2 correlation, Numbers2 known, double aspect_ratio,
                                                   double noise) {
    const std::ptrdiff_t m = response.shape(0), n = std::ptrdiff_t(response.shape(1)) - m;
    if (n < 0) throw std::invalid_argument("response has fewer columns than rows");
    expect("correlation", correlation, {m, n + m}), expect("known", known, {n, 2 * n});
    const auto rows = dln::implied(block_of(response), block_of(correlation), block_of(known), aspect_ratio, noise);
    if (!rows) return {};
    return std::pair(given(rows->response), given(rows->correlation));
}

std::optional<std::tuple<Result2, Result2, int>> factor(Numbers2 correlation, Numbers2 readout, double start, Numbers1 roots,
                                                        std::optional<Numbers2> wanted) {
    const std::ptrdiff_t m = correlation.shape(0), n = std::ptrdiff_t(correlation.shape(1)) - m;
    if (n < 0) throw std::invalid_argument("correlation has fewer columns than rows");
    expect("readout", readout, {n, -1}), expect("roots", roots, {m});
    std::optional<Block> towards;
    if (wanted) {
        expect("wanted", *wanted, {m, -1});
        if (std::ptrdiff_t(wanted->shape(1)) > m) throw std::invalid_argument("wanted has more modes than a panel has nodes");
        towards = block_of(*wanted);
    }
    const auto rows = dln::factor(block_of(correlation), block_of(readout), start, roots.data(), towards);
    if (!rows) return {};
    return std::tuple(given(rows->rows), given(rows->modes), rows->above);
}

std::tuple<Result2, Result2, Result2> stein(Numbers2 response, Numbers2 regression, Numbers2 earlier, Numbers2 rows, Numbers2 factor,
                                            Numbers2 past_expected, Numbers2 past_excess) {
    const std::ptrdiff_t m = response.shape(0), n = std::ptrdiff_t(response.shape(1)) - m, rank = factor.shape(1);
    if (n < 0) throw std::invalid_argument("response has fewer columns than rows");
    const std::ptrdiff_t fresh = std::ptrdiff_t(rows.shape(1)) - rank;
    if (fresh < 0) throw std::invalid_argument("rows has fewer columns than factor");
    if (std::ptrdiff_t(earlier.shape(0)) < fresh) throw std::invalid_argument("earlier has fewer rows than there are new modes");
    expect("rows", rows, {m, -1}), expect("regression", regression, {m, rank + fresh}), expect("earlier", earlier, {-1, n});
    expect("factor", factor, {n, -1}), expect("past_expected", past_expected, {n, rank}), expect("past_excess", past_excess, {n, rank});
    const auto found = dln::stein(block_of(response), block_of(regression), block_of(earlier), block_of(rows), block_of(factor),
                                   block_of(past_expected), block_of(past_excess));
    return {given(found.expected), given(found.excess), given(found.added)};
}

std::tuple<Result2, Result2, double> change(Numbers2 response, Numbers2 correlation, Numbers2 new_response, Numbers2 new_correlation,
                                            Numbers1 scale, double least) {
    const std::ptrdiff_t m = response.shape(0), size = response.shape(1);
    if (size < m) throw std::invalid_argument("response has fewer columns than rows");
    expect("correlation", correlation, {m, size}), expect("new_response", new_response, {m, size});
    expect("new_correlation", new_correlation, {m, size}), expect("scale", scale, {size - m});
    const auto found = dln::change(block_of(response), block_of(correlation), block_of(new_response), block_of(new_correlation),
                                   scale.data(), least);
    return {given(found.change), given(found.norm), found.largest};
}

Result1 mixed(Numbers2 moves, Numbers2 changes, Numbers1 point, Numbers1 residual) {
    const std::ptrdiff_t size = point.shape(0);
    expect("moves", moves, {std::ptrdiff_t(changes.shape(0)), size}), expect("changes", changes, {-1, size});
    expect("residual", residual, {size});
    const auto next = dln::mixed(block_of(moves), block_of(changes), point.data(), residual.data());
    if (!next) throw std::invalid_argument("changes or residual is not finite");
    const auto array = zeros<Result1>({std::size_t(size)});
    std::copy(next->begin(), next->end(), array.data());
    return array;
}

}  // namespace face

void bind_algebra(nb::module_& module) {
    using namespace nb::literals;
    lapack::library();
    module.attr("MODE_SHARE") = MODE_SHARE;
    module.def(
        "implied", face::implied, nb::kw_only(), "response"_a, "correlation"_a, "known"_a, "aspect_ratio"_a, "noise"_a,
        "R_r = (1 − R_w/δ)⁻¹ and C_r = R_r (C_e + σ²) R_rᵀ on a panel's rows, (m, n + m) each, from those of R_w and C_e.\n\n"
        "`known` (n, 2 n) are R_r and C_r on earlier nodes side by side, `noise` is σ². None where a matrix is singular or not finite.");
    module.def(
        "factor", face::factor, nb::kw_only(), "correlation"_a, "readout"_a, "start"_a, "roots"_a, "wanted"_a.none(),
        "Rows of L on a panel (m, rank + new), the weights (m, new) that read its new modes off it, and how many are above the cut.\n\n"
        "From rows of C_ζ (m, n + m): `readout` (n, rank) reads earlier modes off, `roots` (m,) are the square roots of the quadrature\n"
        "weights, `start` is C_ζ(0, 0). A block of L, `wanted` (m, new), fixes how many new modes there are, and what they are turned\n"
        "towards. None where a matrix is not finite.");
    module.def(
        "stein", face::stein, nb::kw_only(), "response"_a, "regression"_a, "earlier"_a, "rows"_a, "factor"_a, "past_expected"_a,
        "past_excess"_a,
        "Λ = R_w L, Δ = Λ − E[e zᵀ] on a panel, (m, rank + new) each, and the rows (m, n + m) of Λ Δᵀ + Δ Λᵀ.\n\n"
        "From its rows of R_w (m, n + m), of E[e zᵀ], `regression`, and of L, (m, rank + new) each, E[z eᵀ] of its new modes with\n"
        "earlier nodes (≥ new, n), and L, Λ and Δ on earlier nodes, (n, rank) each.");
    module.def(
        "change", face::change, nb::kw_only(), "response"_a, "correlation"_a, "new_response"_a, "new_correlation"_a, "scale"_a, "least"_a,
        "What an iteration changes in R_r and, relative to their norms, in C_r, (2 m, n + m), these norms (m, n + m), and the largest.\n\n"
        "`scale` (n,) are the roots of C_r(s, s) on earlier nodes, `least` is the least that counts as C_r(t, t). The changes of R_r "
        "count\n"
        "together, over those of a row relative to the largest row. The largest is infinite where anything is not finite.");
    module.def("mixed", face::mixed, "moves"_a, "changes"_a, "point"_a, "residual"_a,
               "`point` + `residual` (X,) with the combination of `moves` and `changes` (K, X) that cancels the residual best.");
}

}  // namespace dln
