// What Python sees of the finite network.
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/typing.h>

#include "simulation/arguments.hpp"
#include "simulation/any_depth.hpp"
#include "simulation/flow.hpp"
#include "simulation/rounding.hpp"

namespace dln::simulation {

namespace nb = nanobind;
using namespace nb::literals;

constexpr double WATCHED = 5e7;   // entries of X in products between two calls of `watch`: some five milliseconds
constexpr double OVERHEAD = 2e4;  // entries that take as long as what else goes with a product

/// Calls `take` without the interpreter lock.
template <class Take>
auto unlocked(Take take) {
    const nb::gil_scoped_release unlocked;
    return take();
}

std::ptrdiff_t first_column(bool triangular) { return triangular ? 0 : FULL; }

/// Raises ValueError unless the order of a function φ is one.
int order(const char* name, int p) {
    if (p < 0 || p > 10) throw std::invalid_argument(std::string(name) + " has to be between 0 and 10");
    return p;
}

void fits(const Design& design, const Spectrum& spectrum) {
    if (std::ptrdiff_t(spectrum.k.size()) != design.dimension() || spectrum.vectors.rows != design.rows())
        throw std::invalid_argument("spectrum is that of a network of another size");
}

void fits(const Design& design, const Point& point) {
    if (std::ptrdiff_t(point.H.size()) != design.dimension() || std::ptrdiff_t(point.r.size()) != design.rows())
        throw std::invalid_argument("origin or base is that of a network of another size");
}

/// nanobind knows no constant objects; Python can change nothing of this one.
std::shared_ptr<Point> shown(const Shared& point) { return std::const_pointer_cast<Point>(point); }

void bind_design(nb::module_& module) {
    const auto make = [](Design* design, nb::handle X, bool triangular, std::ptrdiff_t cut, int threads, nb::handle rounded, nb::handle units,
                         nb::handle diagonal) {
        dln::Array<const float, 2> single;
        dln::Array<const double, 2> twice;
        Design made{{}, first_column(triangular), {}, {}, {}, cut, threads};
        if (is_array<float, 2>(X, single)) {
            made.X = dln::matrix(single);
        } else if (is_array<double, 2>(X, twice)) {
            made.X = dln::matrix(twice);
        } else {
            throw nb::type_error("X has to be a contiguous array of type float32 or float64 and 2 axes");
        }
        const std::ptrdiff_t rows = made.rows(), d = made.dimension();
        if (d < 1) throw std::invalid_argument("X has no columns");
        if (triangular && rows > d) throw std::invalid_argument("X is triangular and has more rows than columns");
        if (cut < 0 || (cut > 0 && cut >= rows)) throw std::invalid_argument("cut has to be 0 or a row of X within");
        if (!rounded.is_none()) {
            made.rounded = dln::matrix(array<std::int16_t, 2>("rounded", rounded, {rows, d}));
            made.units = numbers("units", units, d);
            made.diagonal = numbers("diagonal", diagonal, triangular ? rows : 0);
        }
        new (design) Design(std::move(made));
    };
    nb::class_<Design>(module, "Design", "X, what is next to it in integers of 16 bits, and products with them.")
        .def("__init__", make, "X"_a, nb::kw_only(), "triangular"_a, "cut"_a, "threads"_a, "rounded"_a = nb::none(), "units"_a = nb::none(),
             "diagonal"_a = nb::none(), nb::keep_alive<1, 2>(), nb::keep_alive<1, 6>())
        .def("residual_and_force", [](const Design& design, nb::handle w, nb::handle y) {
            const Array at = numbers("w", w, design.dimension()), labels = numbers("y", y, design.rows());
            Product product = unlocked([&] { return design.residual_and_force(at, labels); });
            return std::pair(to_numpy(std::move(product.r)), to_numpy(std::move(product.image)));
        }, "w"_a, "y"_a, "Xw − y, shape (rows,), and Xᵀ times that, shape (d,).")
        .def("batch", [](const Design& design, nb::handle rows, nb::handle w, nb::handle y) {
            if (design.first != FULL) throw std::invalid_argument("X is triangular: its rows are not those of samples");
            const auto given = array<std::int64_t, 1>("rows", rows, {-1});
            const std::vector<std::int64_t> chosen(given.data(), given.data() + given.size());
            for (std::int64_t row : chosen)
                if (row < 0 || row >= design.rows()) throw std::invalid_argument("rows has to be between 0 and the last row of X");
            const Array at = numbers("w", w, design.dimension()), labels = numbers("y", y, given.size());
            Product product = unlocked([&] { return design.batch(chosen, at, labels); });
            return std::pair(to_numpy(std::move(product.r)), to_numpy(std::move(product.image)));
        }, "rows"_a, "w"_a, "y"_a, "Xw − y of m chosen rows of X, shape (m,), and Xᵀ times that, shape (d,); X is not triangular.")
        .def("products", [](const Design& design, nb::handle x, double error) {
            const Array at = numbers("x", x, design.dimension());
            Product product = unlocked([&] { return design.products(at, error); });
            return std::pair(to_numpy(std::move(product.r)), to_numpy(std::move(product.image)));
        }, "x"_a, "error"_a, "Xx, shape (rows,), and XᵀXx, shape (d,), to the relative error, about.");
    module.def("round_columns", [](nb::handle X, bool triangular, int levels) {
        const auto given = array<float, 2>("X", X, {-1, -1});
        const Matrix<const float> entries = dln::matrix(given);
        const std::size_t rows = entries.rows, d = entries.columns;
        if (levels < 1 || levels > 32767) throw std::invalid_argument("levels has to be between 1 and 32767");
        std::vector<std::int16_t> Q(rows * d);
        std::vector<float> units(d), squares(d);
        unlocked([&] {
            const Matrix<std::int16_t> rounded{Q.data(), entries.rows, entries.columns};
            round_columns(entries, first_column(triangular), float(levels), rounded, units.data(), squares.data());
        });
        return std::tuple(to_numpy(std::move(Q), {rows, d}), to_numpy(std::move(units)), to_numpy(std::move(squares)));
    }, "X"_a, nb::kw_only(), "triangular"_a, "levels"_a, "Integers up to `levels`, a unit for each column, and the sums of its squares.");
}

void bind_point(nb::module_& module) {
    nb::class_<Point> bound(module, "Point", "A network at the time t: H, w, w and the slope k without what is clipped, h and r.");
    bound.def_ro("t", &Point::t);
    const auto member = [&](const char* name, Array Point::*of) {
        bound.def_prop_ro(name, [of](const Point& point) { return shown(point.*of); });
    };
    member("H", &Point::H), member("w", &Point::w), member("free", &Point::free), member("k", &Point::k), member("force", &Point::force);
    member("r", &Point::r);
}

void bind_functions(nb::module_& module) {
    module.def("phi", [](int p, nb::handle x) { return to_numpy(phi(order("p", p), 1.0, numbers("x", x, -1))); }, "p"_a, "x"_a, "φ_p(x) for x ≤ 0.");
    nb::class_<Functions>(module, "Functions", "Functions of the Jacobian J of a flow times a vector b.")
        .def("build", [](Functions& functions, int p, double factor, double h, double limit) {
            order("p", p);
            return unlocked([&] { return functions.build(p, factor, h, limit); });
        }, "p"_a, "factor"_a, "h"_a, "limit"_a, "Make factor · φ_p(hJ)b known to `limit`; the longest step for which it is, h or less.")
        .def("add", [](const Functions& functions, nb::handle x, double s, int p, double h) {
            order("p", p);
            const Array given = numbers("x", x, functions.dimension());
            return to_numpy(unlocked([&] { return functions.add(given, s, p, h); }));
        }, "x"_a, "s"_a, "p"_a, "h"_a, "x + s φ_p(hJ)b, shape (d,).")
        .def_prop_ro("radius", &Functions::radius, "The largest decay rate seen.");
    const auto make_krylov = [](Krylov* krylov, const Design& design, double per_sample, nb::handle k, nb::handle b, double error) {
        const std::ptrdiff_t d = design.dimension();
        const auto gram = [&design, per_sample, error](const Array& x) { return scaled(per_sample, design.products(x, error).image); };
        new (krylov) Krylov(numbers("k", k, d), Array(d, 1.0), numbers("b", b, d), gram);
    };
    nb::class_<Krylov, Functions>(module, "Krylov", "By a Krylov space, of products that have the relative error.")
        .def("__init__", make_krylov, "design"_a, nb::kw_only(), "per_sample"_a, "k"_a, "b"_a, "error"_a, nb::keep_alive<1, 2>());
    const auto make_spectrum = [](Spectrum* spectrum, nb::handle k, nb::handle decay, nb::handle vectors) {
        const Matrix<const double> rows = dln::matrix(array<double, 2>("vectors", vectors, {-1, -1}));
        expect("vectors", array<double, 2>("vectors", vectors, {-1, -1}), {rows.rows, rows.rows});
        new (spectrum) Spectrum{numbers("k", k, -1), numbers("decay", decay, rows.rows), rows};
    };
    nb::class_<Spectrum>(module, "Spectrum", "The eigenvalues of −X diag(k) Xᵀ/δ and its eigenvectors, one in each row.")
        .def("__init__", make_spectrum, "k"_a, "decay"_a, "vectors"_a, nb::keep_alive<1, 4>());
    const auto make_spectral = [](Spectral* spectral, const Design& design, double per_sample, std::shared_ptr<Spectrum> spectrum,
                                  nb::handle b) {
        fits(design, *spectrum);
        new (spectral) Spectral(design, per_sample, std::move(spectrum), numbers("b", b, design.dimension()));
    };
    nb::class_<Spectral, Functions>(module, "Spectral", "By all eigenvalues.")
        .def("__init__", make_spectral, "design"_a, nb::kw_only(), "per_sample"_a, "spectrum"_a, "b"_a, nb::keep_alive<1, 2>());
}

/// Makes a map of u0, v0 and the weight decay, and of what else it needs, `last`.
template <class Map>
Map make_map(Array u0, Array v0, double weight_decay, double last) {
    if constexpr (std::is_same_v<Map, DepthTwo>) {
        if (!(last > 0)) throw std::invalid_argument("truncation has to be above 0");
        return DepthTwo(u0, v0, weight_decay, last);
    } else {
        if (!(last == 1 || last > 2)) throw std::invalid_argument("depth has to be 1 or above 2");
        return AnyDepth(u0, v0, last, weight_decay);
    }
}

template <class Map>
void bind_network(nb::module_& module, const std::string& prefix) {
    using Of = Network<Map>;
    const auto make = [](Of* network, const Design& design, nb::handle y, nb::handle teacher, nb::handle u0, nb::handle v0, double weight_decay,
                         long samples, double fixed_residual, double last) {
        const std::ptrdiff_t d = design.dimension();
        at_least("samples", samples, 1L);
        new (network) Of{design, make_map<Map>(numbers("u0", u0, d), numbers("v0", v0, d), weight_decay, last), numbers("y", y, design.rows()),
                         numbers("teacher", teacher, d), double(samples), fixed_residual};
    };
    nb::class_<Of>(module, (prefix + "Network").c_str(), "A network: its data, its scalar map, and the force that they make of H.")
        .def("__init__", make, "design"_a, nb::kw_only(), "y"_a, "teacher"_a, "u0"_a, "v0"_a, "weight_decay"_a, "samples"_a, "fixed_residual"_a,
             nb::arg(std::is_same_v<Map, DepthTwo> ? "truncation" : "depth"), nb::keep_alive<1, 2>())
        .def_prop_ro("start", [](const Of& network) { return shown(network.map.start().H); }, "H at t = 0, shape (d,).")
        .def("at", [](const Of& network, double t, nb::handle H) {
            Array given = numbers("H", H, network.design.dimension());
            return unlocked([&] { return std::make_shared<Point>(network.at(network.map.start(), t, std::move(given))); });
        }, "t"_a, "H"_a, "Everything at one time, from H, shape (d,).");
}

template <class Map>
void bind_step(nb::module_& module, const std::string& prefix) {
    using Of = Step<Map>;
    using Four = std::tuple<double, double, double, double>;
    const auto make = [](Of* step, const Network<Map>& network, std::shared_ptr<Point> origin, const Point& base, double length, Four demands,
                         std::shared_ptr<Spectrum> spectrum) {
        const auto [jacobian, defect, end, functions] = demands;
        if (spectrum) fits(network.design, *spectrum);
        for (const Point* point : {static_cast<const Point*>(origin.get()), &base}) fits(network.design, *point);
        unlocked([&] { new (step) Of(network, {jacobian, defect, end, functions}, std::move(origin), base, length, std::move(spectrum), [] {}); });
    };
    nb::class_<Of>(module, (prefix + "Step").c_str(), "A step of the exponential Rosenbrock method.")
        .def("__init__", make, "network"_a, "origin"_a, "base"_a, "length"_a, "demands"_a, "spectrum"_a.none() = nb::none(), nb::keep_alive<1, 2>())
        .def_prop_ro("length", &Of::length)
        .def_prop_ro("end", [](const Of& step) { return shown(step.end()); })
        .def_prop_ro("exact", &Of::exact, "Whether the residual and the force at the end are.")
        .def_prop_ro("error", [](const Of& step) { return shown(step.error()); }, "The estimate of its local error in H, shape (d,).")
        .def_prop_ro("radius", &Of::radius, "The spectral radius of the Jacobian as far as the step saw it.")
        .def("at", [](const Of& step, double s) { return to_numpy(step.at(s)); }, "s"_a, "H at the own time s after the start, shape (d,).");
}

/// Told a time of the flow every few milliseconds; what it raises ends the flow.
using Watch = nb::typed<nb::callable, void(double)>;

/// A flow that calls `watch(t)` now and then, and is left alone meanwhile.
template <class Map>
class WatchedFlow {
  public:
    WatchedFlow(const Network<Map>& network, const Goal& goal) : design_(network.design), flow_(network, goal) {}

