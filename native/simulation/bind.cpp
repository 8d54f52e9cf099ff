// What Python sees of the finite network.
#include "common/arrays.hpp"

namespace dln {

void bind_simulation(nanobind::module_&) {}

}  // namespace dln
