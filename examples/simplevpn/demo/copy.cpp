#include "copy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "ping.h"
#include "topology.h"

namespace simplevpn::demo {
namespace {

constexpr std::uint16_t kPort = 7000;
constexpr std::size_t kWords = 1 << 13;
using Block = std::array<std::uint64_t, kWords>;
constexpr std::size_t kMarkerEvery = 128;  // words: 1 KiB, so that every packet has it
constexpr unsigned kTick_ms = 5;

std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(now_s() * 1e9);
}

class Hash {
 public:
  // Pieces may end anywhere; words of 8 bytes are counted from the beginning of the stream.
  void add(const std::uint8_t* bytes, std::size_t length) {
    while (length > 0 && (held_ > 0 || length < 8)) {
      rest_[held_++] = *bytes++;
      --length;
      if (held_ < 8) continue;
      word(rest_.data());
      held_ = 0;
    }
    for (; length >= 8; bytes += 8, length -= 8) word(bytes);
    if (length > 0) add(bytes, length);
  }
  std::uint64_t value() const { return value_; }

 private:
  void word(const std::uint8_t* bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    value_ = (value_ ^ word) * 0x100000001b3u;
  }

  std::uint64_t value_ = 0xcbf29ce484222325u;
  std::array<std::uint8_t, 8> rest_{};
  std::size_t held_ = 0;
};

// xorshift64*: fast, and nothing compresses it.
class Random {
 public:
  Random() {
    if (getrandom(&state_, sizeof state_, 0) != sizeof state_ || state_ == 0) state_ = now_ns();
  }
  void fill(Block& block) {
    for (std::uint64_t& word : block) word = next();
    for (std::size_t i = 0; i < block.size(); i += kMarkerEvery) {
      std::memcpy(&block[i], kMarker, sizeof kMarker - 1);
    }
  }

 private:
  std::uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1du;
  }

  std::uint64_t state_ = 0;
};

sockaddr_in address_of(const char* host) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kPort);
  inet_pton(AF_INET, host, &address.sin_addr);
  return address;
}

int open_listener() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in any = address_of("0.0.0.0");
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool ready = bind(listener, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0 &&
                     listen(listener, 1) == 0;
  if (ready) return listener;
  close(listener);
  return -1;
}

bool send_block(int connection, const Block& block) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(block.data());
  for (std::size_t sent = 0; sent < sizeof block;) {
    const ssize_t taken = send(connection, bytes + sent, sizeof block - sent, MSG_NOSIGNAL);
    if (taken <= 0) return false;
    sent += static_cast<std::size_t>(taken);
  }
  return true;
}

}  // namespace

Copy::Copy(const Host& from, const Host& to, std::uint64_t bytes)
    : from_(from), to_(to), least_(bytes) {}

int Copy::send_all(State& state, std::uint64_t least) {
  const Descriptor connection(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in target = address_of(kBehind4);
  if (connect(connection.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0) {
    return 1;
  }
  Random random;
  Hash hash;
  Block block;
  while (state.sent < least || state.more) {
    random.fill(block);
    hash.add(reinterpret_cast<const std::uint8_t*>(block.data()), sizeof block);
    if (!send_block(connection.get(), block)) return 1;
    state.sent += sizeof block;
  }
  state.sent_hash = hash.value();
  shutdown(connection.get(), SHUT_WR);
  std::uint8_t last = 0;
  return read(connection.get(), &last, 1) == 0 ? 0 : 1;  // it has everything when it closes too
}

int Copy::receive_all(State& state, int listener) {
  const Descriptor connection(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  std::vector<std::uint8_t> bytes(1 << 18);
  Hash hash;
  const std::uint64_t began = now_ns();
  std::uint64_t previous = began;
  for (;;) {
    const ssize_t got = recv(connection.get(), bytes.data(), bytes.size(), 0);
    if (got < 0) return 1;
    const std::uint64_t now = now_ns();
    if (now - previous > state.longest_stall_ns) state.longest_stall_ns = now - previous;
    previous = now;
    if (got == 0) break;
    hash.add(bytes.data(), static_cast<std::size_t>(got));
    state.received += static_cast<std::uint64_t>(got);
  }
  state.took_ns = previous - began;
  state.received_hash = hash.value();
  return 0;
}

bool Copy::begin() {
  const Descriptor listener = to_.open_socket(open_listener);
  if (!listener.valid()) return false;
  receiver_ = to_.start([&] { return receive_all(*shared_, listener.get()); });
  sender_ = from_.start([&] { return send_all(*shared_, least_); });
  began_ = now_s();
  samples_.push_back({0, 0});
  return true;
}

std::uint64_t Copy::progress() {
  samples_.push_back({elapsed(), shared_->received});
  return samples_.back().bytes;
}

double Copy::longest_stall_s() const {
  return static_cast<double>(shared_->longest_stall_ns) * 1e-9;
}

bool Copy::complete(double patience_s) {
  finish();
  const bool ended = wait_until(patience_s, kTick_ms, [this] {
    progress();
    return !receiver_.running();
  });
  const bool whole = shared_->received == shared_->sent && shared_->sent >= least_;
  return ended && sender_.wait(1) == 0 && whole && shared_->received_hash == shared_->sent_hash &&
         shared_->received_hash != 0;
}

double Copy::gigabits_per_second() const {
  return static_cast<double>(shared_->received) * 8 / static_cast<double>(shared_->took_ns);
}

}  // namespace simplevpn::demo
