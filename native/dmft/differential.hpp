// What a panel's averages move by, to first order, where its rows of L and R_r do, eq. (13a): tangents of the past are as they are.
#pragma once

#include "common/flush.hpp"
#include "dmft/propagate.hpp"

namespace dln {

/// A direction of eq. (13a) on the panel after `begin` nodes: the changes of its rows of L and R_r times B, and what paths meet there.
template <int M>
struct Move {
    int begin = 0;
    Rows<M, double> field_change;     // B δL, (rank)
    Rows<M, double> memory_change;    // B δR_r on all nodes, (n + M)
    Square<M, double> coupling{};     // C = B R with its own block of R_r
    std::array<double, M> decay{};    // −2λt
};

/// The direction of changes of the rows of L (M, rank) and R_r (M, n + M), where those of R_r are `memory`; B (M, M) and −2λt (M).
template <int M>
Move<M> move_along(Matrix<const double> factor_change, Matrix<const double> memory_change, Matrix<const double> memory,
                   Matrix<const double> integral, const double* decay) {
    const auto B = square<M>(integral);
    const int nodes = memory.columns, begin = nodes - M;
    Move<M> made{begin, integrated<M>(B, factor_change, factor_change.columns), integrated<M>(B, memory_change, nodes),
                 block_of<M>(integrated<M>(B, memory, nodes), begin), {}};
    std::copy_n(decay, M, made.decay.begin());
    return made;
}

/// Where a panel left its paths: H, E (P / 8, `capacity`, 8) and κ (P / 8, M, 8), and their `tangents` there (P / 16, n + M, M, 16), from
/// the node `early` (P / BLOCK) on.
struct Left {
    const double *H, *E, *slope;
    const float* tangents;
    const std::int64_t* early;
    std::ptrdiff_t capacity;

    /// H or E of a tile of paths, on every node.
    const Reals* of(const double* values, std::ptrdiff_t tile) const { return reinterpret_cast<const Reals*>(values) + tile * capacity; }
};

/// Where the changes go: of R_w by slopes and E[δE E], (M, n + M) each, with E on all nodes, and E[δE z] (M, rank).
struct Changes {
    Matrix<double> response, correlation, regression;
};

/// A block of paths along a direction: δE on the panel, and (I + κ C)⁻¹ δκ/κ times the weight, by which its tangents there change.
template <int M>
struct Bent {
    Path path[IN_BLOCK];
    std::vector<Reals> modes, errors;  // (tiles, rank), (tiles, M)
    std::vector<Square<M>> tangents;   // (tiles)

    explicit Bent(int rank) : modes(IN_BLOCK * rank), errors(IN_BLOCK * M), tangents(IN_BLOCK) {}
};

/// (I + κ C)⁻¹ = I − κ (I + C κ)⁻¹ C.
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

/// Fills `bent` for one block: with δF = √c B (δL z + δR_r E), δH = (I + C κ)⁻¹ δF and δE = −κ δH/√c.
template <int M, class MapOf>
void bend_paths(const Sample& sample, const MapOf& map_of, const Move<M>& move, int block, const Left& left, Bent<M>& bent) {
    const int n = move.begin, rank = move.field_change.size();
    for (int t = 0; t < IN_BLOCK; t++) {
        const std::ptrdiff_t tile = std::ptrdiff_t(block) * IN_BLOCK + t, start = tile * Reals::COUNT;
        const Path& path = bent.path[t] = load(sample, start, bent.modes.data() + t * rank, rank);
        const Reals *H = left.of(left.H, tile) + n, *slope = reinterpret_cast<const Reals*>(left.slope) + tile * M;
        Reals* errors = bent.errors.data() + t * M;
        const auto graphs = graphs_of<M>(map_of(Reals::load(sample.scale + start)), move.decay);
        Column<M> push, slopes;
        push.fill(0.0);
        push = plus_product<M>(push, move.field_change.data(), path.modes, rank);
        push = plus_product<M>(push, move.memory_change.data(), left.of(left.E, tile), n + M);
        for (int i = 0; i < M; i++) push[i] *= path.root, slopes[i] = slope[i];
        push = solve<M>(move.coupling, slopes, push);
        Square<M>& matrix = bent.tangents[t] = passed_on<M>(move.coupling, slope);
        for (int j = 0; j < M; j++) {
            const Reals share_of_slope = graphs[j].bend(H[j]) * push[j];
            for (int i = 0; i < M; i++) matrix[i][j] *= path.weight * share_of_slope;
            errors[j] = -slopes[j] * push[j] / path.root;
        }
    }
}

/// Fills `share`, (nodes = n + M), with what the tangents of a block of paths have of the change of R_w.
template <int M>
void bend_tangents(const Bent<M>& bent, const Left& left, int block, int nodes, Column<M, Singles>* share) {
    const int begin = left.early[block];
    for (int s = 0; s < nodes; s++) share[s].fill(0.0f);
    for (int pair = 0; pair < PAIRS; pair++) {
        const Square<M> &first = bent.tangents[pair * IN_PAIR], &second = bent.tangents[pair * IN_PAIR + 1];
        Square<M, Singles> both;
        for (int i = 0; i < M; i++)
            for (int j = 0; j < M; j++) both[i][j] = rounded(first[i][j], second[i][j]);
        const auto* W = reinterpret_cast<const Column<M, Singles>*>(left.tangents) + (std::ptrdiff_t(block) * PAIRS + pair) * nodes;
        for (int s = begin; s < nodes; s++)
            for (int i = 0; i < M; i++)
                for (int j = 0; j < M; j++) share[s][i] = fma(both[i][j], W[s][j], share[s][i]);
    }
}

/// Adds what the averages of the blocks [first, last) of paths change by along the `move`.
///
/// `shift` (n + M) are the weights of the nodes in the integral over time.
template <int M, class MapOf>
void differentiate(const Sample& sample, const MapOf& map_of, const Move<M>& move, int first, int last, const double* shift,
                   const Left& left, const Changes& changes) {
    const FlushSubnormals flushed;
    const int n = move.begin, rank = move.field_change.size();
    Bent<M> bent(rank);
    std::vector<Column<M, Singles>> share(n + M);
    const auto response = row_starts<M>(changes.response), correlation = row_starts<M>(changes.correlation),
               regression = row_starts<M>(changes.regression);
    for (int block = first; block < last; block++) {
        bend_paths<M>(sample, map_of, move, block, left, bent);
        const auto errors = weighted<M>(bent.path, bent.errors.data(), IN_BLOCK, M, 0);
        correlate<M>(errors, left.of(left.E, std::ptrdiff_t(block) * IN_BLOCK), left.capacity, n + M, correlation);
        correlate<M>(errors, bent.modes.data(), rank, rank, regression);
        bend_tangents<M>(bent, left, block, n + M, share.data());
        collect<M>(share.data(), shift, left.early[block], n, response);
    }
}

}  // namespace dln
