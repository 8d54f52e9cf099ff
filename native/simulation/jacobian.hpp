// Functions of the Jacobian J = −(XᵀX/δ) κ of the flow, eq. (38), times a vector b, which are all that a step asks for.
#pragma once

#include "simulation/arrays.hpp"

namespace dln::simulation {

class Functions {
  public:
    virtual ~Functions() = default;

    /// That of b.
    virtual std::ptrdiff_t dimension() const = 0;

    /// Makes factor · φ_p(hJ)b known to `limit`, in `change`; the longest step for which it is, h or less.
    virtual double build(int p, double factor, double h, double limit) = 0;

    /// x + s φ_p(hJ)b.
    virtual Array add(const Array& x, double s, int p, double h) const = 0;

    /// The largest decay rate seen, a lower bound of the spectral radius.
    virtual double radius() const = 0;
};

}  // namespace dln::simulation
