// The Python module of one level of processors; see dlnflow/native.
#include <nanobind/nanobind.h>

namespace dln {
void bind_dmft(nanobind::module_& module);
void bind_simulation(nanobind::module_& module);
}  // namespace dln

NB_MODULE(DLN_MODULE, module) {
    nanobind::set_leak_warnings(false);  // a program may hold paths or a network until its end
    auto dmft = module.def_submodule("dmft", "Loops over sampled paths, and the algebra of a panel's rows.");
    dln::bind_dmft(dmft);
    auto simulation = module.def_submodule("simulation", "Products with a design, and steps of a finite network.");
    dln::bind_simulation(simulation);
}
