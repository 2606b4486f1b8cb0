// edit_file_test.cpp — how an edited file reaches the disk: locked, whole, and as it was owned.
#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <tunnel/host/edit.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "edit_support.h"
#include "scratch.h"
#include "support/catch.hpp"
#include "support/netns.h"

using namespace tunnel::test;

namespace {

Edit open_file(const std::string& path, std::int32_t expected = TUNNEL_OK) {
  tunnel_config_edit* edit = nullptr;
  const std::int32_t status = tunnel_config_edit_open(path.c_str(), &edit, nullptr);
  REQUIRE(status == expected);
  return Edit(edit);
}

std::int32_t set_port(const Edit& edit, const char* port) {
  return tunnel_config_edit_set(edit.get(), nullptr, "ListenPort", port);
}

struct stat info_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info;
}

std::size_t files_in(const std::string& directory) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (!entry.path().empty()) ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("a saved file keeps its mode, owner and content but for the change", "[host][edit]") {
  const Scratch scratch;
  for (const unsigned mode : {0600u, 0640u, 0400u}) {
    const std::string path = scratch.write("wg0.conf", with_peer("# last"), mode);
    const bool given_away = ::geteuid() == 0 && ::chown(path.c_str(), 12, 34) == 0;
    const Edit edit = open_file(path);
    REQUIRE(set_port(edit, "7") == TUNNEL_OK);
    REQUIRE(tunnel_config_edit_save(edit.get(), nullptr) == TUNNEL_OK);
    CHECK(scratch.read("wg0.conf") == "[Interface]\nPrivateKey = " + kPrivateKey +
                                          "\nListenPort = 7\n[Peer]\nPublicKey = " + kPeerKey +
                                          "\n# last");
    CHECK((info_of(path).st_mode & 07777) == mode);
    if (given_away) CHECK((info_of(path).st_uid == 12 && info_of(path).st_gid == 34));
    CHECK(files_in(scratch.path()) == 1);
    std::filesystem::remove(path);
  }
}

TEST_CASE("a symlink stays, and its target is changed", "[host][edit]") {
  const Scratch scratch;
  std::filesystem::create_directory(scratch.file("real"));
  scratch.write("real/wg0.conf", with_peer(""));
  REQUIRE(::symlink("real/wg0.conf", scratch.file("wg0.conf").c_str()) == 0);
  const Edit edit = open_file(scratch.file("wg0.conf"));
  REQUIRE(set_port(edit, "7") == TUNNEL_OK);
  REQUIRE(tunnel_config_edit_save(edit.get(), nullptr) == TUNNEL_OK);
  CHECK(std::filesystem::is_symlink(scratch.file("wg0.conf")));
  CHECK(scratch.read("real/wg0.conf").find("ListenPort = 7") != std::string::npos);
  CHECK(files_in(scratch.file("real")) == 1);
}

TEST_CASE("an edit may be saved more than once", "[host][edit]") {
  const Scratch scratch;
  const std::string path = scratch.write("wg0.conf", with_peer(""));
  const Edit edit = open_file(path);
  for (const char* port : {"1", "2", "3"}) {
    REQUIRE(set_port(edit, port) == TUNNEL_OK);
    REQUIRE(tunnel_config_edit_save(edit.get(), nullptr) == TUNNEL_OK);
  }
  CHECK(scratch.read("wg0.conf").find("ListenPort = 3\n") != std::string::npos);
}

TEST_CASE("edits at the same time wait for each other, and none is lost", "[host][edit]") {
  const Scratch scratch;
  const std::string path = scratch.write("wg0.conf", with_peer(""));
  constexpr unsigned kThreads = 8;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      tunnel_config_edit* opened = nullptr;
      (void)tunnel_config_edit_open(path.c_str(), &opened, nullptr);
      const Edit edit(opened);
      const Key key{static_cast<std::uint8_t>(i + 1)};
      tunnel_config_peer peer = TUNNEL_CONFIG_PEER_INIT;
      peer.public_key = key.data();
      (void)tunnel_config_edit_add_peer(edit.get(), &peer);
      (void)tunnel_config_edit_save(edit.get(), nullptr);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Parsed parsed = parse(scratch.read("wg0.conf"));
  REQUIRE(parsed.status == TUNNEL_OK);
  CHECK(parsed.interface().peer_count == 1 + kThreads);
}

