/* growth.c - structs that begin with their size may come from older and from newer programs.
 *
 * An older one is shorter: what it lacks is zero. A newer one is longer: fine while the part that
 * this library does not know is zero, TUNNEL_ERR_VERSION otherwise. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <tunnel/tunnel.h>

#include "check.h"

#define EXTRA 8 /* bytes that a newer program has appended */

/* What a call does with a config, so that one test serves every call. */
typedef int32_t (*taker)(const void* config);

static int32_t take_core_config(const void* config) {
  tunnel_core* core = NULL;
  const int32_t status = tunnel_core_create(config, &core);
  CHECK((core != NULL) == (status == TUNNEL_OK));
  tunnel_core_destroy(core);
  return status;
}

static int32_t take_peer_config(const void* config) {
  tunnel_core_config core_config = TUNNEL_CORE_CONFIG_INIT;
  tunnel_core* core = NULL;
  uint64_t peer = 0;
  int32_t status;
  CHECK_NUMBER(tunnel_core_create(&core_config, &core), TUNNEL_OK);
  status = tunnel_core_set_peer(core, config, &peer);
  CHECK((peer != 0) == (status == TUNNEL_OK));
  tunnel_core_destroy(core);
  return status;
}

static int32_t take_pair_config(const void* config) {
  tunnel_transport ends[2];
  const int32_t status = tunnel_transport_pair(config, ends);
  if (status != TUNNEL_OK) return status;
  ends[0].ops->close(ends[0].self);
  ends[1].ops->close(ends[1].self);
  return status;
}

/* `full` is a good config of `size` bytes; its first `oldest` bytes are enough to be understood. */
static void config_may_grow(taker take, const void* full, uint32_t size, uint32_t oldest) {
  uint8_t* bytes = calloc(1, size + EXTRA);
  const uint32_t longer = size + EXTRA, senseless[] = {0, 1, 3, UINT32_MAX};
  size_t i;
  CHECK(bytes != NULL);
  if (bytes == NULL) return;
  memcpy(bytes, full, size);
  CHECK_NUMBER(take(NULL), TUNNEL_ERR_ARGUMENT);
  CHECK_NUMBER(take(bytes), TUNNEL_OK);

  memcpy(bytes, &longer, sizeof longer);
  CHECK_NUMBER(take(bytes), TUNNEL_OK);
  for (i = size; i < longer; i++) {
    bytes[i] = 1;
    CHECK_NUMBER(take(bytes), TUNNEL_ERR_VERSION);
    bytes[i] = 0;
  }

  memcpy(bytes, &oldest, sizeof oldest);
  memset(bytes + oldest, 0xff, longer - oldest); /* must not be read */
  CHECK_NUMBER(take(bytes), TUNNEL_OK);
  for (i = 0; i < sizeof senseless / sizeof senseless[0]; i++) {
    memcpy(bytes, &senseless[i], sizeof senseless[i]);
    CHECK_NUMBER(take(bytes), TUNNEL_ERR_ARGUMENT);
  }
  free(bytes);
}

static void configs_may_grow(void) {
  static const uint8_t some_key[TUNNEL_KEY_SIZE] = {9};
  tunnel_core_config core;
  tunnel_peer_config peer;
  tunnel_pair_config pair;
  tunnel_core_config_init(&core);
  config_may_grow(take_core_config, &core, sizeof core, offsetof(tunnel_core_config, mtu));
  tunnel_peer_config_init(&peer);
  memcpy(peer.public_key, some_key, sizeof some_key);
  config_may_grow(take_peer_config, &peer, sizeof peer, offsetof(tunnel_peer_config, endpoint));
  tunnel_pair_config_init(&pair);
  config_may_grow(take_pair_config, &pair, sizeof pair, offsetof(tunnel_pair_config, seed));
}

/* What the library fills in: an older program's struct is not written past its end, a newer one's
 * unknown tail reads as zero. */
static void answers_fit_the_callers_struct(void) {
  tunnel_core_config config = TUNNEL_CORE_CONFIG_INIT;
  tunnel_core* core = NULL;
  struct {
    tunnel_layout known;
    uint8_t tail[EXTRA];
  } newer;
  tunnel_layout older;
  size_t i;
  CHECK_NUMBER(tunnel_core_create(&config, &core), TUNNEL_OK);
  memset(&newer, 0xff, sizeof newer);
  newer.known.size = sizeof newer;
  CHECK_NUMBER(tunnel_core_layout(core, &newer.known), TUNNEL_OK);
  CHECK_NUMBER(newer.known.size, sizeof newer);
  CHECK_NUMBER(newer.known.headroom, TUNNEL_HEADROOM);
  for (i = 0; i < EXTRA; i++) CHECK_NUMBER(newer.tail[i], 0);

  memset(&older, 0xff, sizeof older);
  older.size = offsetof(tunnel_layout, tailroom);
  CHECK_NUMBER(tunnel_core_layout(core, &older), TUNNEL_OK);
  CHECK_NUMBER(older.headroom, TUNNEL_HEADROOM);
  CHECK_NUMBER(older.tailroom, UINT32_MAX);
  older.size = 0;
  CHECK_NUMBER(tunnel_core_layout(core, &older), TUNNEL_ERR_ARGUMENT);
  tunnel_core_destroy(core);
}

/* Languages that see no macros call the init functions: both make the same bytes. */
static void init_functions_make_what_the_macros_make(void) {
#define SAME(type, macro)                                    \
  do {                                                       \
    type by_macro = macro, by_call;                          \
    memset(&by_call, 0xff, sizeof by_call);                  \
    type##_init(&by_call);                                   \
    CHECK(memcmp(&by_macro, &by_call, sizeof by_call) == 0); \
    type##_init(NULL);                                       \
  } while (0)
  SAME(tunnel_core_config, TUNNEL_CORE_CONFIG_INIT);
  SAME(tunnel_peer_config, TUNNEL_PEER_CONFIG_INIT);
  SAME(tunnel_tun_config, TUNNEL_TUN_CONFIG_INIT);
  SAME(tunnel_udp_config, TUNNEL_UDP_CONFIG_INIT);
  SAME(tunnel_pair_config, TUNNEL_PAIR_CONFIG_INIT);
  SAME(tunnel_engine_config, TUNNEL_ENGINE_CONFIG_INIT);
#undef SAME
}

static void destroying_nothing_is_fine(void) {
  tunnel_core_destroy(NULL);
  CHECK_NUMBER(tunnel_engine_destroy(NULL), TUNNEL_OK);
}

int main(void) {
  configs_may_grow();
  answers_fit_the_callers_struct();
  init_functions_make_what_the_macros_make();
  destroying_nothing_is_fine();
  return check_failures ? 1 : 0;
}
