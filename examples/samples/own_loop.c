/* own_loop.c - a tunnel in a loop of your own: poll(2), one UDP socket, and seal, open and poll.
 *
 * usage: own_loop KEY_FILE LOCAL_PORT PEER_PUBLIC_KEY [PEER_IPV4 PEER_PORT]
 *
 * Carries lines: what you type arrives at the peer, and the other way round. Run it on two hosts;
 * one of them needs to be told where the other is, it learns the rest. Each line travels as an IPv4
 * packet from 10.9.0.1 to itself, so that no routing is needed. Ends when standard input ends. */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <tunnel/tunnel.h>
#include <unistd.h>

#define HEADER 20     /* of IPv4 */
#define LINE_MAX 1024 /* longest line */

typedef struct {
  tunnel_core* core;
  int socket;
  char line[LINE_MAX]; /* input that is not a whole line yet */
  size_t line_length;
} loop;

typedef struct {
  uint8_t bytes[2048];
  tunnel_packet packet;
} buffer;

static void fail(const char* what, const char* why) {
  fprintf(stderr, "own_loop: %s: %s\n", what, why);
  exit(1);
}

static void check(int32_t status, const char* what) {
  if (status < 0) fail(what, tunnel_status_text(status));
}

/* Timers want a clock that counts sleep; the wall clock only dates handshakes. */
static tunnel_time now(void) {
#ifdef CLOCK_BOOTTIME
  const clockid_t monotonic = CLOCK_BOOTTIME;
#else
  const clockid_t monotonic = CLOCK_MONOTONIC;
#endif
  struct timespec mono, wall;
  clock_gettime(monotonic, &mono);
  clock_gettime(CLOCK_REALTIME, &wall);
  return (tunnel_time){(uint64_t)mono.tv_sec * 1000000000u + (uint64_t)mono.tv_nsec,
                       (uint64_t)wall.tv_sec * 1000000000u + (uint64_t)wall.tv_nsec};
}

/* Room before the data, so that a packet is sealed and opened where it lies. */
static void reset(buffer* b) {
  memset(&b->packet, 0, sizeof b->packet);
  b->packet.data = b->bytes + TUNNEL_HEADROOM;
  b->packet.headroom = TUNNEL_HEADROOM;
  b->packet.room = sizeof b->bytes - TUNNEL_HEADROOM;
}

/* ---- datagrams out ---- */

static void send_datagram(const loop* l, const tunnel_packet* packet) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(packet->remote.port)};
  memcpy(&to.sin_addr, packet->remote.bytes, 4);
  /* A datagram that the system refuses is lost like one on the way: the core starts over. */
  if (sendto(l->socket, packet->data, packet->length, 0, (struct sockaddr*)&to, sizeof to) < 0)
    fprintf(stderr, "own_loop: sendto: %s\n", strerror(errno));
}

/* Runs what is due - timers, handshakes, packets that waited - and returns the next deadline. */
static uint64_t run_core(const loop* l) {
  buffer b;
  int32_t made;
  do {
    tunnel_time time = now();
    reset(&b);
    made = tunnel_core_poll(l->core, &b.packet, 1, 16, &time);
    check(made, "poll");
    if (made > 0) send_datagram(l, &b.packet);
  } while (made > 0);
  return tunnel_core_deadline(l->core);
}

static void send_line(const loop* l, const char* line, size_t length) {
  const uint8_t header[HEADER] = {0x45, 0, 0,  0, 0, 0, 0,  0, 64, 253,
                                  0,    0, 10, 9, 0, 1, 10, 9, 0,  1}; /* 253: for experiments */
  tunnel_time time = now();
  buffer b;
  reset(&b);
  memcpy(b.packet.data, header, HEADER);
  memcpy(b.packet.data + HEADER, line, length);
  b.packet.length = (uint32_t)(HEADER + length);
  b.packet.data[2] = (uint8_t)(b.packet.length >> 8);
  b.packet.data[3] = (uint8_t)b.packet.length;
  check(tunnel_core_seal(l->core, &b.packet, 1, &time), "seal");
  if (b.packet.verdict == TUNNEL_VERDICT_SEND) send_datagram(l, &b.packet);
  /* HELD: poll sends it when the handshake is done. Anything else: say what became of it. */
  else if (b.packet.verdict != TUNNEL_VERDICT_HELD)
    fprintf(stderr, "own_loop: not sent: %s\n", tunnel_status_text(b.packet.verdict));
}

/* Sends the whole lines of what was typed. Returns 0 at the end of the input. */
static int read_input(loop* l) {
  char* end;
  ssize_t got = read(STDIN_FILENO, l->line + l->line_length, LINE_MAX - l->line_length);
  if (got <= 0) return 0;
  l->line_length += (size_t)got;
  while ((end = memchr(l->line, '\n', l->line_length)) != NULL) {
    size_t used = (size_t)(end - l->line) + 1;
    send_line(l, l->line, used);
    l->line_length -= used;
    memmove(l->line, end + 1, l->line_length);
  }
  if (l->line_length == LINE_MAX) { /* too long: send it in pieces */
    send_line(l, l->line, LINE_MAX);
    l->line_length = 0;
  }
  return 1;
}

