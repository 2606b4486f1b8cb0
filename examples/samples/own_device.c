/* own_device.c - a device of your own, run by an engine.
 *
 * usage: own_device
 *
 * A device is where inside packets come from and go to: a table of functions and the object they
 * work on. This one is a mailbox: packets put into it are read by the engine and travel to the
 * peer; packets from the peer are handed to a function. Two engines with such a device run on two
 * threads; one sends three packets, the other sends back what it gets. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tunnel/tunnel.h>

#define HEADER 20 /* of IPv4 */
#define MTU 1420
#define SLOTS 8

typedef struct mailbox mailbox;
struct mailbox {
  tunnel_engine* engine; /* set before it runs */
  void (*received)(mailbox* box, const uint8_t* packet, uint32_t length);
  uint32_t answers;

  /* Packets on their way out; used by the engine's thread only, once it runs. */
  uint8_t bytes[SLOTS][MTU];
  uint32_t lengths[SLOTS];
  uint32_t first, count;
};

static void check(int32_t status, const char* what) {
  if (status >= 0) return;
  fprintf(stderr, "own_device: %s: %s\n", what, tunnel_status_text(status));
  exit(1);
}

static int put(mailbox* box, const uint8_t* packet, uint32_t length) {
  uint32_t slot = (box->first + box->count) % SLOTS;
  if (box->count == SLOTS || length > MTU) return 0;
  memcpy(box->bytes[slot], packet, length);
  box->lengths[slot] = length;
  ++box->count;
  return 1;
}

/* ---- the device ---- */

/* Lays waiting packets into the engine's slab, each with the room around it that sealing needs. */
static int32_t box_read(void* self, const tunnel_slab* slab, tunnel_packet* packets, size_t max) {
  mailbox* box = self;
  size_t used = 0;
  int32_t read = 0;
  while (box->count > 0 && (size_t)read < max) {
    uint32_t length = box->lengths[box->first];
    uint32_t padded = (length + slab->padding - 1) / slab->padding * slab->padding;
    if (slab->mtu != 0 && padded > slab->mtu) padded = slab->mtu; /* never past the MTU */
    if (used + slab->headroom + padded + slab->tailroom > slab->size) break;
    tunnel_packet* packet = &packets[read++];
    memset(packet, 0, sizeof *packet);
    packet->data = slab->bytes + used + slab->headroom;
    packet->length = length;
    packet->room = padded + slab->tailroom;
    packet->headroom = slab->headroom;
    memcpy(packet->data, box->bytes[box->first], length);
    used += slab->headroom + packet->room;
    box->first = (box->first + 1) % SLOTS;
    --box->count;
  }
  return read;
}

static int32_t box_write(void* self, tunnel_packet* packets, size_t count) {
  mailbox* box = self;
  for (size_t i = 0; i < count; ++i) {
    if (packets[i].verdict != TUNNEL_VERDICT_DELIVER) continue;
    box->received(box, packets[i].data, packets[i].length);
    packets[i].verdict = TUNNEL_VERDICT_SENT;
  }
  return TUNNEL_OK;
}

/* Nothing to wait on: whoever fills the box calls tunnel_engine_notify(). */
static int32_t box_wait(void* self, tunnel_handle* handles, size_t max) {
  (void)self, (void)handles, (void)max;
  return 0;
}

static void box_close(void* self) {
  free(self);
}

static int32_t box_mtu(void* self) {
  (void)self;
  return MTU;
}

static const tunnel_device_ops kMailbox = {
    sizeof(tunnel_device_ops), 0, box_read, box_write, box_wait, box_close, box_mtu};

/* ---- what the two ends do with a packet ---- */

static void send_back(mailbox* box, const uint8_t* packet, uint32_t length) {
  uint8_t answer[MTU];
  if (length < HEADER || length > MTU) return;
  memcpy(answer, packet, length);
  memcpy(answer + 12, packet + 16, 4); /* source and destination change places */
  memcpy(answer + 16, packet + 12, 4);
  if (put(box, answer, length)) check(tunnel_engine_notify(box->engine), "notify");
}

static void print_answer(mailbox* box, const uint8_t* packet, uint32_t length) {
  if (length < HEADER) return;
  printf("came back: %.*s\n", (int)(length - HEADER), (const char*)packet + HEADER);
  if (++box->answers == 3) check(tunnel_engine_stop(box->engine), "stop");
}

