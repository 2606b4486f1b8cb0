#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <tunnel/host/control.h>
#include <tunnel/host/text.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/base.h"
#include "control_support.h"
#include "host/control/server.h"
#include "host/control/socket_file.h"
#include "support/catch.hpp"

using namespace tunnel::test;
using tunnel::base::Descriptor;

namespace {

bool hangs_up(const Descriptor& fd) {
  char byte;
  return ::recv(fd.get(), &byte, 1, 0) <= 0;
}

std::string example() {
  return "[Interface]\nPrivateKey = " + kPrivateKey + "\nFwMark = 7\n" +
         "[Peer]\n# friendly_name = laptop\nPublicKey = " + kPeerKey +
         "\nPresharedKey = " + kOtherKey +
         "\nEndpoint = [2001:db8::7]:5000\nAllowedIPs = 10.9.0.2/32, fd00::2/128\n"
         "PersistentKeepalive = 25\n"
         "[Peer]\nPublicKey = " +
         kOtherKey + "\n";
}

std::string many_peers(std::uint32_t count) {
  std::string text = with_interface("");
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint8_t key[TUNNEL_KEY_SIZE] = {static_cast<std::uint8_t>(i),
                                               static_cast<std::uint8_t>(i >> 8), 7};
    char key_text[TUNNEL_KEY_TEXT_SIZE];
    REQUIRE(tunnel_key_to_text(key, key_text) == TUNNEL_OK);
    text += "[Peer]\nPublicKey = " + std::string(key_text) + "\nAllowedIPs = 10." +
            std::to_string(i >> 8) + "." + std::to_string(i & 255) + ".1\n";
  }
  return text;
}

}  // namespace

TEST_CASE("a snapshot says what the configuration said, without secrets", "[host][control]") {
  Daemon daemon(example());
  daemon.start();
  const SnapshotPtr snapshot = daemon.ask();
  const auto interface = interface_of(snapshot);
  CHECK(interface.ours == 1);
  CHECK(interface.has_key == 1);
  char key[TUNNEL_KEY_TEXT_SIZE];
  REQUIRE(tunnel_key_to_text(interface.public_key, key) == TUNNEL_OK);
  CHECK(std::string(key) == kOwnPublicKey);
  CHECK(interface.fwmark == 7);
  CHECK(interface.mtu == 1420);
  CHECK(interface.process == static_cast<std::uint32_t>(::getpid()));
  tunnel_counters counters = TUNNEL_COUNTERS_INIT;
  REQUIRE(tunnel_snapshot_get_counters(snapshot.get(), &counters) == TUNNEL_OK);
  CHECK(counters.peers == 2);
  REQUIRE(interface.peer_count == 2);
  const auto first = peer_of(snapshot, 0);
  CHECK(std::string(first.name) == "laptop");
  CHECK(first.has_preshared_key == 1);
  CHECK(first.keepalive_s == 25);
  CHECK(first.endpoint.port == 5000);
  CHECK(first.latest_handshake_ns == 0);
  CHECK(first.allowed_ip_count == 2);
  const auto second = peer_of(snapshot, 1);
  CHECK(std::string(second.name).empty());
  CHECK(second.has_preshared_key == 0);
  CHECK(second.endpoint.family == TUNNEL_FAMILY_NONE);
  tunnel_snapshot_peer none = TUNNEL_SNAPSHOT_PEER_INIT;
  CHECK(tunnel_snapshot_get_peer(snapshot.get(), 2, &none) == TUNNEL_ERR_NOT_FOUND);
}

TEST_CASE("a snapshot has the mark that the socket was given", "[host][control]") {
  Daemon daemon(with_peer(""));
  daemon.config.fwmark = 51820;
  daemon.start();
  CHECK(interface_of(daemon.ask()).fwmark == 51820);
}

TEST_CASE("a snapshot has what the engine counted", "[host][control]") {
  Daemon daemon(example());
  daemon.start();
  tunnel_engine_counters engine = TUNNEL_ENGINE_COUNTERS_INIT;
  // A request wakes the engine, unless it was awake anyhow: soon after the start.
  for (int request = 0; request < 10 && engine.wakeups == 0; ++request) {
    REQUIRE(tunnel_snapshot_get_engine(daemon.ask().get(), &engine) == TUNNEL_OK);
  }
  CHECK(engine.running == 1);
  CHECK(engine.wakeups > 0);
  CHECK(tunnel_snapshot_get_engine(nullptr, &engine) == TUNNEL_ERR_ARGUMENT);
  tunnel_counters core = TUNNEL_COUNTERS_INIT;
  CHECK(tunnel_snapshot_get_counters(nullptr, &core) == TUNNEL_ERR_ARGUMENT);
}

