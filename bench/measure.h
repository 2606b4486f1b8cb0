// measure.h — time, arguments and output of the in-process benchmarks.
//
// A program prints one JSON object per line: a `case`, a `system`, and figures. The runner
// (bench/run.py) collects the lines of all rounds and makes medians; a program only measures.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace bench {

inline std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
}

// What this thread has used of its core: another program that takes the core away does not count.
inline std::uint64_t cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

// What two readings of that clock take that have nothing between them.
inline std::uint64_t clock_cost_ns() {
  std::uint64_t least = UINT64_MAX;
  for (int i = 0; i < 1000; ++i) {
    const auto before = cpu_ns();
    least = std::min(least, cpu_ns() - before);
  }
  return least;
}

// Adds what `work` took to a sum; everything between two calls is not measured.
class Stopwatch {
 public:
  template <class Work>
  void time(Work&& work) {
    static const std::uint64_t cost = clock_cost_ns();
    const auto before = cpu_ns();
    work();
    const auto took = cpu_ns() - before;
    total_ += took - std::min(took, cost);
  }
  double ns_per(std::uint64_t count) const {
    return static_cast<double>(total_) / static_cast<double>(count);
  }

 private:
  std::uint64_t total_ = 0;
};

// Clock cycles of this core per nanosecond, now. A chain of dependent multiplications takes three
// cycles each on x86-64 since 2011 (and on most others); counters of cycles are not readable in
// every virtual machine, and the time stamp counter does not count cycles.
inline double cycles_per_ns() {
  constexpr std::uint64_t kLinks = 300'000, kCycles = 3;
  std::uint64_t value = 3, factor = 5;
  const auto before = cpu_ns();
  for (std::uint64_t i = 0; i < kLinks; ++i) {
    asm volatile("" : "+r"(value), "+r"(factor));
    value *= factor;
  }
  asm volatile("" : : "r"(value));
  return static_cast<double>(kLinks * kCycles) / static_cast<double>(cpu_ns() - before);
}

// "--name value" of the command line.
class Arguments {
 public:
  Arguments(int count, char** values) : count_(count), values_(values) {}

  const char* text(std::string_view name, const char* otherwise) const {
    for (int i = 1; i + 1 < count_; ++i) {
      if (values_[i] == name) return values_[i + 1];
    }
    return otherwise;
  }
  std::uint64_t number(std::string_view name, std::uint64_t otherwise) const {
    const char* found = text(name, nullptr);
    return found == nullptr ? otherwise : std::strtoull(found, nullptr, 10);
  }
  bool has(std::string_view name) const {
    for (int i = 1; i < count_; ++i) {
      if (values_[i] == name) return true;
    }
    return false;
  }

 private:
  int count_;
  char** values_;
};

using Figures = std::initializer_list<std::pair<const char*, double>>;

inline void print_line(const std::string& name, const std::string& system, Figures figures) {
  std::printf("{\"case\": \"%s\", \"system\": \"%s\"", name.c_str(), system.c_str());
  for (const auto& [figure, value] : figures) std::printf(", \"%s\": %.6g", figure, value);
  std::printf("}\n");
  std::fflush(stdout);
}

// Nothing that a benchmark calls may fail; when it does, its figures would lie.
inline void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "bench: %s\n", what);
  std::exit(1);
}

}  // namespace bench