static void put_text(mailbox* box, const char* text) {
  uint8_t packet[MTU] = {0x45, 0, 0,  0, 0, 0, 0,  0, 64, 253,
                         0,    0, 10, 9, 0, 1, 10, 9, 0,  2}; /* 253: for experiments */
  uint32_t length = HEADER + (uint32_t)strlen(text);
  packet[2] = (uint8_t)(length >> 8);
  packet[3] = (uint8_t)length;
  memcpy(packet + HEADER, text, length - HEADER);
  if (!put(box, packet, length)) check(TUNNEL_ERR_RESOURCES, "mailbox");
}

/* ---- set-up ---- */

typedef struct {
  tunnel_core* core;
  uint8_t public_key[TUNNEL_KEY_SIZE];
  tunnel_address address;
  uint8_t host; /* inside address 10.9.0.host */
} end;

static void make_core(end* e) {
  tunnel_core_config config = TUNNEL_CORE_CONFIG_INIT;
  uint8_t private_key[TUNNEL_KEY_SIZE];
  check(tunnel_core_create(&config, &e->core), "create a core");
  check(tunnel_key_generate_private(private_key), "make a key");
  check(tunnel_core_set_private_key(e->core, private_key), "set the key");
  check(tunnel_key_public(private_key, e->public_key), "make the public key");
  tunnel_key_wipe(private_key, sizeof private_key);
}

static void add_peer(const end* e, const end* other) {
  tunnel_prefix prefix = {TUNNEL_FAMILY_IPV4, 32, 0, 0, {10, 9, 0, other->host}};
  tunnel_peer_config peer = TUNNEL_PEER_CONFIG_INIT;
  memcpy(peer.public_key, other->public_key, TUNNEL_KEY_SIZE);
  peer.fields = TUNNEL_PEER_ENDPOINT;
  peer.endpoint = other->address;
  peer.prefixes = &prefix;
  peer.prefix_count = 1;
  check(tunnel_core_set_peer(e->core, &peer, NULL), "set the peer");
}

static mailbox* make_engine(const end* e, tunnel_transport transport,
                            void (*received)(mailbox*, const uint8_t*, uint32_t)) {
  tunnel_engine_config config = TUNNEL_ENGINE_CONFIG_INIT;
  mailbox* box = calloc(1, sizeof *box);
  if (box == NULL) check(TUNNEL_ERR_MEMORY, "mailbox");
  box->received = received;
  config.core = e->core;
  config.device = (tunnel_device){&kMailbox, box};
  config.transport = transport;
  /* From here on the engine owns core, device and transport, and closes them. */
  check(tunnel_engine_create(&config, &box->engine), "create an engine");
  return box;
}

static void* run(void* engine) {
  check(tunnel_engine_run(engine), "run");
  return NULL;
}

int main(void) {
  end alice = {.address = {TUNNEL_FAMILY_IPV4, 0, 51820, 0, {192, 0, 2, 1}}, .host = 1};
  end bob = {.address = {TUNNEL_FAMILY_IPV4, 0, 51820, 0, {192, 0, 2, 2}}, .host = 2};
  tunnel_pair_config wire = TUNNEL_PAIR_CONFIG_INIT;
  tunnel_transport ends[2];
  pthread_t thread;

  make_core(&alice);
  make_core(&bob);
  add_peer(&alice, &bob);
  add_peer(&bob, &alice);
  wire.addresses[0] = alice.address;
  wire.addresses[1] = bob.address;
  check(tunnel_transport_pair(&wire, ends), "make a transport pair");
  mailbox* asking = make_engine(&alice, ends[0], print_answer);
  mailbox* answering = make_engine(&bob, ends[1], send_back);
  tunnel_engine* engines[2] = {asking->engine, answering->engine};

  put_text(asking, "one");
  put_text(asking, "two");
  put_text(asking, "three");
  if (pthread_create(&thread, NULL, run, engines[1]) != 0) check(TUNNEL_ERR_RESOURCES, "thread");
  run(engines[0]); /* until three answers came */
  check(tunnel_engine_stop(engines[1]), "stop");
  pthread_join(thread, NULL);

  for (int i = 0; i < 2; ++i) check(tunnel_engine_destroy(engines[i]), "destroy");
  return 0;
}
