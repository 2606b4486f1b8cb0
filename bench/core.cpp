// bench_core — seal and open in memory: no kernel, no copies between processes.
//
//   bench_core [--rounds N] [--batches N] [--cipher NAME]...
//
// A batch is one TCP superpacket: 47 packets in one slab, handed over at once or one by one. In
// each round, for each size and cipher, the same bytes are also sealed and opened by the cipher
// table alone. What the core adds is the ratio of the two: it does not depend on the machine as the
// nanoseconds do.
#include "ends.h"

namespace {

using namespace bench;

constexpr std::size_t kSizes[] = {64, 512, 1420};

// The AEAD of a batch, without a tunnel around it.
class Alone {
 public:
  Alone(const tunnel_cipher& cipher, Batch& batch) : cipher_(cipher), batch_(batch) {
    const std::uint8_t key[32] = {1, 2, 3};
    require(cipher.ops->key_init(cipher.self, key_, key) == TUNNEL_OK, "a key was refused");
    jobs_.resize(batch.count());
  }

  void prepare(bool sealed) {
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      std::uint8_t* bytes = batch_.bytes() + i * batch_.stride() + 16;
      jobs_[i] = {key_, i, bytes, bytes, batch_.padded() + (sealed ? 16u : 0u), -1, {}};
    }
  }
  void seal(std::size_t at, std::size_t count) {
    cipher_.ops->seal(cipher_.self, &jobs_[at], count);
  }
  void open(std::size_t at, std::size_t count) {
    cipher_.ops->open(cipher_.self, &jobs_[at], count);
  }
  void require_good() const {
    for (const auto& job : jobs_) require(job.result == 0, "the cipher alone failed");
  }

 private:
  tunnel_cipher cipher_;
  Batch& batch_;
  alignas(16) std::uint8_t key_[TUNNEL_CIPHER_KEY_MAX] = {};
  std::vector<tunnel_aead_job> jobs_;
};

// Two ends with one cipher, joined once and for all rounds.
class Pair {
 public:
  explicit Pair(const tunnel_cipher& table) : cipher(table), a(1, table), b(2, table) {
    a.add(b);
    b.add(a);
    connect(a, b, now);
  }

  const tunnel_cipher cipher;
  End a, b;
  const tunnel_time now = start_of_time();
};

// Calls verb(at, count) for all packets of a batch, `step` at a time.
template <class Verb>
void in_steps(std::size_t step, Verb verb) {
  for (std::size_t at = 0; at < kTrain; at += step) verb(at, step);
}

void run(Pair& pair, std::size_t size, std::size_t step, std::uint64_t batches) {
  Batch batch(size, kTrain, 1, {2});
  Alone alone(pair.cipher, batch);
  Stopwatch seal, open, alone_seal, alone_open;
  const auto sealing = [&](std::size_t at, std::size_t count) {
    (void)pair.a.core().seal(batch.packets().subspan(at, count), pair.now);
  };
  const auto opening = [&](std::size_t at, std::size_t count) {
    (void)pair.b.core().open(batch.packets().subspan(at, count), pair.now);
  };
  for (std::uint64_t i = 0; i < batches; ++i) {
    batch.reset();
    seal.time([&] { in_steps(step, sealing); });
    batch.require_all(TUNNEL_VERDICT_SEND, "a packet was not sealed");
    batch.arrive_from(pair.a.address());
    open.time([&] { in_steps(step, opening); });
    batch.require_all(TUNNEL_VERDICT_DELIVER, "a packet was not opened");
    batch.reset();
    alone.prepare(false);
    alone_seal.time([&] { in_steps(step, [&](auto at, auto n) { alone.seal(at, n); }); });
    alone.prepare(true);
    alone_open.time([&] { in_steps(step, [&](auto at, auto n) { alone.open(at, n); }); });
    alone.require_good();
  }
  const auto packets = batches * kTrain;
  const double both = seal.ns_per(packets) + open.ns_per(packets);
  const double aead = alone_seal.ns_per(packets) + alone_open.ns_per(packets);
  print_line(std::to_string(size) + (step == 1 ? " bytes, one by one" : " bytes"),
             pair.cipher.ops->name,
             {{"seal_ns", seal.ns_per(packets)},
              {"open_ns", open.ns_per(packets)},
              {"both_ns", both},
              {"aead_ns", aead},
              {"over_aead", both / aead},
              {"cycles_byte", both * cycles_per_ns() / static_cast<double>(size)},
              {"mpps", 1000 / both}});
}

void run_all(const std::vector<std::unique_ptr<Pair>>& pairs, std::size_t size, std::size_t step,
             std::uint64_t batches) {
  for (const auto& pair : pairs) run(*pair, size, step, batches);
}

}  // namespace

int main(int count, char** values) {
  const Arguments arguments(count, values);
  std::vector<tunnel_cipher> ciphers;
  for (int i = 1; i + 1 < count; ++i) {
    if (std::string_view(values[i]) == "--cipher") ciphers.push_back(find_cipher(values[i + 1]));
  }
  if (ciphers.empty()) ciphers.push_back(find_cipher(nullptr));
  std::vector<std::unique_ptr<Pair>> pairs;
  for (const auto& cipher : ciphers) pairs.push_back(std::make_unique<Pair>(cipher));
  const auto rounds = arguments.number("--rounds", 11);
  const auto batches = arguments.number("--batches", 100);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (const std::size_t step : {kTrain, std::size_t{1}}) {
      for (const std::size_t size : kSizes) run_all(pairs, size, step, batches);
    }
  }
}
