// binding.h — what the files of the Python module share.
//
// The module stands on the public C++ headers alone. It holds the GIL while it touches Python
// objects and releases it while a core works: a core has a mutex of its own, and nobody waits for
// that mutex with the GIL held.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tunnel/tunnel.hpp>

namespace tunnel::python {

namespace py = pybind11;

// ---- errors: these raise ----

// Gives a status of the C library back when it is no error.
std::int32_t check(std::int32_t status, const char* what);
[[noreturn]] void refuse_value(const std::string& message);  // ArgumentError
[[noreturn]] void refuse_type(const std::string& message);   // TypeError

// ---- arguments ----

// An int from 0 to `max`.
std::uint64_t to_unsigned(py::handle value, const char* name, std::uint64_t max);
// The text of a str, which owns it. TypeError for anything else.
std::string_view to_text(py::handle value, const char* name);
// (mono_ns, wall_ns).
tunnel_time to_time(py::handle value);
// "192.0.2.1:51820"; None is no address.
tunnel_address to_address(py::handle value, const char* name);
py::object from_address(const tunnel_address& address);

// Takes an option out of the keyword arguments; None when it is absent.
py::object take(const py::kwargs& options, const char* name);
// TypeError when options are left.
void refuse_rest(const py::kwargs& options, const char* function);

// The bytes of a bytes-like object, pinned while this lives.
class PinnedBytes {
 public:
  explicit PinnedBytes(py::handle object);
  PinnedBytes(const PinnedBytes&) = delete;
  PinnedBytes& operator=(const PinnedBytes&) = delete;
  ~PinnedBytes() { PyBuffer_Release(&view_); }

  std::span<const std::uint8_t> bytes() const noexcept {
    return {static_cast<const std::uint8_t*>(view_.buf), static_cast<std::size_t>(view_.len)};
  }

 private:
  Py_buffer view_{};
};

// ---- the parts of the module ----

void add_keys(py::module_& module);
void add_packets(py::module_& module);
void add_values(py::module_& module);
void add_core(py::module_& module);

}  // namespace tunnel::python
