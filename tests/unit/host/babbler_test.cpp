// A daemon in the hands of an attacker: it talks and talks, and its clients are root.
#include <sys/socket.h>
#include <sys/un.h>
#include <tunnel/host/control.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <thread>

#include "base/base.h"
#include "scratch.h"
#include "support/catch.hpp"

using namespace tunnel::test;
using tunnel::base::Descriptor;

namespace {

constexpr std::uint32_t kPatience_ms = 50;

// Answers whoever comes, one after the other, and never ends by itself.
class Babbler {
 public:
  Babbler() : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    std::filesystem::create_directory(directory());
    std::filesystem::permissions(directory(), std::filesystem::perms::owner_all);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = directory() + "/wg0.sock";
    REQUIRE(path.size() < sizeof address.sun_path);
    std::copy_n(path.c_str(), path.size() + 1, address.sun_path);
    const auto* name = reinterpret_cast<const sockaddr*>(&address);
    REQUIRE(::bind(socket_.get(), name, sizeof address) == 0);
    REQUIRE(::listen(socket_.get(), 4) == 0);
    thread_ = std::thread([this] { serve(); });
  }
  ~Babbler() {
    ::shutdown(socket_.get(), SHUT_RDWR);
    thread_.join();
  }

  std::string directory() const { return scratch_.file("wireguard"); }

 private:
  void serve() const {
    for (;;) {
      const Descriptor client(::accept(socket_.get(), nullptr, nullptr));
      if (!client.valid()) return;
      while (::send(client.get(), "x_y=z\n", 6, MSG_NOSIGNAL) > 0) continue;
    }
  }

  Scratch scratch_;
  Descriptor socket_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("a daemon that talks without an end is not listened to for ever", "[host][control]") {
  const Babbler babbler;
  const std::string directory = babbler.directory();
  tunnel_snapshot* snapshot = nullptr;
  CHECK(tunnel_snapshot_read(directory.c_str(), "wg0", kPatience_ms, &snapshot) ==
        TUNNEL_ERR_TIMEOUT);
  CHECK(snapshot == nullptr);
  CHECK(tunnel_control_stop(directory.c_str(), "wg0", kPatience_ms) == TUNNEL_ERR_TIMEOUT);
}
