// descriptor.h — who owns a file descriptor, what its errors mean, and a flag one can wait on.
//
// POSIX only. Rooms that talk to the system share these three; nothing here knows of packets.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace tunnel::base {

// Owns a descriptor; closes it on destruction.
class Descriptor {
 public:
  Descriptor() noexcept = default;
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  [[nodiscard]] bool valid() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int get() const noexcept { return fd_; }
  int release() noexcept;

 private:
  int fd_ = -1;
};

// The TUNNEL_ERR_ status of an errno of a set-up call. Callers that know better say so first.
[[nodiscard]] std::int32_t status_of(int error) noexcept;

// A flag whose descriptor another thread can wait on, level-triggered. Each flag is used either for
// reading (descriptor readable while it is up) or for writing (writable while it is up). Changing
// it is not synchronised: its owner holds a lock.
class WaitFlag {
 public:
  enum class Kind : std::uint8_t { readable, writable };

  // Readable flags begin down, writable ones up.
  static Result<WaitFlag> create(Kind kind) noexcept;

  void set(bool up) noexcept;
  [[nodiscard]] std::int64_t handle() const noexcept { return fd_.get(); }

 private:
  WaitFlag(Descriptor fd, Kind kind) noexcept
      : fd_(static_cast<Descriptor&&>(fd)), kind_(kind), up_(kind == Kind::writable) {}

  Descriptor fd_;
  Kind kind_;
  bool up_;
};

}  // namespace tunnel::base
