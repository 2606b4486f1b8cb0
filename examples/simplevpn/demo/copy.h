// copy.h - bytes over one TCP connection, from the client to the host behind the server.
//
// Random bytes with the marker in every block, hashed on both sides with 64 bits (FNV-1a over
// words): enough to find every fault of the path, not made against forgers; against those the
// tunnel itself stands.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "host.h"

namespace simplevpn::demo {

// Where the copy stood at a moment.
struct Sample {
  double seconds = 0;  // since the copy began
  std::uint64_t bytes = 0;
};

class Copy {
 public:
  // Sends `bytes`, and more until finish(). Both hosts must outlive the copy.
  Copy(const Host& from, const Host& to, std::uint64_t bytes);

  // False when it could not begin.
  bool begin();
  void finish() { shared_->more = false; }

  // Bytes that arrived. Also notes the moment for the chart.
  std::uint64_t progress();
  double elapsed() const { return now_s() - began_; }

  // The longest time without a byte since the last call of reset_stall().
  double longest_stall_s() const;
  void reset_stall() { shared_->longest_stall_ns = 0; }

  // Waits for the end. True when it came in time, every byte arrived, and the hashes agree.
  bool complete(double patience_s);
  // Of the whole copy, once complete.
  double gigabits_per_second() const;
  std::uint64_t hash() const { return shared_->received_hash; }

  const std::vector<Sample>& samples() const { return samples_; }

 private:
  struct State {
    std::atomic<bool> more{true};
    std::atomic<std::uint64_t> received{0};
    std::atomic<std::uint64_t> longest_stall_ns{0};
    std::uint64_t sent = 0;
    std::uint64_t sent_hash = 0;
    std::uint64_t received_hash = 0;
    std::uint64_t took_ns = 0;
  };

  static int send_all(State& state, std::uint64_t least);
  static int receive_all(State& state, int listener);
  void note();

  const Host& from_;
  const Host& to_;
  std::uint64_t least_;
  Shared<State> shared_;
  Process sender_;
  Process receiver_;
  double began_ = 0;
  std::vector<Sample> samples_;
};

}  // namespace simplevpn::demo
