// bench_aead — ChaCha20-Poly1305 of every provider: time per message, by length, batch and memory.
//
//   bench_aead [--rounds N] [--json FILE]
//
// "hot" seals and opens the same 45 messages again and again; "cold" walks over 16 MiB of them,
// more than a core's L2 holds, so that a message comes from further away. Messages lie as a device
// lays them (header, message, tag) and are sealed and opened in place. In each round every provider
// has its turn at one case, so that what else the machine does hits all of them.
//
// Ticks are those of the time-stamp counter. It runs at one rate; the core does not: ticks per byte
// compare providers on one machine, and are not cycles.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>

#include "aead_openssl.h"
#include "cipher/cipher.h"
#include "ticks.h"

namespace {

using tunnel::cipher::Workload;
using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kLengths[] = {64, 256, 576, 1420, 1452, 4096, 8900, 16384};
constexpr std::uint32_t kBatches[] = {1, 45};
constexpr std::uint32_t kHotMessages = 45;
constexpr std::uint32_t kColdBytes = 4u << 20;
constexpr auto kTurn = std::chrono::milliseconds(3);  // at least, and
constexpr std::size_t kPasses = 3;                    // at least

struct Options {
  int rounds = 7;
  const char* json = nullptr;
};

struct Case {
  std::uint32_t length;
  std::uint32_t batch;
  bool hot;

  std::uint32_t messages() const { return hot ? kHotMessages : kColdBytes / (length + 48); }
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const bool hot : {true, false}) {
    for (const auto batch : kBatches) {
      for (const auto length : kLengths) all.push_back({length, batch, hot});
    }
  }
  return all;
}

// Nanoseconds and ticks per message, one of each round.
struct Times {
  std::vector<double> ns, ticks;
};

struct Row {
  Case what;
  std::string provider;
  Times seal, open;
};

struct Spread {
  double median, min, max;
};

Spread spread(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {values[values.size() / 2], values.front(), values.back()};
}

// What each pass of a turn took.
struct Stopwatch {
  std::vector<double> ns, ticks;

  void run(Workload& work, void (Workload::*verb)() noexcept) {
    const auto before = Clock::now();
    const auto first = bench::ticks();
    (work.*verb)();
    ticks.push_back(static_cast<double>(bench::ticks() - first));
    ns.push_back(std::chrono::duration<double, std::nano>(Clock::now() - before).count());
  }

  void add_to(Times& times, double messages) const {
    times.ns.push_back(spread(ns).median / messages);
    times.ticks.push_back(spread(ticks).median / messages);
  }
};

bool take_turn(Workload& work, Row& row) {
  Stopwatch seal, open;
  const auto begin = Clock::now();
  while (Clock::now() - begin < kTurn || seal.ns.size() < kPasses) {
    seal.run(work, &Workload::seal);
    open.run(work, &Workload::open);
  }
  seal.add_to(row.seal, row.what.messages());
  open.add_to(row.open, row.what.messages());
  return work.good();
}

// One row per provider; empty when one of them failed.
std::vector<Row> measure(const Case& what, const std::vector<tunnel_cipher>& ciphers, int rounds) {
  std::vector<std::unique_ptr<Workload>> works;
  std::vector<Row> rows;
  for (const auto& cipher : ciphers) {
    works.push_back(Workload::create(cipher, what.length, what.messages(), what.batch));
    rows.push_back({what, cipher.ops->name, {}, {}});
    Row warm_up = rows.back();
    if (works.back() == nullptr || !take_turn(*works.back(), warm_up)) return {};
  }
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < works.size(); ++i) {
      const std::size_t turn = round % 2 == 0 ? i : works.size() - 1 - i;
      if (!take_turn(*works[turn], rows[turn])) return {};
    }
  }
  return rows;
}

