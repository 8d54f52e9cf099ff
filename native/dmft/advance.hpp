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
/// `cross`; `early` (P / BLOCK) are the nodes from which on perturbations are followed. Lanes are aligned.
struct Kept {
    double *H, *E, *integral, *slope;
    std::vector<float*> tangents;
    float *edge, *reached;
    const std::int64_t* early;
    std::ptrdiff_t capacity;
};

/// Where a panel's rows of R_w and E[E E] (M, n + M) and E[E z] (M, rank), E[z E] of its own modes, the last ones, with earlier nodes
/// (M, n), and by stratum what `observe` says (S, OBSERVED, M), go.
struct PanelAverages {
    Matrix<double> response, correlation, regression, earlier;
    Cube<double> sums;
};

/// Solves the panel for the blocks [first, last) of paths and adds their averages; tells whether all of the paths settled.
///
/// `shift` (n + M) are the weights of the nodes in the integral over time, `known` modes are those of earlier panels.
template <int M, class MapOf>
bool advance(const Sample& sample, const MapOf& map_of, const Panel<M>& panel, int first, int last, int known, const double* shift,
             const Kept& kept, const PanelAverages& averages) {
    const FlushSubnormals flushed;
    const int n = panel.begin, panels = n / M, rank = panel.fields.size();
    std::vector<Reals> modes(IN_BLOCK * rank);
    std::vector<Column<M, Singles>> push(n + M), share(n + M);
    std::vector<const Column<M, Singles>*> before(panels);
    std::array<Tally, M> tallies;
    for (Tally& tally : tallies) tally.fill(0.0);
    double *rows_e[M], *rows_w[M], *with_modes[M], *earlier[M];
    for (int i = 0; i < M; i++) {
        rows_e[i] = averages.correlation[i], rows_w[i] = averages.response[i];
        with_modes[i] = averages.regression[i], earlier[i] = averages.earlier[i];
    }
    for (int block = first; block < last; block++) {
        Path path[IN_BLOCK];
        Reals* E = reinterpret_cast<Reals*>(kept.E) + block * IN_BLOCK * kept.capacity;
        Reals* H = reinterpret_cast<Reals*>(kept.H) + block * IN_BLOCK * kept.capacity;
        Reals* integral = reinterpret_cast<Reals*>(kept.integral) + block * IN_BLOCK * kept.capacity;
        Reals* slope = reinterpret_cast<Reals*>(kept.slope) + block * IN_BLOCK * M;
        for (int t = 0; t < IN_BLOCK; t++) {
            const std::ptrdiff_t start = std::ptrdiff_t(block) * BLOCK + t * Reals::COUNT;
            path[t] = load(sample, start, modes.data() + t * rank, rank);
            const History history{H + t * kept.capacity, E + t * kept.capacity, integral + t * kept.capacity};
            Column<M> guess;
            for (int i = 0; i < M; i++) guess[i] = history.H[n + i];
            const auto map = map_of(Reals::load(sample.scale + start));
            const auto graphs = graphs_of<M>(map, panel.decay);
            if (!cross<M>(panel, map, graphs, path[t], guess, history, slope + t * M)) return false;
            for (int i = 0; i < M; i++)
                observe(graphs[i], path[t], history.H[n + i], history.E[n + i], slope[t * M + i], history.integral[n + i], sample,
                        tallies[i]);
        }
        enter(tallies.data(), M, 0, averages.sums[sample.strata[block]]);
        const auto here = weighted<M>(path, E, IN_BLOCK, kept.capacity, n);
        correlate<M>(here, E, kept.capacity, n + M, rows_e);
        correlate<M>(here, modes.data(), rank, rank, with_modes);
        correlate<M>(weighted<M>(path, modes.data(), IN_BLOCK, rank, known, rank - known), E, kept.capacity, n, earlier);
        const int begin = kept.early[block];
        for (auto& each : share) each.fill(0.0f);
        for (int pair = 0; pair < PAIRS; pair++) {
            const int tile = block * PAIRS + pair;
            const Reals weight[] = {path[pair * IN_PAIR].weight, path[pair * IN_PAIR + 1].weight};
            const auto made = reaction<M>(panel, slope + pair * IN_PAIR * M, slope + (pair * IN_PAIR + 1) * M, weight);
            const auto on = [&](int p) { return reinterpret_cast<Column<M, Singles>*>(kept.tangents[p]) + tile * (p + 1) * M + begin; };
            for (int p = begin / M; p < panels; p++) before[p - begin / M] = on(p);
            Singles* edge = reinterpret_cast<Singles*>(kept.edge) + tile * kept.capacity;
            Singles* reached = reinterpret_cast<Singles*>(kept.reached) + tile * kept.capacity;
            cross<M>(panel, made, begin, before.data(), edge, push.data(), on(panels), reached, share.data());
        }
        collect<M>(share.data(), shift, begin, n, rows_w);
    }
    return true;
}

}  // namespace dln