TEST_CASE("the socket is private and is removed at the end", "[host][control]") {
  Daemon daemon(example());
  daemon.start();
  struct stat info {};
  REQUIRE(::stat(daemon.socket().c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  REQUIRE(::stat(daemon.directory.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
  daemon.control.reset();
  CHECK(::stat(daemon.socket().c_str(), &info) != 0);
}

TEST_CASE("ten thousand peers are listed", "[host][control]") {
  Daemon daemon(many_peers(10000));
  daemon.start();
  const SnapshotPtr snapshot = daemon.ask();
  CHECK(interface_of(snapshot).peer_count == 10000);
  CHECK(peer_of(snapshot, 9999).allowed_ip_count == 1);
}

TEST_CASE("requests are answered one after another, errors with the sign that wg expects",
          "[host][control]") {
  Daemon daemon(example());
  daemon.start();
  const Descriptor fd = connect(daemon);
  CHECK(talk(fd, "get=1\n\n").ends_with("\nerrno=0\n\n"));
  CHECK(talk(fd, "set=1\nlisten_port=1\nprivate_key=00\n\n") == "errno=-95\n\n");
  CHECK(talk(fd, "set=1\nprivate_key=00\n\n") == "errno=-22\n\n");
  const std::string both = talk(fd, "set=1\n\nget=1\n\n", 2);
  CHECK(both.starts_with("errno=0\n\nprivate_key="));
  CHECK(both.find("\nprotocol_version=1\n") != std::string::npos);
  CHECK(both.find("\nlast_handshake_time_sec=0\nlast_handshake_time_nsec=0\n") !=
        std::string::npos);
}

TEST_CASE("who does not speak the protocol is cut off", "[host][control]") {
  Daemon daemon(example());
  daemon.start();
  using std::string_literals::operator""s;
  for (const std::string& request :
       {"hello\n"s, "\n"s, "get=2\n\n"s, "get=1\nx=1\n\n"s, std::string(5000, 'x'),
        "set=1\n" + std::string(5000, 'x') + "\n\n", "\0\0\0\n"s, "get=1\r\n\r\n"s}) {
    CAPTURE(request.substr(0, 20));
    const Descriptor fd = connect(daemon);
    CHECK(talk(fd, request).empty());
  }
  CHECK(interface_of(daemon.ask()).peer_count == 2);
}

TEST_CASE("more clients than places push out the idle ones", "[host][control]") {
  Daemon daemon(example());
  daemon.start();
  std::vector<Descriptor> clients;
  for (std::size_t i = 0; i < 2 * tunnel::host::Server::kMostConnections; ++i) {
    clients.push_back(connect(daemon));
    CHECK(talk(clients.back(), "get=1\n\n").ends_with("errno=0\n\n"));
  }
  CHECK(hangs_up(clients.front()));
  CHECK(talk(clients.back(), "get=1\n\n").ends_with("errno=0\n\n"));
}

TEST_CASE("a client that does not take its answer does not stop the others", "[host][control]") {
  Daemon daemon(many_peers(10000));
  daemon.start();
  const Descriptor lazy = connect(daemon);
  REQUIRE(::send(lazy.get(), "get=1\n\n", 7, 0) == 7);
  CHECK(interface_of(daemon.ask()).peer_count == 10000);
}

TEST_CASE("a second daemon of the same name is refused, a dead socket is replaced",
          "[host][control]") {
  Daemon daemon(example());
  daemon.start();
  tunnel_control* other = nullptr;
  CHECK(tunnel_control_open(&daemon.config, &other) == TUNNEL_ERR_IN_USE);
  CHECK(other == nullptr);
  CHECK(interface_of(daemon.ask()).peer_count == 2);
  daemon.control.reset();
  {
    // Listening ends with the descriptor; the file stays, as after kill -9.
    const auto dead = tunnel::host::SocketFile::create(daemon.directory, "wg0");
    REQUIRE(dead);
  }
  struct stat info {};
  REQUIRE(::stat(daemon.socket().c_str(), &info) == 0);
  CHECK(daemon.open() == TUNNEL_OK);
  CHECK(interface_of(daemon.ask()).peer_count == 2);
}

TEST_CASE("a file that is no socket is not touched", "[host][control]") {
  Daemon daemon(example());
  REQUIRE(::mkdir(daemon.directory.c_str(), 0700) == 0);
  daemon.scratch.write("wireguard/wg0.sock", "precious");
  CHECK(daemon.open() == TUNNEL_ERR_IN_USE);
  CHECK(tunnel_control_stop(daemon.directory.c_str(), "wg0", 1000) == TUNNEL_ERR_IN_USE);
  CHECK(daemon.scratch.read("wireguard/wg0.sock") == "precious");
}

TEST_CASE("a socket that was handed over is closed also when nothing comes of it",
          "[host][control]") {
  Daemon daemon(example());
  for (const bool named : {false, true}) {
    Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int number = listener.get();
    daemon.config.name = named ? "wg0" : nullptr;
    daemon.config.engine = named ? nullptr : daemon.engine.get();
    daemon.config.listener = listener.release();
    daemon.config.take_listener = 1;
    CHECK(daemon.open() == TUNNEL_ERR_ARGUMENT);
    CHECK(::fcntl(number, F_GETFD) == -1);
  }
}

TEST_CASE("deleting the socket ends the daemon", "[host][control]") {
  Daemon daemon(example());
  daemon.start();
  REQUIRE(::unlink(daemon.socket().c_str()) == 0);
  daemon.engine.join();
}

TEST_CASE("a socket that replaced ours ends the daemon and is left alone", "[host][control]") {
  Daemon daemon(example());
  daemon.start();
  const std::string fresh = daemon.scratch.write("fresh", "another");
  REQUIRE(::rename(fresh.c_str(), daemon.socket().c_str()) == 0);
  daemon.engine.join();
  daemon.control.reset();
  CHECK(daemon.scratch.read("wireguard/wg0.sock") == "another");
}

TEST_CASE("stop ends a daemon and waits until it has closed its socket", "[host][control]") {
  Daemon daemon(example());
  daemon.start();
  std::thread main_thread([&] {
    daemon.engine.join();
    tunnel_control_detach(daemon.control.get());
    daemon.control.reset();
  });
  CHECK(tunnel_control_stop(daemon.directory.c_str(), "wg0", kPatience_ms) == TUNNEL_OK);
  main_thread.join();
  CHECK(daemon.control == nullptr);
  CHECK(tunnel_control_stop(daemon.directory.c_str(), "wg0", kPatience_ms) == TUNNEL_ERR_NOT_FOUND);
}

TEST_CASE("stop says when a daemon does not go", "[host][control]") {
  Daemon daemon(example());
  daemon.start();
  CHECK(tunnel_control_stop(daemon.directory.c_str(), "wg0", 1) == TUNNEL_ERR_TIMEOUT);
}

TEST_CASE("without an engine requests are refused, and nobody waits", "[host][control]") {
  Daemon daemon(example());
  REQUIRE(daemon.open() == TUNNEL_OK);
  const Descriptor fd = connect(daemon);
  // The engine does not run: the request waits until it is let go.
  std::thread detacher([&] { tunnel_control_detach(daemon.control.get()); });
  CHECK(talk(fd, "get=1\n\n") == "errno=19\n\n");
  detacher.join();
  CHECK(talk(fd, "get=1\n\n") == "errno=19\n\n");
  tunnel_snapshot* snapshot = nullptr;
  CHECK(tunnel_snapshot_read(daemon.directory.c_str(), "wg0", kPatience_ms, &snapshot) ==
        TUNNEL_ERR_NOT_FOUND);
}

TEST_CASE("the list has the daemons that live, sorted", "[host][control]") {
  Daemon daemon(example(), "wg7");
  daemon.start();
  tunnel_control_config config = daemon.config;
  config.name = "alpha";
  tunnel_control* alpha = nullptr;
  REQUIRE(tunnel_control_open(&config, &alpha) == TUNNEL_OK);
  const ControlPtr guard(alpha);
  (void)tunnel::host::SocketFile::create(daemon.directory, "dead");
  daemon.scratch.write("wireguard/not-a-socket", "");
  char names[4][16];
  std::size_t count = 0;
  REQUIRE(tunnel_control_list(daemon.directory.c_str(), names, 4, &count) == TUNNEL_OK);
  REQUIRE(count == 2);
  CHECK(std::string(names[0]) == "alpha");
  CHECK(std::string(names[1]) == "wg7");
  REQUIRE(tunnel_control_list(daemon.scratch.file("none").c_str(), names, 4, &count) == TUNNEL_OK);
  CHECK(count == 0);
}
