// The BLAS and LAPACK that SciPy ships, by the pointers that its Cython interface exports: nothing to link, one library in a process.
#pragma once

#include <nanobind/nanobind.h>

#include <algorithm>
#include <vector>

namespace dln::lapack {

/// The function `name` of a module. Called with the interpreter lock, once, when this module is loaded.
template <class Function>
Function* exported(const char* module, const char* name) {
    const auto capsule = nanobind::module_::import_(module).attr("__pyx_capi__")[name];
    return reinterpret_cast<Function*>(PyCapsule_GetPointer(capsule.ptr(), PyCapsule_GetName(capsule.ptr())));
}

/// What is used of them, with Fortran's arguments: matrices are column after column.
struct Library {
    using Product = void(char*, char*, int*, int*, int*, double*, double*, int*, double*, int*, double*, double*, int*);
    using Solve = void(int*, int*, double*, int*, int*, double*, int*, int*);
    using Symmetric = void(char*, char*, int*, double*, int*, double*, double*, int*, int*, int*, int*);
    using Singular = void(char*, char*, int*, int*, double*, int*, double*, double*, int*, double*, int*, double*, int*, int*);
    using Squares = void(int*, int*, int*, double*, int*, double*, int*, double*, double*, int*, double*, int*, int*, int*);

    Product* dgemm = exported<Product>("scipy.linalg.cython_blas", "dgemm");
    Solve* dgesv = exported<Solve>("scipy.linalg.cython_lapack", "dgesv");
    Symmetric* dsyevd = exported<Symmetric>("scipy.linalg.cython_lapack", "dsyevd");
    Singular* dgesvd = exported<Singular>("scipy.linalg.cython_lapack", "dgesvd");
    Squares* dgelsd = exported<Squares>("scipy.linalg.cython_lapack", "dgelsd");
};

inline const Library& library() {
    static const Library loaded;
    return loaded;
}

}  // namespace dln::lapack
