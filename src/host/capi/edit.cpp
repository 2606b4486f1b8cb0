// edit.cpp — the functions of tunnel/host/edit.h.
#include <tunnel/host/edit.h>
#include <tunnel/host/text.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "host/capi/issue.h"
#include "host/capi/objects.h"
#include "host/config/config.h"
#include "host/control/control.h"
#include "host/system/system.h"

namespace base = tunnel::base;
namespace host = tunnel::host;

struct tunnel_config_edit {
  std::optional<host::LockedFile> file;  // none = text in memory
  host::Document document;
};

namespace {

// Parses the text; what it says goes to `config`, or what is wrong to `issue`.
std::int32_t parse(std::string_view text, host::Config& config, tunnel_config_issue* issue) {
  tunnel_config_issue found{};
  const std::int32_t status = host::parse_config(text, config, found);
  return status == TUNNEL_OK ? status : host::tell(found, issue, status);
}

std::optional<host::PublicKey> key_of(const std::uint8_t* bytes) {
  if (bytes == nullptr) return std::nullopt;
  return host::public_key_of(bytes);
}

bool is_line(std::string_view value) noexcept {
  return value.find_first_of("\r\n") == std::string_view::npos;
}

// What a peer's keys are to be, as texts; wiped with it.
class PeerText {
 public:
  explicit PeerText(const tunnel_config_peer& peer) {
    if (peer.preshared_key != nullptr) {
      (void)tunnel_key_to_text(peer.preshared_key, preshared_key_);
    }
    if (peer.host != nullptr && peer.host[0] != '\0') {
      const std::string host = peer.host;
      const bool brackets = host.find(':') != std::string::npos;
      endpoint_ = (brackets ? "[" + host + "]" : host) + ":" + std::to_string(peer.port);
    } else if (peer.endpoint.family != TUNNEL_FAMILY_NONE) {
      endpoint_ = host::address_text(peer.endpoint);
    }
    for (std::size_t i = 0; i < peer.allowed_ip_count; ++i) {
      allowed_ips_ += (i == 0 ? "" : ", ") + host::prefix_text(peer.allowed_ips[i]);
    }
    if (peer.keepalive_s != 0) keepalive_ = std::to_string(peer.keepalive_s);
  }
  PeerText(const PeerText&) = delete;
  PeerText& operator=(const PeerText&) = delete;
  ~PeerText() { base::wipe(preshared_key_, sizeof(preshared_key_)); }

  bool is_writable() const { return is_line(endpoint_); }

  void put(const host::PublicKey& peer, host::Document& document) const {
    document.set(peer, *host::find_key("PresharedKey"), preshared_key_);
    document.set(peer, *host::find_key("Endpoint"), endpoint_);
    document.set(peer, *host::find_key("AllowedIPs"), allowed_ips_);
    document.set(peer, *host::find_key("PersistentKeepalive"), keepalive_);
  }

 private:
  char preshared_key_[TUNNEL_KEY_TEXT_SIZE] = {};
  std::string endpoint_, allowed_ips_, keepalive_;
};

std::int32_t check_name(const host::Document& document, const host::PublicKey& peer,
                        std::string_view name) {
  if (name.empty()) return TUNNEL_OK;
  if (!host::is_writable_name(name)) return TUNNEL_ERR_ARGUMENT;
  return document.name_taken(name, peer) ? TUNNEL_ERR_EXISTS : TUNNEL_OK;
}

}  // namespace

int32_t tunnel_config_edit_open(const char* path, tunnel_config_edit** edit,
                                tunnel_config_issue* issue) {
  if (path == nullptr || edit == nullptr) return TUNNEL_ERR_ARGUMENT;
  *edit = nullptr;
  return host::guarded([&]() -> std::int32_t {
    errno = 0;
    auto file = host::LockedFile::open(path, host::kLongestFile);
    if (!file) return host::tell(host::unreadable(file.status(), errno), issue, file.status());
    host::Config config;
    const std::int32_t status = parse(file->text(), config, issue);
    if (status != TUNNEL_OK) return status;
    host::Document document(file->text());
    *edit = new tunnel_config_edit{std::move(*file), std::move(document)};
    return TUNNEL_OK;
  });
}

int32_t tunnel_config_edit_parse(const char* text, size_t length, tunnel_config_edit** edit,
                                 tunnel_config_issue* issue) {
  if (edit == nullptr || (text == nullptr && length != 0)) return TUNNEL_ERR_ARGUMENT;
  *edit = nullptr;
  if (length > host::kLongestFile) return TUNNEL_ERR_LIMIT;
  return host::guarded([&]() -> std::int32_t {
    host::Config config;
    const std::int32_t status = parse({text, length}, config, issue);
    if (status != TUNNEL_OK) return status;
    *edit = new tunnel_config_edit{std::nullopt, host::Document({text, length})};
    return TUNNEL_OK;
  });
}

void tunnel_config_edit_close(tunnel_config_edit* edit) {
  delete edit;
}

int32_t tunnel_config_edit_add_peer(tunnel_config_edit* edit, const tunnel_config_peer* peer) {
  if (edit == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    tunnel_config_peer known{};
    std::int32_t status = base::read_sized(peer, known);
    if (status != TUNNEL_OK) return status;
    const auto key = key_of(known.public_key);
    const PeerText text(known);
    if (!key || !text.is_writable()) return TUNNEL_ERR_ARGUMENT;
    const std::string_view name = known.name == nullptr ? "" : known.name;
    if (edit->document.has_peer(*key)) return TUNNEL_ERR_EXISTS;
    status = check_name(edit->document, *key, name);
    if (status != TUNNEL_OK) return status;
    edit->document.add_peer(*key);
    edit->document.rename_peer(*key, name);
    text.put(*key, edit->document);
    return TUNNEL_OK;
  });
}

