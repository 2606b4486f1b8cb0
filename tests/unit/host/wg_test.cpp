// wg_test.cpp — Debian's `wg` on our control socket, in namespaces of its own: the directory of the
// sockets is shared between network namespaces.
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <tunnel/host/control.h>

#include <cstdio>
#include <string>

#include "config_support.h"
#include "running_engine.h"
#include "support/catch.hpp"
#include "support/netns.h"

using namespace tunnel::test;

namespace {

std::string wg(const std::string& arguments) {
  FILE* pipe = ::popen(("wg " + arguments + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  char part[4096];
  for (std::size_t size; (size = std::fread(part, 1, sizeof(part), pipe)) > 0;) {
    text.append(part, size);
  }
  ::pclose(pipe);
  return text;
}

void need_wg() {
  if (std::system("wg --version >/dev/null 2>&1") != 0) throw test::Skip{"there is no `wg` here"};
}

void own_run_directory() {
  if (::unshare(CLONE_NEWNS) != 0) throw test::Skip{"mount namespaces are not allowed here"};
  REQUIRE(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
  if (::mount("tmpfs", "/run", "tmpfs", 0, "mode=755") != 0) {
    throw test::Skip{"tmpfs cannot be mounted here"};
  }
}

}  // namespace

TEST_CASE("wg show and wg show all dump work on our socket", "[host][control]") {
  test::in_namespace([] {
    need_wg();
    own_run_directory();
    const Parsed parsed =
        parse("[Interface]\nPrivateKey = " + kPrivateKey +
              "\nFwMark = 0x7\n[Peer]\n"
              "# friendly_name = laptop\nPublicKey = " +
              kPeerKey + "\nPresharedKey = " + kOtherKey +
              "\nEndpoint = 192.0.2.7:5000\nAllowedIPs = 10.9.0.2/32, fd00::2/128\n"
              "PersistentKeepalive = 25\n[Peer]\nPublicKey = " +
              kOtherKey + "\n");
    RunningEngine engine(parsed.config.get());
    tunnel_control_config config = TUNNEL_CONTROL_CONFIG_INIT;
    config.name = "wgtest0";
    config.engine = engine.get();
    config.config = parsed.config.get();
    tunnel_control* control = nullptr;
    REQUIRE(tunnel_control_open(&config, &control) == TUNNEL_OK);
    engine.start();
    const std::string port = std::to_string(tunnel_engine_port(engine.get()));
    const std::string shown = wg("show wgtest0");
    INFO(shown);
    REQUIRE(shown.find("interface: wgtest0\n  public key: " + kOwnPublicKey +
                       "\n  private key: (hidden)\n") == 0);
    REQUIRE(shown.find("fwmark: 0x7\n") != std::string::npos);
    REQUIRE(shown.find("peer: " + kPeerKey +
                       "\n  preshared key: (hidden)\n"
                       "  endpoint: 192.0.2.7:5000\n"
                       "  allowed ips: 10.9.0.2/32, fd00::2/128\n") != std::string::npos);
    REQUIRE(shown.find("persistent keepalive: every 25 seconds\n") != std::string::npos);
    const std::string dump = wg("show all dump");
    INFO(dump);
    REQUIRE(dump.find("wgtest0\t" + kPrivateKey + "\t" + kOwnPublicKey + "\t" + port + "\t0x7\n") ==
            0);
    REQUIRE(dump.find("wgtest0\t" + kOtherKey + "\t(none)\t(none)\t(none)\t0\t0\t0\toff\n") !=
            std::string::npos);
    REQUIRE(wg("show interfaces") == "wgtest0\n");
    REQUIRE(wg("set wgtest0 listen-port 7").find("Operation not supported") != std::string::npos);
    tunnel_control_close(control);
    REQUIRE(wg("show interfaces").empty());
  });
}
