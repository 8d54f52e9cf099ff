// Which levels of its instruction set this processor has.
#include <nanobind/nanobind.h>

NB_MODULE(_level, module) {
    module.def("level", [] {
#if defined(__x86_64__)
        return __builtin_cpu_supports("x86-64-v4") ? 4 : __builtin_cpu_supports("x86-64-v3") ? 3 : 1;
#else
        return 1;
#endif
    }, "4 with AVX-512, 3 with AVX2, else 1.");
}