TEST_CASE("a file that a program without the lock changed is not overwritten", "[host][edit]") {
  const Scratch scratch;
  const std::string path = scratch.write("wg0.conf", with_peer(""));
  const Edit edit = open_file(path);
  REQUIRE(set_port(edit, "7") == TUNNEL_OK);
  scratch.write("wg0.conf", with_peer("# mine"));
  CHECK(tunnel_config_edit_save(edit.get(), nullptr) == TUNNEL_ERR_IN_USE);
  CHECK(scratch.read("wg0.conf") == with_peer("# mine"));
  std::filesystem::remove(path);
  CHECK(tunnel_config_edit_save(edit.get(), nullptr) == TUNNEL_ERR_IN_USE);
  CHECK(files_in(scratch.path()) == 0);
}

TEST_CASE("a change that makes a file wrong never reaches the disk", "[host][edit]") {
  const Scratch scratch;
  const std::string path = scratch.write("wg0.conf", with_peer(""));
  const Edit edit = open_file(path);
  REQUIRE(set_port(edit, "70000") == TUNNEL_OK);
  tunnel_config_issue issue = TUNNEL_CONFIG_ISSUE_INIT;
  CHECK(tunnel_config_edit_save(edit.get(), &issue) == TUNNEL_ERR_CONFIG);
  CHECK(issue.line == 3);
  CHECK(scratch.read("wg0.conf") == with_peer(""));
}

TEST_CASE("what a writer that died left behind is replaced, not followed", "[host][edit]") {
  const Scratch scratch;
  const std::string path = scratch.write("wg0.conf", with_peer(""));
  const std::string victim = scratch.write("victim", "precious");
  REQUIRE(::symlink(victim.c_str(), (path + ".tmp").c_str()) == 0);
  const Edit edit = open_file(path);
  REQUIRE(set_port(edit, "7") == TUNNEL_OK);
  REQUIRE(tunnel_config_edit_save(edit.get(), nullptr) == TUNNEL_OK);
  CHECK(scratch.read("victim") == "precious");
  CHECK(!std::filesystem::exists(path + ".tmp"));
}

TEST_CASE("what is no file, or no configuration, is not opened", "[host][edit]") {
  const Scratch scratch;
  open_file(scratch.file("none.conf"), TUNNEL_ERR_NOT_FOUND);
  open_file(scratch.path(), TUNNEL_ERR_UNSUPPORTED);
  open_file(scratch.write("bad.conf", "[Interface]\nMTU = x\n"), TUNNEL_ERR_CONFIG);
  REQUIRE(::mkfifo(scratch.file("fifo.conf").c_str(), 0600) == 0);
  open_file(scratch.file("fifo.conf"), TUNNEL_ERR_UNSUPPORTED);
}

TEST_CASE("on a full disk the file stays as it is", "[host][edit]") {
  test::in_namespace([] {
    if (::unshare(CLONE_NEWNS) != 0) throw test::Skip{"mount namespaces are not allowed here"};
    REQUIRE(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
    const Scratch scratch;
    if (::mount("tmpfs", scratch.path().c_str(), "tmpfs", 0, "size=64k,mode=700") != 0) {
      throw test::Skip{"tmpfs cannot be mounted here"};
    }
    const std::string text = with_peer("# " + std::string(20000, 'x') + "\n");
    const std::string path = scratch.write("wg0.conf", text);
    scratch.write("ballast", std::string(32768, 'x'));
    const Edit edit = open_file(path);
    REQUIRE(set_port(edit, "7") == TUNNEL_OK);
    REQUIRE(tunnel_config_edit_save(edit.get(), nullptr) == TUNNEL_ERR_RESOURCES);
    REQUIRE(scratch.read("wg0.conf") == text);
    REQUIRE(files_in(scratch.path()) == 2);
    std::filesystem::remove(scratch.file("ballast"));
    REQUIRE(tunnel_config_edit_save(edit.get(), nullptr) == TUNNEL_OK);
    REQUIRE(scratch.read("wg0.conf") != text);
    REQUIRE(::umount2(scratch.path().c_str(), MNT_DETACH) == 0);
  });
}
