// The LAPACK that SciPy ships, by the pointers that its Cython interface exports: nothing to link, and one library for all of the process.
#pragma once

#include <nanobind/nanobind.h>

#include <vector>

namespace dln::lapack {

/// The function `name` of scipy.linalg.cython_lapack. Called with the interpreter lock, once, when the module is loaded.
template <class Function>
Function* of_scipy(const char* name) {
    auto exported = nanobind::module_::import_("scipy.linalg.cython_lapack").attr("__pyx_capi__")[name];
    return reinterpret_cast<Function*>(PyCapsule_GetPointer(exported.ptr(), PyCapsule_GetName(exported.ptr())));
}

}  // namespace dln::lapack
