// handshake.cpp — the two messages of the handshake, each written and read line by line in the
// order of the whitepaper (5.4.2, 5.4.3).
#include "protocol/handshake.h"

#include <string_view>

namespace tunnel::protocol {

namespace {

constexpr std::string_view kConstruction = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
constexpr std::string_view kIdentifier = "WireGuard v1 zx2c4 Jason@zx2c4.com";
constexpr std::string_view kLabelMac1 = "mac1----";
constexpr std::string_view kLabelCookie = "cookie--";

// Where the fields of a message lie.
constexpr std::size_t kInitiationEphemeral = 8;
constexpr std::size_t kInitiationStatic = 40;
constexpr std::size_t kInitiationTimestamp = 88;
constexpr std::size_t kResponseReceiver = 8;
constexpr std::size_t kResponseEphemeral = 12;
constexpr std::size_t kResponseEmpty = 44;
constexpr std::size_t kSealedStatic = 32 + cipher::kTag;
constexpr std::size_t kSealedTimestamp = 12 + cipher::kTag;
constexpr std::size_t kSealedEmpty = cipher::kTag;

base::Bytes bytes_of(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

void write_type(base::MutableBytes message, MessageType type) noexcept {
  base::store_le32(message.data(), static_cast<std::uint32_t>(type));
}

Hash initial_hash(const PublicKey& responder) noexcept {
  const Hash construction = cipher::hash(bytes_of(kConstruction));
  return cipher::hash(cipher::hash(construction, bytes_of(kIdentifier)), responder);
}

// Both transcripts begin with the construction and the responder's static key.
void begin(NoiseState& noise, const Hash& responder_hash) noexcept {
  noise.chaining.assign(cipher::hash(bytes_of(kConstruction)));
  noise.hash = responder_hash;
}

void mix_hash(NoiseState& noise, base::Bytes bytes) noexcept {
  noise.hash = cipher::hash(noise.hash, bytes);
}

void mix_ephemeral(NoiseState& noise, base::Bytes ephemeral) noexcept {
  cipher::kdf(noise.chaining.bytes(), ephemeral, &noise.chaining, nullptr, nullptr);
  mix_hash(noise, ephemeral);
}

// Mixes a shared secret into the chaining key; `key`, where wanted, seals the next field.
void mix_key(NoiseState& noise, const Key& shared, Key* key = nullptr) noexcept {
  cipher::kdf(noise.chaining.bytes(), shared.bytes(), &noise.chaining, key, nullptr);
}

// As mix_key with a Diffie-Hellman. False when its result is zero: send nothing then.
[[nodiscard]] bool mix_dh(NoiseState& noise, const Key& secret, base::BytesOf<32> point,
                          Key* key = nullptr) noexcept {
  Key shared;
  if (!cipher::x25519(secret, point, shared)) return false;
  mix_key(noise, shared, key);
  return true;
}

void mix_preshared(NoiseState& noise, const Key& preshared, Key& key) noexcept {
  Key transcript;
  cipher::kdf(noise.chaining.bytes(), preshared.bytes(), &noise.chaining, &transcript, &key);
  mix_hash(noise, transcript.bytes());
}

// Seals a field of the message into `out` (its size is text + tag) and into the transcript.
void seal_field(NoiseState& noise, const Key& key, base::Bytes text,
                base::MutableBytes out) noexcept {
  cipher::aead_seal(out.data(), key, 0, text, noise.hash);
  mix_hash(noise, out);
}

[[nodiscard]] bool open_field(NoiseState& noise, const Key& key, base::Bytes field,
                              std::uint8_t* out) noexcept {
  if (!cipher::aead_open(out, key, 0, field, noise.hash)) return false;
  mix_hash(noise, field);
  return true;
}

void copy_state(NoiseState& to, const NoiseState& from) noexcept {
  to.chaining.assign(from.chaining.bytes());
  to.hash = from.hash;
}

}  // namespace

Hash mac1_key_of(const PublicKey& receiver) noexcept {
  return cipher::hash(bytes_of(kLabelMac1), receiver);
}

Hash cookie_key_of(const PublicKey& receiver) noexcept {
  return cipher::hash(bytes_of(kLabelCookie), receiver);
}

void Identity::assign(base::BytesOf<32> key) noexcept {
  private_key.assign(key);
  cipher::clamp(private_key);
  cipher::x25519_base(private_key, public_key);
  responder_hash = initial_hash(public_key);
  mac1_key = mac1_key_of(public_key);
  cookie_key = cookie_key_of(public_key);
}

void Identity::clear() noexcept {
  private_key.clear();
  public_key = {};
  responder_hash = mac1_key = cookie_key = {};
}

bool Identity::static_static(const PublicKey& remote, Key& out) const noexcept {
  return cipher::x25519(private_key, remote, out);
}

bool Initiator::start(Input input, base::MutableBytesOf<kInitiationSize> out) noexcept {
  sender_ = input.sender;
  ephemeral_ = std::move(input.ephemeral);
  cipher::clamp(ephemeral_);
  write_type(out, MessageType::initiation);
  base::store_le32(&out[4], sender_);
  begin(noise_, initial_hash(input.remote));

  const auto ephemeral = out.subspan<kInitiationEphemeral, 32>();
  cipher::x25519_base(ephemeral_, ephemeral);
  mix_ephemeral(noise_, ephemeral);

  Key key;
  if (!mix_dh(noise_, ephemeral_, input.remote, &key)) {
    wipe();
    return false;
  }
  seal_field(noise_, key, input.us.public_key, out.subspan<kInitiationStatic, kSealedStatic>());

  mix_key(noise_, input.static_static, &key);
  seal_field(noise_, key, input.timestamp, out.subspan<kInitiationTimestamp, kSealedTimestamp>());
  return true;
}

bool Initiator::finish(const Identity& us, const Key& preshared, ResponseBytes response,
                       SessionKeys& keys) noexcept {
  if (!in_flight()) return false;
  NoiseState noise;  // a copy: a forged response leaves ours as it was
  copy_state(noise, noise_);

  const auto remote_ephemeral = response.subspan<kResponseEphemeral, 32>();
  mix_ephemeral(noise, remote_ephemeral);
  if (!mix_dh(noise, ephemeral_, remote_ephemeral)) return false;
  if (!mix_dh(noise, us.private_key, remote_ephemeral)) return false;

  Key key;
  mix_preshared(noise, preshared, key);
  std::uint8_t nothing;
  if (!open_field(noise, key, response.subspan<kResponseEmpty, kSealedEmpty>(), &nothing)) {
    return false;
  }
  cipher::kdf(noise.chaining.bytes(), {}, &keys.send, &keys.receive, nullptr);
  wipe();
  return true;
}

void Initiator::wipe() noexcept {
  noise_.chaining.clear();
  noise_.hash = {};
  ephemeral_.clear();
  sender_ = 0;
}

bool Responder::read_static(const Identity& us, InitiationBytes initiation) noexcept {
  remote_index_ = sender_index(initiation);
  begin(noise_, us.responder_hash);

  const auto ephemeral = initiation.subspan<kInitiationEphemeral, 32>();
  base::copy<32>(remote_ephemeral_, ephemeral);
  mix_ephemeral(noise_, ephemeral);

  Key key;
  if (!mix_dh(noise_, us.private_key, ephemeral, &key)) return false;
  const auto sealed = initiation.subspan<kInitiationStatic, kSealedStatic>();
  return open_field(noise_, key, sealed, remote_.data());
}

bool Responder::read_timestamp(const Key& static_static, InitiationBytes initiation) noexcept {
  Key key;
  mix_key(noise_, static_static, &key);
  const auto sealed = initiation.subspan<kInitiationTimestamp, kSealedTimestamp>();
  return open_field(noise_, key, sealed, timestamp_.data());
}

bool Responder::respond(const Key& preshared, Key ephemeral, std::uint32_t sender,
                        base::MutableBytesOf<kResponseSize> out, SessionKeys& keys) noexcept {
  cipher::clamp(ephemeral);
  write_type(out, MessageType::response);
  base::store_le32(&out[4], sender);
  base::store_le32(&out[kResponseReceiver], remote_index_);

  const auto public_ephemeral = out.subspan<kResponseEphemeral, 32>();
  cipher::x25519_base(ephemeral, public_ephemeral);
  mix_ephemeral(noise_, public_ephemeral);
  if (!mix_dh(noise_, ephemeral, remote_ephemeral_)) return false;
  if (!mix_dh(noise_, ephemeral, remote_)) return false;

  Key key;
  mix_preshared(noise_, preshared, key);
  seal_field(noise_, key, {}, out.subspan<kResponseEmpty, kSealedEmpty>());
  // The mirror of the initiator: its sending key is our receiving key.
  cipher::kdf(noise_.chaining.bytes(), {}, &keys.receive, &keys.send, nullptr);
  return true;
}

}  // namespace tunnel::protocol
