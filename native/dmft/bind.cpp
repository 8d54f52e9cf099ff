// What Python sees of the loops over sampled paths.
#include "common/arrays.hpp"

namespace dln {

void bind_dmft(nanobind::module_&) {}

}  // namespace dln
