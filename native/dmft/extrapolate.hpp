// A first guess of H in eq. (10) on a panel, for paths whose histories are kept.
#pragma once

#include "dmft/advance.hpp"

namespace dln {

/// Fills H (P / 8, `capacity`, 8) on the M nodes after n, from the last three; `decay` is −2λt at the left edge and on the nodes (1 + M).
template <int M, class MapOf>
void extrapolate(const Sample& sample, const MapOf& map_of, int n, const Ahead<M>& ahead, const double* decay, double* heights,
                 std::ptrdiff_t capacity) {
    for (std::ptrdiff_t tile = 0; tile < sample.blocks * IN_BLOCK; tile++) {
        Reals* H = reinterpret_cast<Reals*>(heights) + tile * capacity;
        const auto map = map_of(Reals::load(sample.scale + tile * Reals::COUNT));
        for (int i = 0; i < M; i++)
            H[n + i] = n ? guess(ahead[i], map.at(decay[1 + i]), map.at(decay[0]), H + n - 1)
                         : Reals::load(sample.origin + tile * Reals::COUNT);
    }
}

}  // namespace dln
