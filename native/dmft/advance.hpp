// One panel for paths whose histories are kept: what is sampled in one evaluation of eq. (12).
#pragma once

#include "common/flush.hpp"
#include "dmft/propagate.hpp"

namespace dln {

/// What is kept of every path.
///
/// H, E and the integral of w − w* (P / 8, `capacity`, 8) hold the past and, of H, a first guess on the panel; `slope` is κ on the panel
/// alone (P / 8, M, 8).
/// Tangents by panel, (P / 16, nodes so far, M, 16), those on the panel last, `edge` and `reached` (P / 16, `capacity`, 16) are those of
/// `carry`; `early` (P / BLOCK) are the nodes from which on perturbations are followed. Lanes are aligned.
struct Kept {
    double *H, *E, *integral, *slope;
    std::vector<float*> tangents;
    float *edge, *reached;
    const std::int64_t* early;
    std::ptrdiff_t capacity;

    /// What a tile of paths has on every node.
    History history(std::ptrdiff_t tile) const {
        const auto from = [&](double* values) { return reinterpret_cast<Reals*>(values) + tile * capacity; };
        return {from(H), from(E), from(integral)};
    }
};

/// Where a panel's rows of R_w and E[E E] (M, n + M) and E[E z] (M, rank), E[z E] of its own modes, the last ones, with earlier nodes
/// (a multiple of M, n), and by stratum what `observe` says (S, OBSERVED, M), go.
struct PanelAverages {
    Matrix<double> response, correlation, regression, earlier;
    Cube<double> sums;
};

/// One block of paths on its way through a panel, with room for what is made of it.
template <int M>
struct Block {
    int number = 0, rank;                           // of its modes
    Path path[IN_BLOCK];
    std::vector<Reals> modes;                       // (tiles, rank)
    std::array<Tally, M> tallies;
    std::vector<const Column<M, Singles>*> before;  // tangents of a pair of tiles on earlier panels
    std::vector<Column<M, Singles>> push, share;    // (n + M) of a pair, and of all of them

    explicit Block(const Panel<M>& panel)
        : rank(panel.fields.size()), modes(IN_BLOCK * rank), before(panel.begin / M), push(panel.begin + M), share(panel.begin + M) {
        for (Tally& tally : tallies) tally.fill(0.0);
    }
};

/// Solves the panel for the paths of a block, onto its tallies; tells whether all of them settled.
template <int M, class MapOf>
bool solve_paths(const Sample& sample, const MapOf& map_of, const Panel<M>& panel, const Kept& kept, Block<M>& block) {
    for (int t = 0; t < IN_BLOCK; t++) {
        const std::ptrdiff_t tile = std::ptrdiff_t(block.number) * IN_BLOCK + t, start = tile * Reals::COUNT;
        const Path& path = block.path[t] = load(sample, start, block.modes.data() + t * block.rank, block.rank);
        const History history = kept.history(tile);
        Reals* slope = reinterpret_cast<Reals*>(kept.slope) + tile * M;
        Column<M> guess;
        for (int i = 0; i < M; i++) guess[i] = history.H[panel.begin + i];
        const auto map = map_of(Reals::load(sample.scale + start));
        const auto graphs = graphs_of<M>(map, panel.decay);
        if (!cross<M>(panel, map, graphs, path, guess, history, slope)) return false;
        for (int i = 0; i < M; i++) {
            const int n = panel.begin + i;
            observe(graphs[i], path, history.H[n], history.E[n], slope[i], history.integral[n], sample, block.tallies[i]);
        }
    }
    return true;
}

/// Takes the tangents of a block's paths through the panel, and fills its `share` with what they have of R_w.
template <int M>
void respond(const Panel<M>& panel, const Kept& kept, Block<M>& block) {
    const int begin = kept.early[block.number], panels = panel.begin / M;
    for (auto& each : block.share) each.fill(0.0f);
    for (int pair = 0; pair < PAIRS; pair++) {
        const std::ptrdiff_t tile = std::ptrdiff_t(block.number) * PAIRS + pair;
        const Reals* slope = reinterpret_cast<const Reals*>(kept.slope) + tile * IN_PAIR * M;
        const Reals weight[] = {block.path[pair * IN_PAIR].weight, block.path[pair * IN_PAIR + 1].weight};
        const auto made = reaction<M>(panel, slope, slope + M, weight);
        const auto on = [&](int p) { return reinterpret_cast<Column<M, Singles>*>(kept.tangents[p]) + tile * (p + 1) * M + begin; };
        for (int p = begin / M; p < panels; p++) block.before[p - begin / M] = on(p);
        Singles* edge = reinterpret_cast<Singles*>(kept.edge) + tile * kept.capacity;
        Singles* reached = reinterpret_cast<Singles*>(kept.reached) + tile * kept.capacity;
        carry<M>(panel, made, begin, block.before.data(), edge, block.push.data(), on(panels), reached, block.share.data());
    }
}

/// Solves the panel for the blocks [first, last) of paths and adds their averages; tells whether all of the paths settled.
///
/// `shift` (n + M) are the weights of the nodes in the integral over time, `known` modes are those of earlier panels.
template <int M, class MapOf>
bool advance(const Sample& sample, const MapOf& map_of, const Panel<M>& panel, int first, int last, int known, const double* shift,
             const Kept& kept, const PanelAverages& averages) {
    const FlushSubnormals flushed;
    const int n = panel.begin, rank = panel.fields.size();
    Block<M> block(panel);
    const auto response = row_starts<M>(averages.response), correlation = row_starts<M>(averages.correlation),
               regression = row_starts<M>(averages.regression);
    for (block.number = first; block.number < last; block.number++) {
        if (!solve_paths<M>(sample, map_of, panel, kept, block)) return false;
        enter(block.tallies.data(), M, 0, averages.sums[sample.strata[block.number]]);
        const Reals *E = kept.history(std::ptrdiff_t(block.number) * IN_BLOCK).E, *modes = block.modes.data();
        const auto here = weighted<M>(block.path, E, IN_BLOCK, kept.capacity, n);
        correlate<M>(here, E, kept.capacity, n + M, correlation);
        correlate<M>(here, modes, rank, rank, regression);
        for (int k = known; k < rank; k += M) {
            const auto fresh = weighted<M>(block.path, modes, IN_BLOCK, rank, k, rank - k);
            correlate<M>(fresh, E, kept.capacity, n, row_starts<M>(averages.earlier, k - known));
        }
        respond<M>(panel, kept, block);
        collect<M>(block.share.data(), shift, kept.early[block.number], n, response);
    }
    return true;
}

}  // namespace dln
