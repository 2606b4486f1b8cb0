// bench_scale — what many configured peers cost: time and memory to make them, lookups, packets.
//
//   bench_scale [--rounds N] [--batches N] [--peers N]...
//
// Of all peers sixteen have a session. Packets to and from them, in turn, show whether the data
// path depends on how many others are configured. Lookups: a peer by its public key, and (packets
// to peers without an endpoint, which come back at once) the owner of a random inside address.
#include <unistd.h>

#include "ends.h"

namespace {

using namespace bench;

constexpr std::uint32_t kActive = 16;
constexpr std::size_t kSize = 1420;

double resident_bytes() {
  unsigned long pages = 0, resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  require(file != nullptr && std::fscanf(file, "%lu %lu", &pages, &resident) == 2, "no statm");
  std::fclose(file);
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

tunnel::PublicKey random_key(std::mt19937_64& random) {
  tunnel::PublicKey key;
  for (auto& byte : key.bytes) byte = static_cast<std::uint8_t>(random());
  return key;
}

// A gateway with `count` peers; those with a session are spread evenly. Peers are numbered from 1.
class Gateway {
 public:
  explicit Gateway(std::uint32_t count)
      : count_(count), active_(std::min(count, kActive)), gateway_(0, cipher_) {
    for (std::uint32_t i = 0; i < active_; ++i) {
      others_.push_back(std::make_unique<End>(number_of(i), cipher_));
      others_.back()->add(gateway_.key(), 0, true);
    }
    std::vector<tunnel::PublicKey> keys(count);
    for (auto& key : keys) key = random_key(random_);
    for (const auto& other : others_) keys[other->number() - 1] = other->key();
    const double before = resident_bytes();
    setup_.time([&] { add_all(keys); });
    bytes_ = resident_bytes() - before;
    for (std::size_t i = 0; i < kSample; ++i) sample_.push_back(keys[random_() % count]);
    for (const auto& other : others_) connect(*other, gateway_, now_);
  }

  void run(std::uint64_t batches) {
    Stopwatch key, address, seal, open;
    for (std::uint64_t i = 0; i < batches; ++i) {
      key.time([&] { find_keys(); });
      if (count_ > kActive) find_addresses(address);
      pass(seal, open);
    }
    const auto packets = batches * kTrain;
    print_line(std::to_string(count_) + " peers", "libtunnel",
               {{"setup_us", setup_.ns_per(count_) / 1e3},
                {"key_ns", key.ns_per(batches * kSample)},
                {"seal_ns", seal.ns_per(packets)},
                {"open_ns", open.ns_per(packets)}});
    if (count_ <= kActive) return;  // no idle peers to ask for, and too few to weigh one
    print_line(std::to_string(count_) + " peers", "libtunnel",
               {{"bytes_peer", bytes_ / count_}, {"address_ns", address.ns_per(packets)}});
  }

 private:
  static constexpr std::size_t kSample = 256;

  std::uint32_t number_of(std::uint32_t active) const { return active * (count_ / active_) + 1; }

  void add_all(const std::vector<tunnel::PublicKey>& keys) {
    for (std::uint32_t i = 0; i < count_; ++i) gateway_.add(keys[i], i + 1, false);
  }
  void find_keys() {
    for (const auto& key : sample_) require(bool(gateway_.core().find_peer(key)), "key not found");
  }
  void find_addresses(Stopwatch& watch) {
    std::vector<std::uint32_t> to(kTrain);
    for (auto& number : to) number = idle_number();
    Batch batch(64, kTrain, 0, to);
    watch.time([&] { (void)gateway_.core().seal(batch.packets(), now_); });
    for (const auto& packet : batch.packets()) {
      require(packet.verdict == TUNNEL_DROP_NO_ENDPOINT, "owner not found");
    }
  }
  std::uint32_t idle_number() {
    for (;;) {
      const auto number = static_cast<std::uint32_t>(random_() % count_ + 1);
      if ((number - 1) % (count_ / active_) != 0) return number;
      if (number > number_of(active_ - 1)) return number;
    }
  }
  // One batch out to all active peers in turn, and one from one of them back.
  void pass(Stopwatch& seal, Stopwatch& open) {
    std::vector<std::uint32_t> to;
    for (std::uint32_t i = 0; i < active_; ++i) to.push_back(number_of(i));
    Batch out(kSize, kTrain, 0, to);
    seal.time([&] { (void)gateway_.core().seal(out.packets(), now_); });
    out.require_all(TUNNEL_VERDICT_SEND, "a packet was not sealed");
    End& other = *others_[turn_++ % active_];
    Batch back(kSize, kTrain, other.number(), {0});
    (void)other.core().seal(back.packets(), now_);
    back.require_all(TUNNEL_VERDICT_SEND, "a packet was not sealed by the peer");
    back.arrive_from(other.address());
    open.time([&] { (void)gateway_.core().open(back.packets(), now_); });
    back.require_all(TUNNEL_VERDICT_DELIVER, "a packet was not opened");
  }

  const std::uint32_t count_, active_;
  const tunnel_cipher cipher_ = find_cipher(nullptr);
  const tunnel_time now_ = start_of_time();
  End gateway_;
  std::vector<std::unique_ptr<End>> others_;
  std::vector<tunnel::PublicKey> sample_;
  std::mt19937_64 random_{1};
  Stopwatch setup_;
  double bytes_ = 0;
  std::size_t turn_ = 0;
};

}  // namespace

int main(int count, char** values) {
  const Arguments arguments(count, values);
  const auto rounds = arguments.number("--rounds", 5);
  const auto batches = arguments.number("--batches", 200);
  std::vector<std::uint32_t> peers;
  for (int i = 1; i + 1 < count; ++i) {
    if (std::string_view(values[i]) != "--peers") continue;
    peers.push_back(static_cast<std::uint32_t>(std::strtoul(values[i + 1], nullptr, 10)));
  }
  if (peers.empty()) peers = {1, 1'000, 100'000, 1'000'000};
  std::vector<std::unique_ptr<Gateway>> gateways;
  for (const auto number : peers) gateways.push_back(std::make_unique<Gateway>(number));
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (const auto& gateway : gateways) gateway->run(batches);
  }
}
