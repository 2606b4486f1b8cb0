#include <tunnel/status.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace {

struct Text {
  std::int32_t status;
  const char* text;
  const char* hint = "";
};

constexpr Text kTexts[] = {
    {TUNNEL_OK, "ok"},
    {TUNNEL_ERR_ARGUMENT, "invalid argument"},
    {TUNNEL_ERR_VERSION, "structure of a newer library",
     "The program was built with newer headers; install a libtunnel at least as new."},
    {TUNNEL_ERR_MEMORY, "out of memory", "Free memory, or lower the maxima in the configuration."},
    {TUNNEL_ERR_LIMIT, "configured maximum reached", "Raise the maximum in the configuration."},
    {TUNNEL_ERR_NOT_FOUND, "not found"},
    {TUNNEL_ERR_EXISTS, "exists already"},
    {TUNNEL_ERR_KEY, "unusable key",
     "Check the key: 44 characters of base64, and for a peer neither the own key nor a trivial "
     "one."},
    {TUNNEL_ERR_UNSUPPORTED, "not supported",
     "This build or this system cannot do it; leave the option out."},
    {TUNNEL_ERR_PERMISSION, "permission denied", "Run as root, or give the program CAP_NET_ADMIN."},
    {TUNNEL_ERR_IN_USE, "in use by another program",
     "Choose another name or port, or stop the program that has it."},
    {TUNNEL_ERR_UNAVAILABLE, "not available on this system",
     "Something the system should have is missing, such as the tun module or a network family."},
    {TUNNEL_ERR_STATE, "wrong moment for this call"},
    {TUNNEL_ERR_CLOSED, "device or socket is gone",
     "It was deleted or closed by somebody else; create it again."},
    {TUNNEL_ERR_SYSTEM, "refused by the system", "errno tells why."},
    {TUNNEL_ERR_RESOURCES, "out of descriptors or kernel memory",
     "Raise the limit of open files (ulimit -n), or close what is not needed."},
    {TUNNEL_ERR_SELF_TEST, "cryptographic self-check failed",
     "Do not use this machine or build for secrets; reinstall libsodium and libtunnel."},
    {TUNNEL_ERR_TIMEOUT, "no answer in time",
     "Check that the other side runs and that nothing on the way blocks it."},
    {TUNNEL_ERR_CONFIG, "wrong configuration", "The issue beside the error names line and key."},

    {TUNNEL_VERDICT_SEND, "send"},
    {TUNNEL_VERDICT_REPLY, "reply"},
    {TUNNEL_VERDICT_DELIVER, "deliver"},
    {TUNNEL_VERDICT_CONSUMED, "consumed"},
    {TUNNEL_VERDICT_HELD, "held"},
    {TUNNEL_VERDICT_SENT, "sent"},
    {TUNNEL_VERDICT_WAIT, "wait"},

    {TUNNEL_DROP_MALFORMED, "malformed"},
    {TUNNEL_DROP_MAC1, "wrong mac1"},
    {TUNNEL_DROP_BUSY, "handshake queue full"},
    {TUNNEL_DROP_RATE_LIMITED, "rate limited"},
    {TUNNEL_DROP_UNKNOWN_INDEX, "unknown index"},
    {TUNNEL_DROP_EXPIRED_KEY, "expired key"},
    {TUNNEL_DROP_FORGED, "forged"},
    {TUNNEL_DROP_REPLAY, "replay"},
    {TUNNEL_DROP_COOKIE, "unexpected cookie"},
    {TUNNEL_DROP_HANDSHAKE, "invalid handshake"},
    {TUNNEL_DROP_UNKNOWN_PEER, "unknown peer"},
    {TUNNEL_DROP_OLD_TIMESTAMP, "old timestamp"},
    {TUNNEL_DROP_FLOOD, "initiation flood"},
    {TUNNEL_DROP_INNER_MALFORMED, "malformed inside packet"},
    {TUNNEL_DROP_NOT_ALLOWED, "inside source not allowed"},
    {TUNNEL_DROP_NO_PEER, "no peer for destination"},
    {TUNNEL_DROP_NO_ENDPOINT, "peer has no endpoint"},
    {TUNNEL_DROP_NO_KEY, "no private key"},
    {TUNNEL_DROP_TOO_BIG, "too big"},
    {TUNNEL_DROP_NO_ROOM, "no room around packet"},
    {TUNNEL_DROP_UNREACHABLE, "unreachable"},
    {TUNNEL_DROP_EXHAUSTED, "sessions or handshakes exhausted"},
    {TUNNEL_DROP_IO, "input or output error"},
    {TUNNEL_DROP_FILTERED, "filtered"},
    {TUNNEL_DROP_STAGED, "staged packet given up"},
};

constexpr Text kUnknownError{0, "unknown error"};
constexpr Text kUnknownVerdict{0, "unknown verdict"};

const Text& find(std::int32_t status) noexcept {
  const auto* found = std::find_if(std::begin(kTexts), std::end(kTexts),
                                   [status](const Text& entry) { return entry.status == status; });
  if (found != std::end(kTexts)) return *found;
  return status < 0 ? kUnknownError : kUnknownVerdict;
}

}  // namespace

const char* tunnel_status_text(int32_t status) {
  return find(status).text;
}

const char* tunnel_status_hint(int32_t status) {
  return find(status).hint;
}

uint32_t tunnel_version(void) {
  return TUNNEL_VERSION_MAJOR << 16 | TUNNEL_VERSION_MINOR << 8 | TUNNEL_VERSION_PATCH;
}
