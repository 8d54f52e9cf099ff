// What Python gives, by name: arrays of one type and order of memory, whose shape is checked once.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "common/arrays.hpp"

namespace dln::simulation {

template <class T>
constexpr const char* NAME_OF = std::is_same_v<T, double> ? "float64" : std::is_same_v<T, float> ? "float32" : std::is_same_v<T, std::int64_t> ? "int64" : "int16";

/// Whether `argument` is a contiguous array of this type and number of axes; if so, in `array`.
template <class T, int AXES>
bool is_array(nanobind::handle argument, dln::Array<const T, AXES>& array) {
    return nanobind::try_cast(argument, array, false);
}

/// Raises TypeError unless `argument` is a contiguous array of this type and number of axes, ValueError unless it has the `shape`.
template <class T, int AXES>
dln::Array<const T, AXES> array(const char* name, nanobind::handle argument, std::initializer_list<std::ptrdiff_t> shape) {
    dln::Array<const T, AXES> found;
    if (!is_array<T, AXES>(argument, found)) {
        const std::string wanted = std::string("a contiguous array of type ") + NAME_OF<T> + " and " + std::to_string(AXES) + " axes";
        throw nanobind::type_error((std::string(name) + " has to be " + wanted).c_str());
    }
    expect(name, found, shape);
    return found;
}

/// The numbers of an array with one axis of that length.
inline std::vector<double> numbers(const char* name, nanobind::handle argument, std::ptrdiff_t length) {
    const auto found = array<double, 1>(name, argument, {length});
    return {found.data(), found.data() + found.size()};
}

/// Raises ValueError unless the number is at least `least`.
template <class T>
void at_least(const char* name, T number, T least) {
    if (!(number >= least)) throw std::invalid_argument(std::string(name) + " has to be at least " + std::to_string(least));
}

/// Numbers that an object of Python's owns, which the array keeps alive.
inline nanobind::ndarray<nanobind::numpy, const double> shown(const std::vector<double>& values) {
    return {values.data(), {values.size()}, nanobind::handle()};
}

/// Numbers as an array of NumPy's that owns them.
template <class T>
nanobind::ndarray<nanobind::numpy, T> to_numpy(std::vector<T> values, std::vector<std::size_t> shape = {}) {
    if (shape.empty()) shape = {values.size()};
    auto* kept = new std::vector<T>(std::move(values));
    nanobind::capsule owner(kept, [](void* each) noexcept { delete static_cast<std::vector<T>*>(each); });
    return {kept->data(), shape.size(), shape.data(), owner};
}

}  // namespace dln::simulation
