// Which level of its instruction set this processor has. Asked of the processor itself: what compilers offer for it differs, and Zig has
// nothing.
#pragma once
#include <initializer_list>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace dln {

#if defined(__x86_64__)
struct Leaf {
    unsigned a = 0, b = 0, c = 0, d = 0;

    explicit Leaf(unsigned number) { __get_cpuid_count(number, 0, &a, &b, &c, &d); }
};

inline bool has(unsigned word, std::initializer_list<int> bits) {
    for (const int bit : bits) {
        if (!(word >> bit & 1)) return false;
    }
    return true;
}

/// Which registers the operating system keeps: bits 1 and 2 for AVX, 5 to 7 for AVX-512. Only where the processor has XGETBV.
inline unsigned kept_registers() {
    unsigned low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

/// The levels of the System V ABI for x86-64, by the bits of CPUID (Intel 64 manual, volume 2, CPUID; volume 1, 13.3).
inline int level() {
    const Leaf basic(1), structured(7), extended(0x80000001);
    const bool has_v3 = has(basic.c, {12, 22, 27, 28, 29}) && has(structured.b, {3, 5, 8}) && has(extended.c, {5});
    if (!has_v3 || !has(kept_registers(), {1, 2})) return 1;
    return has(structured.b, {16, 17, 28, 30, 31}) && has(kept_registers(), {5, 6, 7}) ? 4 : 3;
}
#else
inline int level() { return 1; }
#endif

}  // namespace dln
