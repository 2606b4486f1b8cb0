/* keygen.c - makes the keys of one peer and prints them in the text form of the WireGuard tools.
 *
 * usage: keygen
 *
 * Keep the private key secret, give the public key to the other side; both sides need the same
 * preshared key, if they use one. */
#include <stdio.h>
#include <tunnel/tunnel.h>

static int print_key(const char* name, const uint8_t key[TUNNEL_KEY_SIZE]) {
  char text[TUNNEL_KEY_TEXT_SIZE];
  int32_t status = tunnel_key_to_text(key, text);
  if (status == TUNNEL_OK) printf("%-12s = %s\n", name, text);
  tunnel_key_wipe(text, sizeof text);
  return status;
}

int main(void) {
  uint8_t private_key[TUNNEL_KEY_SIZE], public_key[TUNNEL_KEY_SIZE], preshared_key[TUNNEL_KEY_SIZE];
  int32_t status = tunnel_key_generate_private(private_key);
  if (status == TUNNEL_OK) status = tunnel_key_public(private_key, public_key);
  if (status == TUNNEL_OK) status = tunnel_key_generate_preshared(preshared_key);
  if (status == TUNNEL_OK) status = print_key("PrivateKey", private_key);
  if (status == TUNNEL_OK) status = print_key("PublicKey", public_key);
  if (status == TUNNEL_OK) status = print_key("PresharedKey", preshared_key);

  /* Wiped on every path, also after a failure. */
  tunnel_key_wipe(private_key, sizeof private_key);
  tunnel_key_wipe(preshared_key, sizeof preshared_key);
  if (status == TUNNEL_OK) return 0;
  fprintf(stderr, "keygen: %s\n", tunnel_status_text(status));
  return 1;
}
