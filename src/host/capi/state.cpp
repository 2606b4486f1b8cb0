// state.cpp — the functions of tunnel/host/state.h.
#include <tunnel/host/state.h>

#include <memory>
#include <string>
#include <utility>

#include "host/capi/objects.h"
#include "host/state/state.h"
#include "host/system/system.h"

namespace base = tunnel::base;
namespace host = tunnel::host;

struct tunnel_state {
  std::unique_ptr<host::State> state;
};

namespace {

// While we have the lock of its journal no daemon of it starts. One without a journal never ran, or
// has ended.
std::int32_t remove_of(const std::string& directory, const std::string& name) {
  std::string words;
  const auto journal = host::Journal::open(directory, name, host::Journal::Missing::error, words);
  const bool free = journal || journal.status() == TUNNEL_ERR_NOT_FOUND;
  return free ? host::remove_state(directory, name) : journal.status();
}

}  // namespace

int32_t tunnel_state_open(const char* directory, const char* name, tunnel_state** state) {
  if (name == nullptr || state == nullptr) return TUNNEL_ERR_ARGUMENT;
  *state = nullptr;
  return host::guarded([&]() -> std::int32_t {
    auto opened = host::open_state(host::journals_or_default(directory), name);
    if (!opened) return opened.status();
    *state = new tunnel_state{std::move(*opened)};
    return TUNNEL_OK;
  });
}

int32_t tunnel_state_apply(tunnel_state* state, tunnel_core* core) {
  if (state == nullptr || core == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&] { return state->state->apply(core); });
}

int32_t tunnel_state_event(tunnel_state* state, const tunnel_event* event) {
  if (state == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    tunnel_event known{};
    const std::int32_t status = base::read_sized(event, known);
    if (status != TUNNEL_OK || known.kind != TUNNEL_EVENT_ENDPOINT) return status;
    state->state->set(host::public_key_of(known.public_key), known.address);
    return TUNNEL_OK;
  });
}

int32_t tunnel_state_set(tunnel_state* state, const uint8_t public_key[TUNNEL_KEY_SIZE],
                         const tunnel_address* endpoint) {
  if (state == nullptr || public_key == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    const host::PublicKey key = host::public_key_of(public_key);
    if (endpoint == nullptr) {
      state->state->forget(key);
    } else {
      state->state->set(key, *endpoint);
    }
    return TUNNEL_OK;
  });
}

int32_t tunnel_state_remove(const char* directory, const char* name) {
  if (name != nullptr && !host::is_tunnel_name(name)) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    const std::string where = host::journals_or_default(directory);
    if (name != nullptr) return remove_of(where, name);
    std::int32_t first = TUNNEL_OK;
    for (const std::string& each : host::state_names(where)) {
      const std::int32_t status = remove_of(where, each);
      if (first == TUNNEL_OK && status != TUNNEL_ERR_IN_USE) first = status;
    }
    return first;
  });
}

void tunnel_state_destroy(tunnel_state* state) {
  delete state;
}
