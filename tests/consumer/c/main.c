/* main.c - makes a key and a core with the library that it finds. */
#include <stdio.h>
#include <tunnel/tunnel.h>

static int make_core(const uint8_t* private_key) {
  tunnel_core_config config = TUNNEL_CORE_CONFIG_INIT;
  tunnel_core* core = NULL;
  int32_t status = tunnel_core_create(&config, &core);
  if (status == TUNNEL_OK) status = tunnel_core_set_private_key(core, private_key);
  tunnel_core_destroy(core);
  return status;
}

int main(void) {
  uint8_t private_key[TUNNEL_KEY_SIZE];
  int32_t status = tunnel_key_generate_private(private_key);
  if (status == TUNNEL_OK) status = make_core(private_key);
  tunnel_key_wipe(private_key, sizeof private_key);
  printf("libtunnel %u.%u: %s\n", tunnel_version() >> 16, tunnel_version() >> 8 & 0xff,
         tunnel_status_text(status));
  return status == TUNNEL_OK ? 0 : 1;
}
