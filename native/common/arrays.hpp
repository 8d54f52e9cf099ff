// NumPy's arrays at the border: contiguous, of one type, and of a shape that is checked once.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <stdexcept>
#include <string>

#include "common/views.hpp"

namespace dln {

/// An array that is only read. Arguments of another type or order are refused by name where they are bound with `.noconvert()`.
template <class T, int DIMENSIONS>
using Array = nanobind::ndarray<T, nanobind::ndim<DIMENSIONS>, nanobind::c_contig, nanobind::device::cpu>;

template <class T>
Matrix<T> matrix(const Array<T, 2>& array) {
    return {array.data(), std::ptrdiff_t(array.shape(0)), std::ptrdiff_t(array.shape(1))};
}

template <class T>
Cube<T> cube(const Array<T, 3>& array) {
    return {array.data(), std::ptrdiff_t(array.shape(0)), std::ptrdiff_t(array.shape(1)), std::ptrdiff_t(array.shape(2))};
}

/// Raises ValueError unless `array` has the `shape`, where −1 stands for any length.
template <class Of>
void expect(const char* name, const Of& array, std::initializer_list<std::ptrdiff_t> shape) {
    bool fits = array.ndim() == shape.size();
    std::string wanted, found;
    std::size_t axis = 0;
    for (const std::ptrdiff_t length : shape) {
        wanted += (axis ? ", " : "") + (length < 0 ? std::string("any") : std::to_string(length));
        if (fits) fits = length < 0 || std::ptrdiff_t(array.shape(axis)) == length;
        axis++;
    }
    for (std::size_t i = 0; i < array.ndim(); i++) found += (i ? ", " : "") + std::to_string(array.shape(i));
    if (!fits) throw std::invalid_argument(std::string(name) + " has the shape (" + found + ") where (" + wanted + ") is wanted");
}

}  // namespace dln
