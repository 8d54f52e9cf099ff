#include "level.hpp"

#include <nanobind/nanobind.h>

NB_MODULE(_level, module) {
    module.def("level", &dln::level, "4 with AVX-512, 3 with AVX2, else 1.");
}
