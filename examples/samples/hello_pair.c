/* hello_pair.c - two peers in one program, no network: what a core does, step by step.
 *
 * usage: hello_pair
 *
 * A core turns inside packets (IP) into datagrams and back. It does no I/O and knows no clock, so
 * this program carries the datagrams by hand and says what time it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tunnel/tunnel.h>

#define HEADER 20 /* of IPv4 */

/* A packet and the buffer it lies in, with room around it for header, padding and tag. */
typedef struct {
  uint8_t bytes[2048];
  tunnel_packet packet;
} buffer;

static void check(int32_t status, const char* what) {
  if (status >= 0) return;
  fprintf(stderr, "hello_pair: %s: %s\n", what, tunnel_status_text(status));
  exit(1);
}

static void expect(const tunnel_packet* packet, int32_t verdict, const char* what) {
  printf("  %-44s %s, %u bytes\n", what, tunnel_status_text(packet->verdict),
         (unsigned)packet->length);
  if (packet->verdict == verdict) return;
  fprintf(stderr, "hello_pair: expected \"%s\"\n", tunnel_status_text(verdict));
  exit(1);
}

static void reset(buffer* b) {
  memset(&b->packet, 0, sizeof b->packet);
  b->packet.data = b->bytes + TUNNEL_HEADROOM;
  b->packet.headroom = TUNNEL_HEADROOM;
  b->packet.room = sizeof b->bytes - TUNNEL_HEADROOM;
}

/* An IPv4 packet from 10.9.0.`from` to 10.9.0.`to` that carries a text. */
static void write_text(buffer* b, uint8_t from, uint8_t to, const char* text) {
  size_t length = HEADER + strlen(text);
  uint8_t header[HEADER] = {0x45, 0, 0, 0, 0, 0, 0, 0, 64, 253}; /* 253: for experiments */
  header[2] = (uint8_t)(length >> 8);
  header[3] = (uint8_t)length;
  memcpy(header + 12, (uint8_t[]){10, 9, 0, from, 10, 9, 0, to}, 8);
  reset(b);
  memcpy(b->packet.data, header, HEADER);
  memcpy(b->packet.data + HEADER, text, length - HEADER);
  b->packet.length = (uint32_t)length;
}

static tunnel_core* make_core(uint8_t public_key[TUNNEL_KEY_SIZE]) {
  tunnel_core_config config = TUNNEL_CORE_CONFIG_INIT;
  tunnel_core* core = NULL;
  uint8_t private_key[TUNNEL_KEY_SIZE];
  check(tunnel_core_create(&config, &core), "create a core");
  check(tunnel_key_generate_private(private_key), "make a key");
  check(tunnel_core_set_private_key(core, private_key), "set the key");
  tunnel_key_wipe(private_key, sizeof private_key);
  check(tunnel_core_public_key(core, public_key), "read the public key");
  return core;
}

/* Tells a core its peer: the key, the one inside address that is the peer's, and where it is. */
static void add_peer(tunnel_core* core, const uint8_t public_key[TUNNEL_KEY_SIZE], uint8_t host) {
  tunnel_prefix prefix = {TUNNEL_FAMILY_IPV4, 32, 0, 0, {10, 9, 0, host}};
  tunnel_peer_config peer = TUNNEL_PEER_CONFIG_INIT;
  memcpy(peer.public_key, public_key, TUNNEL_KEY_SIZE);
  peer.fields = TUNNEL_PEER_ENDPOINT;
  peer.endpoint =
      (tunnel_address){TUNNEL_FAMILY_IPV4, 0, 51820, 0, {192, 0, 2, host}}; /* nobody will ask */
  peer.prefixes = &prefix;
  peer.prefix_count = 1;
  check(tunnel_core_set_peer(core, &peer, NULL), "set the peer");
}

/* Lets a core make the one datagram that is due, and hands it to the other. */
static void pass_one(tunnel_core* from, tunnel_core* to, buffer* b, const tunnel_time* now) {
  reset(b);
  int32_t made = tunnel_core_poll(from, &b->packet, 1, 1, now);
  check(made, "poll");
  if (made != 1) check(TUNNEL_ERR_STATE, "poll made no datagram");
  expect(&b->packet, TUNNEL_VERDICT_SEND, "poll makes");
  b->packet.remote = (tunnel_address){TUNNEL_FAMILY_IPV4, 0, 51820, 0, {192, 0, 2, 7}};
  check(tunnel_core_open(to, &b->packet, 1, now), "open");
}

static void print_text(const tunnel_packet* packet) {
  printf("  the packet says: %.*s\n", (int)(packet->length - HEADER),
         (const char*)packet->data + HEADER);
}

int main(void) {
  uint8_t alice_key[TUNNEL_KEY_SIZE], bob_key[TUNNEL_KEY_SIZE];
  tunnel_core* alice = make_core(alice_key);
  tunnel_core* bob = make_core(bob_key);
  tunnel_time now = {1000000000u, 1700000000000000000u}; /* any time will do */
  buffer b;

  add_peer(alice, bob_key, 2);
  add_peer(bob, alice_key, 1);

  printf("Alice has a packet for Bob, but no session yet:\n");
  write_text(&b, 1, 2, "hello Bob");
  check(tunnel_core_seal(alice, &b.packet, 1, &now), "seal");
  expect(&b.packet, TUNNEL_VERDICT_HELD, "seal keeps a copy");

  printf("Alice starts a handshake:\n");
  pass_one(alice, bob, &b, &now);
  expect(&b.packet, TUNNEL_VERDICT_CONSUMED, "Bob takes the initiation in");

  printf("Bob answers:\n");
  pass_one(bob, alice, &b, &now);
  expect(&b.packet, TUNNEL_VERDICT_CONSUMED, "Alice takes the response in");

  printf("Now Alice has a session, and the packet that she held leaves:\n");
  pass_one(alice, bob, &b, &now);
  expect(&b.packet, TUNNEL_VERDICT_DELIVER, "Bob opens it");
  print_text(&b.packet);

  printf("Bob answers at once, in place:\n");
  write_text(&b, 2, 1, "hello Alice");
  check(tunnel_core_seal(bob, &b.packet, 1, &now), "seal");
  expect(&b.packet, TUNNEL_VERDICT_SEND, "Bob seals a datagram");
  check(tunnel_core_open(alice, &b.packet, 1, &now), "open");
  expect(&b.packet, TUNNEL_VERDICT_DELIVER, "Alice opens it");
  print_text(&b.packet);

  tunnel_core_destroy(alice);
  tunnel_core_destroy(bob);
  return 0;
}