/* ---- datagrams in ---- */

static void receive(const loop* l) {
  for (;;) {
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    tunnel_time time = now();
    buffer b;
    reset(&b);
    ssize_t got =
        recvfrom(l->socket, b.packet.data, b.packet.room, 0, (struct sockaddr*)&from, &size);
    if (got < 0) return; /* nothing more, or an ICMP error of an earlier datagram */
    b.packet.length = (uint32_t)got;
    b.packet.remote.family = TUNNEL_FAMILY_IPV4;
    b.packet.remote.port = ntohs(from.sin_port);
    memcpy(b.packet.remote.bytes, &from.sin_addr, 4);
    check(tunnel_core_open(l->core, &b.packet, 1, &time), "open");
    if (b.packet.verdict == TUNNEL_VERDICT_DELIVER && b.packet.length > HEADER) {
      fwrite(b.packet.data + HEADER, 1, b.packet.length - HEADER, stdout);
      fflush(stdout);
    }
    if (b.packet.verdict == TUNNEL_VERDICT_REPLY) send_datagram(l, &b.packet);
  }
}

static int timeout_ms(uint64_t deadline_ns) {
  uint64_t mono_ns = now().mono_ns;
  if (deadline_ns == TUNNEL_TIME_NEVER) return -1;
  if (deadline_ns <= mono_ns) return 0;
  uint64_t wait_ms = (deadline_ns - mono_ns) / 1000000u + 1; /* not a moment too early */
  return wait_ms > 3600000u ? 3600000 : (int)wait_ms;
}

static void run(loop* l) {
  struct pollfd waits[2] = {{.fd = l->socket, .events = POLLIN},
                            {.fd = STDIN_FILENO, .events = POLLIN}};
  for (;;) {
    uint64_t deadline_ns = run_core(l);
    if (poll(waits, 2, timeout_ms(deadline_ns)) < 0 && errno != EINTR)
      fail("poll", strerror(errno));
    if (waits[0].revents != 0) receive(l);
    if (waits[1].revents != 0 && !read_input(l)) return;
  }
}

/* ---- set-up ---- */

static uint16_t port_of(const char* text) {
  char* end;
  long port = strtol(text, &end, 10);
  if (end == text || *end != '\0' || port < 0 || port > 65535) fail("no port", text);
  return (uint16_t)port;
}

static int open_socket(uint16_t port) {
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
  int s = socket(AF_INET, SOCK_DGRAM, 0);
  if (s < 0 || fcntl(s, F_SETFL, O_NONBLOCK) < 0) fail("socket", strerror(errno));
  if (bind(s, (struct sockaddr*)&any, sizeof any) < 0) fail("bind", strerror(errno));
  return s;
}

static void read_private_key(tunnel_core* core, const char* path) {
  char text[TUNNEL_KEY_TEXT_SIZE] = "";
  uint8_t key[TUNNEL_KEY_SIZE];
  FILE* file = fopen(path, "r");
  if (file == NULL) fail(path, strerror(errno));
  setvbuf(file, NULL, _IONBF, 0); /* no copy of the key in a buffer of stdio */
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  int32_t status = tunnel_key_from_text(text, length, key);
  if (status == TUNNEL_OK) status = tunnel_core_set_private_key(core, key);
  tunnel_key_wipe(text, sizeof text);
  tunnel_key_wipe(key, sizeof key);
  check(status, path);
}

static void add_peer(tunnel_core* core, const char* key, const char* address, const char* port) {
  const tunnel_prefix prefix = {TUNNEL_FAMILY_IPV4, 32, 0, 0, {10, 9, 0, 1}};
  tunnel_peer_config peer = TUNNEL_PEER_CONFIG_INIT;
  check(tunnel_key_from_text(key, strlen(key), peer.public_key), key);
  peer.prefixes = &prefix;
  peer.prefix_count = 1;
  if (address != NULL) {
    peer.fields = TUNNEL_PEER_ENDPOINT;
    peer.endpoint.family = TUNNEL_FAMILY_IPV4;
    peer.endpoint.port = port_of(port);
    if (inet_pton(AF_INET, address, peer.endpoint.bytes) != 1) fail("no address", address);
  }
  check(tunnel_core_set_peer(core, &peer, NULL), "set the peer");
}

int main(int argc, char** argv) {
  tunnel_core_config config = TUNNEL_CORE_CONFIG_INIT;
  loop l = {0};
  if (argc != 4 && argc != 6) {
    fprintf(stderr, "usage: own_loop KEY_FILE LOCAL_PORT PEER_PUBLIC_KEY [PEER_IPV4 PEER_PORT]\n");
    return 2;
  }
  check(tunnel_core_create(&config, &l.core), "create a core");
  read_private_key(l.core, argv[1]);
  add_peer(l.core, argv[3], argc == 6 ? argv[4] : NULL, argc == 6 ? argv[5] : NULL);
  l.socket = open_socket(port_of(argv[2]));
  run(&l);
  close(l.socket);
  tunnel_core_destroy(l.core);
  return 0;
}
