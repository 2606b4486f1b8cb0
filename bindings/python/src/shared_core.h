// shared_core.h — a core and its mutex.
//
// Every call converts its arguments with the GIL held, then releases the GIL, then takes the core's
// mutex: so several Python threads may share a core, and none of them stops the interpreter.
#pragma once

#include <mutex>
#include <utility>

#include "keys.h"

namespace tunnel::python {

class SharedCore {
 public:
  explicit SharedCore(tunnel::Core core) : core_(std::move(core)) {}

  // Runs `use(core)`, which returns a status, without the GIL.
  template <class Use>
  std::int32_t run_quietly(Use use) {
    const py::gil_scoped_release release;
    const std::lock_guard lock(mutex_);
    return core_.get() == nullptr ? TUNNEL_ERR_CLOSED : use(core_);
  }

  // The same; raises when the status is an error.
  template <class Use>
  std::int32_t run(const char* what, Use use) {
    return check(run_quietly(use), what);
  }

  // Wipes the keys now. Harmless when closed already.
  void close() {
    const py::gil_scoped_release release;
    const std::lock_guard lock(mutex_);
    core_ = tunnel::Core(nullptr);
  }

 private:
  std::mutex mutex_;
  tunnel::Core core_;
};

// What an optional argument holds; null when it is None.
template <class T>
const T* optional(const py::object& value, const char* name) {
  if (value.is_none()) return nullptr;
  if (!py::isinstance<T>(value)) {
    refuse_type(std::string(name) + " must be a tunnel." +
                py::type::of<T>().attr("__name__").template cast<std::string>() + " or None");
  }
  return &value.cast<const T&>();
}

// PeerInfo, and the methods of Core that deal with peers.
void add_peers(py::module_& module, py::class_<SharedCore>& type);

}  // namespace tunnel::python
