#include "binding.h"

namespace tunnel::python {

namespace {

[[noreturn]] void raise(const py::object& exception) {
  PyErr_SetObject(py::type::of(exception).ptr(), exception.ptr());
  throw py::error_already_set();
}

py::module_ errors() {
  return py::module_::import("tunnel._errors");
}

}  // namespace

std::int32_t check(std::int32_t status, const char* what) {
  if (status < 0) raise(errors().attr("from_status")(status, what));
  return status;
}

void refuse_value(const std::string& message) {
  raise(errors().attr("bad_value")(message));
}

void refuse_type(const std::string& message) {
  throw py::type_error(message);
}

std::uint64_t to_unsigned(py::handle value, const char* name, std::uint64_t max) {
  // bool is an int to Python, but never what somebody meant here.
  if (!PyLong_Check(value.ptr()) || PyBool_Check(value.ptr())) {
    refuse_type(std::string(name) + " must be an int");
  }
  const auto number = PyLong_AsUnsignedLongLong(value.ptr());
  const bool overflow = PyErr_Occurred() != nullptr;
  if (overflow) PyErr_Clear();
  if (overflow || number > max) {
    refuse_value(std::string(name) + " must be from 0 to " + std::to_string(max));
  }
  return number;
}

std::string_view to_text(py::handle value, const char* name) {
  if (!PyUnicode_Check(value.ptr())) refuse_type(std::string(name) + " must be a str");
  Py_ssize_t length = 0;
  const char* utf8 = PyUnicode_AsUTF8AndSize(value.ptr(), &length);
  if (utf8 == nullptr) throw py::error_already_set();
  return {utf8, static_cast<std::size_t>(length)};
}

tunnel_time to_time(py::handle value) {
  if (!PyTuple_Check(value.ptr()) || PyTuple_Size(value.ptr()) != 2) {
    refuse_type("now must be a tunnel.Time or a tuple (mono_ns, wall_ns)");
  }
  const auto pair = py::reinterpret_borrow<py::tuple>(value);
  return {to_unsigned(pair[0], "mono_ns", UINT64_MAX - 1),
          to_unsigned(pair[1], "wall_ns", UINT64_MAX - 1)};
}

tunnel_address to_address(py::handle value, const char* name) {
  if (value.is_none()) return {};
  const auto address = parse_address(to_text(value, name));
  if (!address) {
    refuse_value(std::string(name) + " is no address: " + py::repr(value).cast<std::string>() +
                 "; write '192.0.2.1:51820' or '[2001:db8::1]:51820'");
  }
  return *address;
}

py::object from_address(const tunnel_address& address) {
  if (address.family == TUNNEL_FAMILY_NONE) return py::none();
  return py::str(to_string(address));
}

PinnedBytes::PinnedBytes(py::handle object) {
  if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_SIMPLE) != 0) throw py::error_already_set();
}

py::object take(const py::kwargs& options, const char* name) {
  if (!options.contains(name)) return py::none();
  return options.attr("pop")(name);
}

void refuse_rest(const py::kwargs& options, const char* function) {
  for (const auto& option : options) {
    refuse_type(std::string(function) + " has no argument " +
                py::repr(option.first).cast<std::string>());
  }
}

}  // namespace tunnel::python
