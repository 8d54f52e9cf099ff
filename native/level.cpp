// Which level of its instruction set this processor has.
#include <nanobind/nanobind.h>

namespace {

#if defined(__x86_64__)
bool has_avx2() {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}

bool has_avx512() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

int level() { return !has_avx2() ? 1 : has_avx512() ? 4 : 3; }
#else
int level() { return 1; }
#endif

}  // namespace

NB_MODULE(_level, module) {
    module.def("level", &level, "4 with AVX-512, 3 with AVX2, else 1.");
}
