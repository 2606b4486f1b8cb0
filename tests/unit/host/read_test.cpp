#include <sys/stat.h>
#include <tunnel/host/config.h>
#include <unistd.h>

#include <string>

#include "config_support.h"
#include "host/system/files.h"
#include "scratch.h"
#include "support/catch.hpp"

using namespace tunnel::test;

namespace {

Parsed read(const std::string& path) {
  Parsed parsed;
  tunnel_config* config = nullptr;
  parsed.status = tunnel_config_read(path.c_str(), &config, &parsed.issue);
  parsed.config.reset(config);
  return parsed;
}

}  // namespace

TEST_CASE("a private file is read without warnings, also through a symlink", "[host][config]") {
  const Scratch scratch;
  const std::string path = scratch.write("wg0.conf", with_peer(""));
  REQUIRE(::symlink(path.c_str(), scratch.file("link.conf").c_str()) == 0);
  for (const char* name : {"wg0.conf", "link.conf"}) {
    const Parsed parsed = read(scratch.file(name));
    REQUIRE(parsed.status == TUNNEL_OK);
    CHECK(parsed.interface().peer_count == 1);
    CHECK(tunnel_config_warning_count(parsed.config.get()) == 0);
  }
}

TEST_CASE("a file with a key that others may read gives a warning", "[host][config]") {
  const Scratch scratch;
  for (const unsigned mode : {0640u, 0604u, 0660u}) {
    const Parsed parsed = read(scratch.write("wg0.conf", with_peer(""), mode));
    REQUIRE(parsed.status == TUNNEL_OK);
    REQUIRE(tunnel_config_warning_count(parsed.config.get()) == 1);
    CHECK(parsed.warning(0).line == 0);
    CHECK(parsed.warning(0).status == TUNNEL_OK);
    CHECK(std::string(parsed.warning(0).message) ==
          "other users may read this file, which holds a private key");
  }
  const Parsed no_key = read(scratch.write("open.conf", "[Interface]\n", 0644));
  REQUIRE(no_key.status == TUNNEL_OK);
  CHECK(tunnel_config_warning_count(no_key.config.get()) == 0);
}

TEST_CASE("what is no readable file is refused with its reason", "[host][config]") {
  const Scratch scratch;
  CHECK(read(scratch.file("missing.conf")).status == TUNNEL_ERR_NOT_FOUND);
  CHECK(std::string(read(scratch.file("missing.conf")).issue.message) ==
        "cannot read this file: No such file or directory");
  CHECK(read(scratch.path()).status == TUNNEL_ERR_UNSUPPORTED);
  REQUIRE(::mkfifo(scratch.file("fifo.conf").c_str(), 0600) == 0);
  CHECK(read(scratch.file("fifo.conf")).status == TUNNEL_ERR_UNSUPPORTED);
  CHECK(read("/dev/zero").status == TUNNEL_ERR_UNSUPPORTED);
  CHECK(std::string(read("/dev/zero").issue.message) == "this is not a regular file");
  const std::string huge = scratch.write("huge.conf", "");
  REQUIRE(::truncate(huge.c_str(), (64 << 20) + 1) == 0);
  CHECK(read(huge).status == TUNNEL_ERR_LIMIT);
}

TEST_CASE("a file is replaced as a whole and stays private", "[host][system]") {
  const Scratch scratch;
  const auto directory = tunnel::host::open_directory(scratch.file("state"));
  REQUIRE(directory);
  struct stat info {};
  REQUIRE(::stat(scratch.file("state").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
  REQUIRE(tunnel::host::replace_file(*directory, "file", "old content") == TUNNEL_OK);
  REQUIRE(tunnel::host::replace_file(*directory, "file", "new") == TUNNEL_OK);
  CHECK(scratch.read("state/file") == "new");
  REQUIRE(::stat(scratch.file("state/file").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK_FALSE(std::filesystem::exists(scratch.file("state/file.new")));
}