    const Design& design() const { return design_; }

    /// Raises RuntimeError where steps are being made, by another thread or further up.
    const Flow<Map>& flow() const {
        if (advancing_) throw std::runtime_error("the flow is advancing: use one for each thread");
        return flow_;
    }

    Outcome advance(double until, double stiffest, std::shared_ptr<const Spectrum> spectrum, const Watch& watch) {
        flow();
        const Advancing here(advancing_);
        return unlocked([&] { return flow_.advance(until, stiffest, std::move(spectrum), [&] { before(watch); }); });
    }

  private:
    struct Advancing {
        bool& flag;

        explicit Advancing(bool& flag) : flag(flag) { flag = true; }
        ~Advancing() { flag = false; }
    };

    void before(const Watch& watch) {
        multiplied_ += double(design_.rows()) * double(design_.dimension()) + OVERHEAD;
        if (multiplied_ < WATCHED) return;
        multiplied_ = 0;
        const nb::gil_scoped_acquire locked;
        watch(flow_.point()->t);
    }

    const Design& design_;
    Flow<Map> flow_;
    double multiplied_ = 0;  // entries of X since the last call
    bool advancing_ = false;
};

template <class Map>
void bind_flow(nb::module_& module, const std::string& prefix) {
    using Of = WatchedFlow<Map>;
    const auto make = [](Of* of, const Network<Map>& network, double tolerance, double end) {
        unlocked([&] { new (of) Of(network, Goal{tolerance, rms(network.y), end}); });
    };
    const auto advance = [](Of& of, double until, double stiffest, std::shared_ptr<Spectrum> spectrum, const Watch& watch) {
        if (spectrum) fits(of.design(), *spectrum);
        return of.advance(until, stiffest, std::move(spectrum), watch);
    };
    const auto at = [](const Of& of, double t) {
        const Flow<Map>& flow = of.flow();
        Snapshot snapshot = unlocked([&] { return flow.at(t); });
        const auto each = [](Array& values) { return to_numpy(std::move(values)); };
        auto& [w, u2, v2, w_before, r_before, integral] = snapshot;
        return std::tuple(each(w), each(u2), each(v2), each(w_before), each(r_before), each(integral));
    };
    nb::class_<Of>(module, (prefix + "Flow").c_str(), "The flow of a network, step by step.")
        .def("__init__", make, "network"_a, nb::kw_only(), "tolerance"_a, "end"_a, nb::keep_alive<1, 2>())
        .def("advance", advance, "until"_a, nb::kw_only(), "stiffest"_a, "spectrum"_a.none(), "watch"_a,
             "Make steps until a time is reached, or until one needs something. `watch(t)` is called every few milliseconds.")
        .def("at", at, "t"_a, "w, u² and v² at a time within the last step, (d,), w (d,) and r (rows,) at its start, and the integral of w (d,) up to the time.")
        .def_prop_ro("point", [](const Of& of) { return shown(of.flow().point()); }, "The last point reached.")
        .def_prop_ro("t", [](const Of& of) { return of.flow().point()->t; })
        .def_prop_ro("exact", [](const Of& of) { return of.flow().exact(); }, "Whether the residual and the force of the last point are.")
        .def_prop_ro("steps", [](const Of& of) { return of.flow().steps(); })
        .def_prop_ro("stiffness", [](const Of& of) { return of.flow().stiffness(); }, "Of the last step that was tried.");
}

/// What depends on the depth of networks.
template <class Map>
void bind_depth(nb::module_& module, const std::string& prefix) {
    bind_network<Map>(module, prefix);
    bind_step<Map>(module, prefix);
    bind_flow<Map>(module, prefix);
}

}  // namespace dln::simulation

namespace dln {

void bind_simulation(nanobind::module_& module) {
    using namespace simulation;
    module.attr("SINGLE") = SINGLE;
    module.attr("ROUNDED") = ROUNDED;
    module.attr("MAX_VECTORS") = MAX_VECTORS;
    nanobind::enum_<Outcome>(module, "Outcome", "Why steps end.")
        .value("REACHED", Outcome::reached, "The time is reached.")
        .value("STIFF", Outcome::stiff, "The next is too stiff for a Krylov space, and no spectrum serves.")
        .value("SHORTENED", Outcome::shortened, "The last was too stiff for a Krylov space and became shorter.")
        .value("STUCK", Outcome::stuck, "Steps that are short enough lead nowhere.");
    bind_design(module);
    bind_point(module);
    bind_functions(module);
    bind_depth<DepthTwo>(module, "");
    bind_depth<AnyDepth>(module, "AnyDepth");
}

}  // namespace dln
