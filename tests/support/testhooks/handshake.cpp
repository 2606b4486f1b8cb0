// handshake.cpp — whole handshake messages with their macs, in the order in which a core makes and
// checks them: type, mac1, index, Noise.
#include <array>
#include <memory>

#include "protocol/gate.h"
#include "protocol/protocol.h"
#include "testhooks.h"
#include "views.h"

namespace base = tunnel::base;
namespace protocol = tunnel::protocol;
using protocol::Key;
using protocol::PublicKey;
using tunnel::testhooks::key;
using tunnel::testhooks::key_bytes;
using tunnel::testhooks::public_key;
using tunnel::testhooks::write;

namespace {

struct Initiation {
  protocol::Identity us;
  Key preshared;
  protocol::Initiator initiator;
  std::array<std::uint8_t, protocol::kInitiationSize> message{};
};

protocol::Timestamp read_timestamp(const uint8_t* timestamp12) {
  protocol::Timestamp timestamp;
  std::memcpy(timestamp.data(), timestamp12, timestamp.size());
  return timestamp;
}

void write_macs(base::MutableBytes message, const PublicKey& receiver) {
  const auto mac1 = protocol::CookieJar().write_macs(message, receiver, 0);
  static_cast<void>(mac1);  // remembered by a core for cookie replies
}

bool is_for(const protocol::Identity& us, base::Bytes message, protocol::MessageType type) {
  return protocol::classify(message) == type && protocol::check_mac1(us, message);
}

}  // namespace

void* tunnel_test_initiator_new(const uint8_t* static_sk32, const uint8_t* remote_pk32,
                                const uint8_t* psk32, const uint8_t* ephemeral_sk32,
                                uint32_t sender, const uint8_t* timestamp12) {
  auto made = std::make_unique<Initiation>();
  made->us.assign(key_bytes(static_sk32));
  made->preshared = key(psk32);
  const PublicKey remote = public_key(remote_pk32);
  Key static_static;
  if (!made->us.static_static(remote, static_static)) return nullptr;
  const bool started = made->initiator.start({.us = made->us,
                                              .remote = remote,
                                              .static_static = static_static,
                                              .timestamp = read_timestamp(timestamp12),
                                              .sender = sender,
                                              .ephemeral = key(ephemeral_sk32)},
                                             made->message);
  if (!started) return nullptr;
  write_macs(made->message, remote);
  return made.release();
}

int tunnel_test_initiator_message(void* h, uint8_t* out148) {
  const auto& message = static_cast<Initiation*>(h)->message;
  std::memcpy(out148, message.data(), message.size());
  return 0;
}

int tunnel_test_initiator_finish(void* h, const uint8_t* in92, uint8_t* send_key32,
                                 uint8_t* receive_key32) {
  auto& ours = *static_cast<Initiation*>(h);
  const protocol::ResponseBytes response(in92, protocol::kResponseSize);
  if (!is_for(ours.us, response, protocol::MessageType::response)) return -1;
  if (protocol::receiver_index(response) != ours.initiator.sender()) return -1;
  protocol::SessionKeys keys;
  if (!ours.initiator.finish(ours.us, ours.preshared, response, keys)) return -1;
  write(send_key32, keys.send);
  write(receive_key32, keys.receive);
  return 0;
}

void tunnel_test_initiator_free(void* h) {
  delete static_cast<Initiation*>(h);
}

int tunnel_test_responder(const uint8_t* static_sk32, const uint8_t* psk32,
                          const uint8_t* ephemeral_sk32, uint32_t sender, const uint8_t* in148,
                          uint8_t* out92, uint8_t* timestamp12, uint8_t* peer_pk32,
                          uint8_t* send_key32, uint8_t* receive_key32) {
  protocol::Identity us;
  us.assign(key_bytes(static_sk32));
  const protocol::InitiationBytes initiation(in148, protocol::kInitiationSize);
  if (!is_for(us, initiation, protocol::MessageType::initiation)) return -1;

  protocol::Responder responder;
  Key static_static;
  if (!responder.read_static(us, initiation)) return -1;
  if (!us.static_static(responder.remote(), static_static)) return -1;
  if (!responder.read_timestamp(static_static, initiation)) return -1;

  std::array<std::uint8_t, protocol::kResponseSize> response{};
  protocol::SessionKeys keys;
  if (!responder.respond(key(psk32), key(ephemeral_sk32), sender, response, keys)) return -1;
  write_macs(response, responder.remote());
  std::memcpy(out92, response.data(), response.size());
  std::memcpy(timestamp12, responder.timestamp().data(), responder.timestamp().size());
  std::memcpy(peer_pk32, responder.remote().data(), responder.remote().size());
  write(send_key32, keys.send);
  write(receive_key32, keys.receive);
  return 0;
}