int32_t tunnel_config_edit_remove_peer(tunnel_config_edit* edit,
                                       const uint8_t public_key[TUNNEL_KEY_SIZE]) {
  const auto key = key_of(public_key);
  if (edit == nullptr || !key) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    if (!edit->document.has_peer(*key)) return TUNNEL_ERR_NOT_FOUND;
    edit->document.remove_peer(*key);
    return TUNNEL_OK;
  });
}

int32_t tunnel_config_edit_rename_peer(tunnel_config_edit* edit,
                                       const uint8_t public_key[TUNNEL_KEY_SIZE],
                                       const char* name) {
  const auto key = key_of(public_key);
  if (edit == nullptr || !key || name == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    if (!edit->document.has_peer(*key)) return TUNNEL_ERR_NOT_FOUND;
    const std::int32_t status = check_name(edit->document, *key, name);
    if (status == TUNNEL_OK) edit->document.rename_peer(*key, name);
    return status;
  });
}

int32_t tunnel_config_edit_set(tunnel_config_edit* edit, const uint8_t* public_key, const char* key,
                               const char* value) {
  if (edit == nullptr || key == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    const auto peer = key_of(public_key);
    const host::Key* found = host::find_key(key);
    const std::string_view text = value == nullptr ? std::string_view() : value;
    const host::Section home = peer ? host::Section::peer : host::Section::interface;
    if (found == nullptr || found->section != home || !is_line(text)) return TUNNEL_ERR_ARGUMENT;
    if (found == host::find_key("PublicKey")) return TUNNEL_ERR_ARGUMENT;
    if (peer && !edit->document.has_peer(*peer)) return TUNNEL_ERR_NOT_FOUND;
    if (peer) {
      edit->document.set(*peer, *found, host::trim(text));
    } else {
      edit->document.set(*found, host::trim(text));
    }
    return TUNNEL_OK;
  });
}

int32_t tunnel_config_edit_update(tunnel_config_edit* edit, const tunnel_snapshot* snapshot) {
  if (edit == nullptr || snapshot == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    const base::WipedBuffer text = edit->document.text();
    host::Config config;
    const std::int32_t status = parse(text.text(), config, nullptr);
    if (status != TUNNEL_OK) return status;
    host::take_over(snapshot->content, config, edit->document);
    return TUNNEL_OK;
  });
}

int32_t tunnel_config_edit_strip(tunnel_config_edit* edit) {
  if (edit == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    edit->document.strip();
    return TUNNEL_OK;
  });
}

int32_t tunnel_config_edit_revert(tunnel_config_edit* edit) {
  if (edit == nullptr) return TUNNEL_ERR_ARGUMENT;
  if (!edit->file) return TUNNEL_ERR_UNSUPPORTED;
  return host::guarded([&]() -> std::int32_t {
    edit->document = host::Document(edit->file->text());
    return TUNNEL_OK;
  });
}

int32_t tunnel_config_edit_config(const tunnel_config_edit* edit, tunnel_config** config,
                                  tunnel_config_issue* issue) {
  if (edit == nullptr || config == nullptr) return TUNNEL_ERR_ARGUMENT;
  *config = nullptr;
  return host::guarded([&]() -> std::int32_t {
    const base::WipedBuffer text = edit->document.text();
    auto made = std::make_unique<tunnel_config>();
    const std::int32_t status = parse(text.text(), made->content, issue);
    if (status == TUNNEL_OK) *config = made.release();
    return status;
  });
}

int32_t tunnel_config_edit_text(const tunnel_config_edit* edit, char* text, size_t size) {
  if (edit == nullptr || (text == nullptr && size != 0)) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    const base::WipedBuffer whole = edit->document.text();
    if (whole.size() > INT32_MAX) return TUNNEL_ERR_LIMIT;
    if (size != 0) {
      const std::size_t count = std::min(whole.size(), size - 1);
      std::copy_n(whole.text().data(), count, text);
      text[count] = '\0';
    }
    return static_cast<std::int32_t>(whole.size());
  });
}

int32_t tunnel_config_edit_save(tunnel_config_edit* edit, tunnel_config_issue* issue) {
  if (edit == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    if (!edit->file) return TUNNEL_ERR_UNSUPPORTED;
    const base::WipedBuffer text = edit->document.text();
    host::Config config;
    const std::int32_t status = parse(text.text(), config, issue);
    return status == TUNNEL_OK ? edit->file->replace(text.text()) : status;
  });
}

int32_t tunnel_config_next_address(const tunnel_config* config, size_t index,
                                   tunnel_prefix* address) {
  if (config == nullptr || address == nullptr) return TUNNEL_ERR_ARGUMENT;
  return host::guarded([&]() -> std::int32_t {
    const auto& own = config->content.interface.addresses;
    if (index >= own.size()) return TUNNEL_ERR_NOT_FOUND;
    const auto free = host::next_address(config->content, own[index]);
    if (!free) return TUNNEL_ERR_LIMIT;
    *address = *free;
    return TUNNEL_OK;
  });
}