std::vector<tunnel_cipher> providers() {
  std::vector<tunnel_cipher> usable;
  tunnel_cipher_info info = TUNNEL_CIPHER_INFO_INIT;
  for (std::size_t cursor = 0; tunnel_cipher_next(&cursor, &info) == TUNNEL_OK;) {
    tunnel_cipher cipher{};
    if (tunnel_cipher_find(info.name, &cipher) == TUNNEL_OK) {
      usable.push_back(cipher);
    } else {
      std::printf("%s: %s\n", info.name, tunnel_status_text(info.status));
    }
  }
  tunnel_cipher openssl{};
  if (bench::openssl_cipher(openssl)) usable.push_back(openssl);
  return usable;
}

void print_verb(const char* verb, const Times& times, double reference, std::uint32_t length) {
  const auto ns = spread(times.ns);
  std::printf("  %s %8.0f ns (%.0f - %.0f) %6.2f GB/s %6.2f t/B %6.2fx", verb, ns.median, ns.min,
              ns.max, length / ns.median, spread(times.ticks).median / length,
              reference / ns.median);
}

const Row& libsodium(const std::vector<Row>& rows) {
  return *std::find_if(rows.begin(), rows.end(),
                       [](const Row& row) { return row.provider == "libsodium"; });
}

void print(const std::vector<Row>& rows) {
  const auto& reference = libsodium(rows);
  for (const auto& row : rows) {
    std::printf("%6u %3u %-4s  %-10s", row.what.length, row.what.batch,
                row.what.hot ? "hot" : "cold", row.provider.c_str());
    print_verb("seal", row.seal, spread(reference.seal.ns).median, row.what.length);
    print_verb("open", row.open, spread(reference.open.ns).median, row.what.length);
    std::printf("\n");
  }
  std::fflush(stdout);
}

void write_times(std::FILE* file, const char* verb, const Times& times) {
  const auto ns = spread(times.ns);
  std::fprintf(file,
               ", \"%s\": {\"ns\": %.2f, \"ns_min\": %.2f, \"ns_max\": %.2f, \"ticks\": %.2f}",
               verb, ns.median, ns.min, ns.max, spread(times.ticks).median);
}

bool write_json(const char* path, const std::vector<Row>& rows, int rounds) {
  auto* file = std::fopen(path, "w");
  if (file == nullptr) return false;
  std::fprintf(file, "{\"schema\": 1, \"bench\": \"aead\", \"rounds\": %d, \"rows\": [", rounds);
  const char* separator = "\n";
  for (const auto& row : rows) {
    std::fprintf(file, "%s {\"provider\": \"%s\", \"length\": %u, \"batch\": %u, \"hot\": %s",
                 separator, row.provider.c_str(), row.what.length, row.what.batch,
                 row.what.hot ? "true" : "false");
    write_times(file, "seal", row.seal);
    write_times(file, "open", row.open);
    std::fprintf(file, "}");
    separator = ",\n";
  }
  std::fprintf(file, "\n]}\n");
  return std::fclose(file) == 0;
}

bool read_options(int count, char** arguments, Options& options) {
  for (int i = 1; i < count; i += 2) {
    if (i + 1 == count) return false;
    if (std::strcmp(arguments[i], "--rounds") == 0) {
      options.rounds = std::atoi(arguments[i + 1]);
    } else if (std::strcmp(arguments[i], "--json") == 0) {
      options.json = arguments[i + 1];
    } else {
      return false;
    }
  }
  return options.rounds > 0;
}

}  // namespace

int main(int count, char** arguments) {
  Options options;
  if (!read_options(count, arguments, options)) {
    std::fprintf(stderr, "usage: bench_aead [--rounds N] [--json FILE]\n");
    return 2;
  }
  const auto ciphers = providers();
  std::vector<Row> all;
  std::printf(
      "bytes, batch, memory; median (min - max) of %d rounds; t/B: ticks per byte; x: "
      "times as fast as libsodium\n",
      options.rounds);
  for (const auto& what : cases()) {
    const auto rows = measure(what, ciphers, options.rounds);
    if (rows.empty()) {
      std::fprintf(stderr, "bench_aead: a provider failed at %u bytes\n", what.length);
      return 1;
    }
    print(rows);
    all.insert(all.end(), rows.begin(), rows.end());
  }
  if (options.json != nullptr && !write_json(options.json, all, options.rounds)) {
    std::perror(options.json);
    return 1;
  }
}
