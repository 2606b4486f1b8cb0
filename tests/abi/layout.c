/* layout.c - sizes and offsets of what travels in arrays: frozen, so written down as numbers. */
#include <stddef.h>
#include <tunnel/host/control.h>
#include <tunnel/tunnel.h>

#include "check.h"

#define AT(type, member, offset) CHECK_NUMBER(offsetof(type, member), offset)

static void address_is_frozen(void) {
  CHECK_NUMBER(sizeof(tunnel_address), 24);
  AT(tunnel_address, family, 0);
  AT(tunnel_address, carrier, 1);
  AT(tunnel_address, port, 2);
  AT(tunnel_address, scope, 4);
  AT(tunnel_address, bytes, 8);
}

static void prefix_is_frozen(void) {
  CHECK_NUMBER(sizeof(tunnel_prefix), 24);
  AT(tunnel_prefix, family, 0);
  AT(tunnel_prefix, length, 1);
  AT(tunnel_prefix, flags, 2);
  AT(tunnel_prefix, reserved, 4);
  AT(tunnel_prefix, bytes, 8);
}

/* On 32-bit systems the pointers are shorter; there the order alone is frozen. */
static void packet_is_frozen(void) {
  if (sizeof(void*) != 8) return;
  CHECK_NUMBER(sizeof(tunnel_packet), 128);
  AT(tunnel_packet, data, 0);
  AT(tunnel_packet, length, 8);
  AT(tunnel_packet, room, 12);
  AT(tunnel_packet, headroom, 16);
  AT(tunnel_packet, verdict, 20);
  AT(tunnel_packet, peer, 24);
  AT(tunnel_packet, user, 32);
  AT(tunnel_packet, flags, 40);
  AT(tunnel_packet, reserved, 44);
  AT(tunnel_packet, remote, 48);
  AT(tunnel_packet, local, 72);
  AT(tunnel_packet, internal, 96);
}

static void aead_job_is_frozen(void) {
  if (sizeof(void*) != 8) return;
  CHECK_NUMBER(sizeof(tunnel_aead_job), 64);
  AT(tunnel_aead_job, key, 0);
  AT(tunnel_aead_job, counter, 8);
  AT(tunnel_aead_job, in, 16);
  AT(tunnel_aead_job, out, 24);
  AT(tunnel_aead_job, length, 32);
  AT(tunnel_aead_job, result, 36);
  AT(tunnel_aead_job, reserved, 40);
}

static void slab_handle_and_time_are_frozen(void) {
  CHECK_NUMBER(sizeof(tunnel_time), 16);
  AT(tunnel_time, mono_ns, 0);
  AT(tunnel_time, wall_ns, 8);
  CHECK_NUMBER(sizeof(tunnel_handle), 16);
  AT(tunnel_handle, handle, 0);
  AT(tunnel_handle, events, 8);
  if (sizeof(void*) != 8) return;
  CHECK_NUMBER(sizeof(tunnel_slab), 32);
  AT(tunnel_slab, bytes, 0);
  AT(tunnel_slab, size, 8);
  AT(tunnel_slab, headroom, 16);
  AT(tunnel_slab, tailroom, 20);
  AT(tunnel_slab, padding, 24);
  AT(tunnel_slab, mtu, 28);
}

/* Structs passed singly, and tables, begin with their size. They may grow, so it is not a
 * number. */
static void growing_structs_begin_with_their_size(void) {
  AT(tunnel_core_config, size, 0);
  AT(tunnel_layout, size, 0);
  AT(tunnel_peer_config, size, 0);
  AT(tunnel_peer_info, size, 0);
  AT(tunnel_event, size, 0);
  AT(tunnel_counters, size, 0);
  AT(tunnel_tun_config, size, 0);
  AT(tunnel_udp_config, size, 0);
  AT(tunnel_pair_config, size, 0);
  AT(tunnel_engine_config, size, 0);
  AT(tunnel_engine_counters, size, 0);
  AT(tunnel_cipher_ops, size, 0);
  AT(tunnel_cipher_info, size, 0);
  AT(tunnel_cipher_speed, size, 0);
  AT(tunnel_router_ops, size, 0);
  AT(tunnel_device_ops, size, 0);
  AT(tunnel_transport_ops, size, 0);
}

/* New members come after these; counters, which grow too, are asked for by themselves. */
static void snapshot_grows_at_its_end(void) {
  if (sizeof(void*) != 8) return;
  AT(tunnel_snapshot_interface, peer_count, 48);
  AT(tunnel_snapshot_interface, process, 68);
  AT(tunnel_snapshot_interface, profile, 72);
  AT(tunnel_snapshot_interface, file, 80);
}

static void tables_are_two_pointers(void) {
  CHECK_NUMBER(sizeof(tunnel_cipher), 2 * sizeof(void*));
  CHECK_NUMBER(sizeof(tunnel_router), 2 * sizeof(void*));
  CHECK_NUMBER(sizeof(tunnel_device), 2 * sizeof(void*));
  CHECK_NUMBER(sizeof(tunnel_transport), 2 * sizeof(void*));
}

static void numbers_are_in_their_ranges(void) {
  CHECK(TUNNEL_OK == 0 && TUNNEL_VERDICT_NONE == 0);
  CHECK(TUNNEL_VERDICT_SEND >= 1 && TUNNEL_VERDICT_REPLY <= 15 && TUNNEL_VERDICT_DELIVER <= 15);
  CHECK(TUNNEL_VERDICT_CONSUMED >= 16 && TUNNEL_VERDICT_HELD <= 31 && TUNNEL_VERDICT_SENT <= 31);
  CHECK(TUNNEL_VERDICT_WAIT >= 32 && TUNNEL_VERDICT_WAIT <= 47);
  CHECK_NUMBER(TUNNEL_DROP_FIRST, 64);
  CHECK_NUMBER(TUNNEL_DROP_MALFORMED, 64);
  CHECK_NUMBER(TUNNEL_DROP_STAGED, 88);
  CHECK(TUNNEL_DROP_STAGED < TUNNEL_DROP_FIRST + TUNNEL_DROP_COUNT);
}

int main(void) {
  address_is_frozen();
  prefix_is_frozen();
  packet_is_frozen();
  aead_job_is_frozen();
  slab_handle_and_time_are_frozen();
  growing_structs_begin_with_their_size();
  snapshot_grows_at_its_end();
  tables_are_two_pointers();
  numbers_are_in_their_ranges();
  return check_failures ? 1 : 0;
}
