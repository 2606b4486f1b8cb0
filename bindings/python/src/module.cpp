// module.cpp — tunnel._native, the compiled half of the Python package `tunnel`.
#include "binding.h"

PYBIND11_MODULE(_native, module) {
  tunnel::python::add_keys(module);
  tunnel::python::add_packets(module);
  tunnel::python::add_values(module);
  tunnel::python::add_core(module);
}
