#include "host/dns/resolv_conf.h"

#include "dns_support.h"

namespace host = tunnel::host;
using tunnel::test::ip;
using tunnel::test::step;

namespace {

constexpr auto kFile = host::ResolverStep::Backend::file;

}  // namespace

TEST_CASE("a resolv.conf is read as the C library reads it", "[host][dns]") {
  const auto content = host::dns::read_resolv_conf(
      "# comment\n; comment\nnameserver 192.0.2.1\nnameserver\t2001:db8::1 trailing\n"
      "nameserver bogus\nnameserver 1.2.3.4:53\nnameserver fe80::1%lo\ndomain old.example\n"
      "search a.example b.example\noptions ndots:2 trust-ad\noptions rotate\nnonsense\n\n "
      "nameserver "
      "192.0.2.2");
  REQUIRE(content.servers.size() == 4);
  CHECK(host::dns::server_text(content.servers[1]) == "2001:db8::1");
  CHECK(host::dns::server_text(content.servers[2]) == "fe80::1%lo");
  CHECK(host::dns::server_text(content.servers[3]) == "192.0.2.2");
  CHECK(content.domains == std::vector<std::string>{"a.example", "b.example"});
  CHECK(content.options == std::vector<std::string>{"ndots:2", "trust-ad", "rotate"});
}

TEST_CASE("with all names the tunnel's servers stand alone", "[host][dns]") {
  const auto before =
      host::dns::read_resolv_conf("nameserver 192.0.2.1\nsearch lan\noptions rotate trust-ad\n");
  CHECK(host::dns::resolv_conf_text(host::dns::resolv_conf_for(step(kFile), before)) ==
        "search example.com\nnameserver 10.9.0.1\nnameserver fd09::1\noptions rotate\n");
}

TEST_CASE("without all names the former servers and domains stay behind ours", "[host][dns]") {
  const auto before = host::dns::read_resolv_conf("nameserver 192.0.2.1\nsearch lan\n");
  auto some = step(kFile);
  some.everything = false;
  CHECK(host::dns::resolv_conf_text(host::dns::resolv_conf_for(some, before)) ==
        "search example.com lan\nnameserver 10.9.0.1\nnameserver fd09::1\nnameserver 192.0.2.1\n");
}

TEST_CASE("search domains alone leave the servers as they are", "[host][dns]") {
  const auto before = host::dns::read_resolv_conf("nameserver 192.0.2.1\n");
  auto domains = step(kFile);
  domains.servers.clear();
  CHECK(host::dns::resolv_conf_text(host::dns::resolv_conf_for(domains, before)) ==
        "search example.com\nnameserver 192.0.2.1\n");
}

TEST_CASE("a saved file survives as one line, whatever it contains", "[host][dns]") {
  using Kind = host::dns::SavedFile::Kind;
  for (const host::dns::SavedFile& file :
       {host::dns::SavedFile{}, host::dns::SavedFile{Kind::file, 0640, 1, 65534, "", ""},
        host::dns::SavedFile{Kind::file, 0644, 0, 0, "", std::string("a b\t%\n\0\xff-", 9)},
        host::dns::SavedFile{Kind::link, 0777, 0, 0, "../run/a b/x", "nameserver 1.2.3.4\n"}}) {
    const std::string line = host::dns::saved_text(file);
    CHECK(line.find('\n') == std::string::npos);
    const auto back = host::dns::read_saved(line);
    REQUIRE(back);
    CHECK(*back == file);
  }
}

TEST_CASE("a damaged saved line is nothing, not something else", "[host][dns]") {
  for (const char* line : {"", "x", "f 644 0 0", "f 644 0 0 %", "f 9 0 0 % %", "ff 644 0 0 % %",
                           "f 644 -1 0 % %", "f 644 0 0 %4 %", "f 644 0 0 % %zz"}) {
    INFO(line);
    CHECK_FALSE(host::dns::read_saved(line));
  }
}

TEST_CASE("our file names its tunnel and holds what it replaced, comments that do not matter",
          "[host][dns]") {
  const host::dns::SavedFile before{host::dns::SavedFile::Kind::file, 0644, 0, 0, "",
                                    "nameserver 192.0.2.1\n"};
  const std::string text = host::dns::mark_text({"wg0", before}) + "nameserver 10.9.0.1\n";
  const auto mark = host::dns::read_mark(text);
  REQUIRE(mark);
  CHECK(mark->interface_name == "wg0");
  CHECK(mark->before == before);
  CHECK(host::dns::read_resolv_conf(text).servers.size() == 1);
  CHECK_FALSE(host::dns::read_mark("nameserver 192.0.2.1\n"));
}
