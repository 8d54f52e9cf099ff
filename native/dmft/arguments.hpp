// What Python hands to the loops over sampled paths, and what they hand back.
#pragma once
#include "common/arrays.hpp"
#include "dmft/sample.hpp"
#include "maps/network.hpp"

namespace nb = nanobind;

namespace dln::face {  // that the core turns to Python

using Numbers1 = Array<const double, 1>;
using Numbers2 = Array<const double, 2>;
using Numbers3 = Array<const double, 3>;
using Result1 = nb::ndarray<nb::numpy, double, nb::ndim<1>>;
using Result2 = nb::ndarray<nb::numpy, double, nb::ndim<2>>;
using Result3 = nb::ndarray<nb::numpy, double, nb::ndim<3>>;

/// The paths of a problem and the depth of its network, for as long as Python keeps them.
struct Paths {
    Numbers2 modes;
    Numbers1 target, scale, root, origin, weights;
    Array<const std::int64_t, 1> strata;
    bool folded;
    double depth, threshold;
    int kinds = 0;

    Paths(Numbers2 modes_, Numbers1 target_, Numbers1 scale_, Numbers1 root_, Numbers1 origin_, Numbers1 weights_,
          Array<const std::int64_t, 1> strata_, bool folded_, double depth_, double threshold_)
        : modes(modes_),
          target(target_),
          scale(scale_),
          root(root_),
          origin(origin_),
          weights(weights_),
          strata(strata_),
          folded(folded_),
          depth(depth_),
          threshold(threshold_) {
        const std::ptrdiff_t paths = target.shape(0);
        if (!paths || paths % BLOCK)
            throw std::invalid_argument("target has " + std::to_string(paths) + " paths, no multiple of " + std::to_string(BLOCK));
        expect("modes", modes, {-1, paths});
        expect("scale", scale, {paths}), expect("root", root, {paths}), expect("origin", origin, {paths}),
            expect("weights", weights, {paths});
        expect("strata", strata, {paths / BLOCK});
        for (std::size_t block = 0; block < strata.shape(0); block++) {
            if (strata.data()[block] < 0) throw std::invalid_argument("strata has a number below zero");
            kinds = std::max(kinds, int(strata.data()[block]) + 1);
        }
        with_map(depth, [](auto) {});
    }

    int blocks() const { return int(strata.shape(0)); }
    std::ptrdiff_t count() const { return std::ptrdiff_t(target.shape(0)); }
    Sample sample() const {
        return {matrix(modes), target.data(), scale.data(), root.data(), origin.data(), weights.data(), strata.data(), blocks(), folded, threshold};
    }
};

/// A NumPy array that owns its numbers, which are zero.
template <class Result>
Result zeros(std::initializer_list<std::size_t> shape) {
    std::size_t size = 1;
    for (std::size_t length : shape) size *= length;
    auto* data = new double[size]();
    const nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<double*>(p); });
    return Result(data, shape, owner);
}

/// What `run` makes of the number of a panel's nodes as a constant.
template <class Run>
auto with_nodes(std::size_t nodes, Run run) {
    switch (nodes) {
        case 3: return run(std::integral_constant<int, 3>());
        case 4: return run(std::integral_constant<int, 4>());
        case 5: return run(std::integral_constant<int, 5>());
    }
    throw std::invalid_argument("integral is of panels of " + std::to_string(nodes) + " nodes, where there are modules for three to five");
}

template <class Result>
Matrix<double> rows_of(const Result& array) {
    return {array.data(), std::ptrdiff_t(array.shape(0)), std::ptrdiff_t(array.shape(1))};
}

template <class Of>
void expect_lanes(const char* name, const Of& array, std::initializer_list<std::ptrdiff_t> shape) {
    expect(name, array, shape);
    if (reinterpret_cast<std::uintptr_t>(array.data()) % BYTES) throw std::invalid_argument(std::string(name) + " is not aligned");
}

/// Rows of a panel, (m, ·), and the weights of its nodes and of those before, as Python gives them.
struct PanelRows {
    const Numbers2 &factor, &memory, &integral;
    const Numbers1 &decay, &shift;
};

/// What a panel keeps of its paths, as Python gives it; `Real` is const where that is only read.
template <class Real>
struct PanelPaths {
    const Array<Real, 3> &height, &error, &slope;
    const Array<const std::int64_t, 1>& early;
};

/// A panel of m nodes after n others, for paths with room for `capacity` nodes, in `tiles` of double and `pairs` of single precision.
struct PanelSizes {
    std::ptrdiff_t m, n, capacity, tiles, pairs;
};

/// The sizes of a panel and of what it keeps of the `blocks` [first, last) of paths, once all of it fits together.
template <class Real>
PanelSizes expect_panel(const Paths& paths, std::pair<int, int> blocks, const PanelRows& rows, const PanelPaths<Real>& kept) {
    const std::ptrdiff_t m = rows.integral.shape(0), nodes = rows.memory.shape(1), n = nodes - m, capacity = kept.height.shape(1);
    const std::ptrdiff_t tiles = paths.count() / Reals::COUNT, pairs = paths.count() / Singles::COUNT;
    expect("integral", rows.integral, {m, m}), expect("memory", rows.memory, {m, -1}), expect("factor", rows.factor, {m, -1});
    expect("decay", rows.decay, {m});
    with_nodes(m, [](auto) {});
    if (n < 0 || n % m || nodes > capacity)
        throw std::invalid_argument("memory has " + std::to_string(nodes) + " columns, no panels that fit");
    if (rows.factor.shape(1) > paths.modes.shape(0)) throw std::invalid_argument("factor has more modes than the paths");
    if (blocks.first < 0 || blocks.second > paths.blocks()) throw std::invalid_argument("blocks are not those of the paths");
    expect("shift", rows.shift, {nodes}), expect("early", kept.early, {paths.blocks()});
    for (int block = 0; block < paths.blocks(); block++)
        if (kept.early.data()[block] < 0 || kept.early.data()[block] > n || kept.early.data()[block] % m)
            throw std::invalid_argument("early is not the first node of a panel");
    expect_lanes("height", kept.height, {tiles, capacity, Reals::COUNT});
    expect_lanes("error", kept.error, {tiles, capacity, Reals::COUNT});
    expect_lanes("slope", kept.slope, {tiles, m, Reals::COUNT});
    return {m, n, capacity, tiles, pairs};
}

}  // namespace dln::face
