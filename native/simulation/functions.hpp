// e^x and the functions φ of eq. (39), to rounding, by sums and products alone: their bits are the same on every processor.
#pragma once

#include "simulation/arrays.hpp"

namespace dln::simulation {

/// e^x for x < 700; 0 where it would be below 1e-307.
inline Reals exponential(const Reals& x) {
    constexpr double SHIFTER = 0x1.8p52;  // brings the nearest integer into the last bits
    constexpr double LOG2_HIGH = 0x1.62e42fee00000p-1, LOG2_LOW = 0x1.a39ef35793c76p-33;  // a product of the first with an integer is exact
    constexpr int TERMS = 13;             // of the series of e^r for |r| ≤ log(2)/2, which leave 4e-18
    const Reals shifted = x * 1.4426950408889634 + SHIFTER, power = shifted - SHIFTER;
    const Reals r = (x - power * LOG2_HIGH) - power * LOG2_LOW;
    constexpr auto INVERSE_FACTORIALS = [] {
        struct { double of[TERMS + 1]; } inverse{};
        double factorial = 1.0;
        for (int k = 0; k <= TERMS; k++) inverse.of[k] = 1.0 / (factorial *= k > 0 ? k : 1);
        return inverse;
    }();
    Reals series = INVERSE_FACTORIALS.of[TERMS];
    for (int k = TERMS - 1; k >= 0; k--) series = series * r + INVERSE_FACTORIALS.of[k];
    const Integers exponent = Integers::each([&](int i) { return (bits(shifted).part[i] + 1023) << 52; });
    return select(x < -707.0, 0.0, series * reals(exponent));
}

/// φ_order(x) for x ≤ 0: φ₀ = exp and φ_p(x) = (φ_{p−1}(x) − 1/(p−1)!)/x, at 0 its limit 1/p!.
inline Reals phi(int order, const Reals& x) {
    constexpr int TERMS = 18;  // of the series for |x| < 1
    double inverse_factorial = 1.0;
    Reals recursive = exponential(x), series = 1.0;
    for (int p = 1; p <= order; p++) recursive = (recursive - inverse_factorial) / x, inverse_factorial /= p;
    for (int j = TERMS; j > 0; j--) series = 1.0 + series * x * (1.0 / (order + j));
    return select(x > -1.0, series * inverse_factorial, recursive);
}

inline Array phi(int order, double h, const Array& x) {
    Array values(x.size());
    each_lane(x.size(), [&](auto at) { at.store(values, phi(order, h * at(x))); });
    return values;
}

/// φ_order(0).
inline double phi_at_zero(int order) { return phi(order, Reals(0.0))[0]; }

}  // namespace dln::simulation
