// main.cpp — makes a key and a core with the library that it finds.
#include <cstdio>
#include <tunnel/tunnel.hpp>

int main() {
  const auto key = tunnel::Key::generate_private();
  if (!key) return 1;
  auto core = tunnel::Core::create();
  if (!core) return 1;
  const std::int32_t status = core->set_private_key(*key);
  std::puts(tunnel::status_text(status));
  return status == TUNNEL_OK ? 0 : 1;
}
