// What a panel's averages move by, to first order, where its rows of L and R_r do, eq. (13a): tangents of the past are as they are.
#pragma once

#include "common/flush.hpp"
#include "dmft/propagate.hpp"

namespace dln {

/// Where a panel left its paths: H, E (P / 8, `capacity`, 8) and κ (P / 8, M, 8), and their `tangents` there (P / 16, n + M, M, 16), from
/// the node `early` (P / BLOCK) on.
struct Standing {
    const double *H, *E, *slope;
    const float* tangents;
    const std::int64_t* early;
    std::ptrdiff_t capacity;
};

/// Where the changes of E[W] by slopes, and those of E on the panel with E on all nodes, (M, n + M) each, and with z (M, rank), go.
struct Changes {
    Matrix<double> response, correlation, regression;
};

/// (I + K C)⁻¹ = I − K (I + C K)⁻¹ C.
template <int M>
Square<M> passed_on(const Square<M, double>& C, const Reals* slope) {
    const Square<M> inner = inverse<M>(C, slope);
    Square<M> made;
    for (int i = 0; i < M; i++)
        for (int j = 0; j < M; j++) {
            Reals sum = 0.0;
            for (int k = 0; k < M; k++) sum = fma(C[k][j], inner[i][k], sum);
            made[i][j] = (i == j ? 1.0 : 0.0) - slope[i] * sum;
        }
    return made;
}

/// For the blocks [first, last) of paths: with δF = √c B (δL z + δR_r E), δH = (I + C K)⁻¹ δF, δE = −κ δH/√c, and of tangents W on the
/// panel (I + K C)⁻¹ (δκ/κ) W.
///
/// `move` is the panel with the changes of L and R_r in the place of these, on all nodes; `coupling` is C = B R_r.
template <int M, class MapOf>
void differentiate(const Sample& sample, const MapOf& map_of, const Panel<M>& move, const Square<M, double>& coupling, int first, int last,
                   const double* shift, const Standing& at, const Changes& changes) {
    const FlushSubnormals flushed;
    const int n = move.begin, rank = move.fields.size();
    std::vector<Reals> modes(IN_BLOCK * rank), moved(IN_BLOCK * M);
    std::vector<Square<M>> bent(IN_BLOCK);
    std::vector<Column<M, Singles>> share(n + M);
    double *rows_w[M], *rows_e[M], *with_modes[M];
    for (int i = 0; i < M; i++) rows_w[i] = changes.response[i], rows_e[i] = changes.correlation[i], with_modes[i] = changes.regression[i];
    for (int block = first; block < last; block++) {
        Path path[IN_BLOCK];
        const Reals *E = reinterpret_cast<const Reals*>(at.E) + block * IN_BLOCK * at.capacity,
                    *H = reinterpret_cast<const Reals*>(at.H) + block * IN_BLOCK * at.capacity,
                    *slope = reinterpret_cast<const Reals*>(at.slope) + block * IN_BLOCK * M;
        for (int t = 0; t < IN_BLOCK; t++) {
            const std::ptrdiff_t start = std::ptrdiff_t(block) * BLOCK + t * Reals::COUNT;
            path[t] = load(sample, start, modes.data() + t * rank, rank);
            const auto graphs = graphs_of<M>(map_of(Reals::load(sample.scale + start)), move.decay);
            Column<M> push, slopes;
            push.fill(0.0);
            push = plus_product<M>(push, move.fields.data(), path[t].modes, rank);
            push = plus_product<M>(push, move.memory.data(), E + t * at.capacity, n + M);
            for (int i = 0; i < M; i++) push[i] *= path[t].root, slopes[i] = slope[t * M + i];
            push = solve<M>(coupling, slopes, push);
            bent[t] = passed_on<M>(coupling, slope + t * M);
            for (int j = 0; j < M; j++) {
                const Reals share_of_slope = graphs[j].bend(H[t * at.capacity + n + j]) * push[j];
                for (int i = 0; i < M; i++) bent[t][i][j] *= path[t].weight * share_of_slope;
                moved[t * M + j] = -slopes[j] * push[j] / path[t].root;
            }
        }
        const auto left = weighted<M>(path, moved.data(), IN_BLOCK, M, 0);
        correlate<M>(left, E, at.capacity, n + M, rows_e);
        correlate<M>(left, modes.data(), rank, rank, with_modes);
        const int begin = at.early[block];
        for (auto& each : share) each.fill(0.0f);
        for (int pair = 0; pair < PAIRS; pair++) {
            Square<M, Singles> both;
            for (int i = 0; i < M; i++)
                for (int j = 0; j < M; j++) both[i][j] = rounded(bent[pair * IN_PAIR][i][j], bent[pair * IN_PAIR + 1][i][j]);
            const auto* W = reinterpret_cast<const Column<M, Singles>*>(at.tangents) + std::ptrdiff_t(block * PAIRS + pair) * (n + M);
            for (int s = begin; s < n + M; s++)
                for (int i = 0; i < M; i++)
                    for (int j = 0; j < M; j++) share[s][i] = fma(both[i][j], W[s][j], share[s][i]);
        }
        collect<M>(share.data(), shift, begin, n, rows_w);
    }
}

}  // namespace dln
