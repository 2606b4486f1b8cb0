/* hostile.c - sends bad datagrams, made from good ones, as fast as it can or at a given rate.
 *
 * usage: hostile TEMPLATES ADDRESS PORT COUNT KINDS [PER_SECOND]
 *
 * TEMPLATES has good datagrams, each behind its length (two bytes, big-endian). KINDS says what is
 * done with them, one letter per datagram, over and over:
 *   g  garbage of any length          m  a message's length and type, the rest garbage
 *   t  truncated                      x  extended
 *   f  one bit flipped                r  replayed as it was
 * The same arguments send the same datagrams. Prints how many the kernel took. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, LONGEST = 2048, TEMPLATES = 4096 };

struct good {
  uint8_t bytes[LONGEST];
  size_t length;
};

static struct good good[TEMPLATES];
static size_t good_count;
static uint64_t state = 0x9e3779b97f4a7c15u;

static uint64_t number(void) { /* xorshift64 */
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

static size_t below(size_t bound) {
  return (size_t)(number() % bound);
}

static void noise(uint8_t* bytes, size_t length) {
  for (size_t i = 0; i < length; i++) bytes[i] = (uint8_t)number();
}

static int read_templates(const char* path) {
  FILE* file = fopen(path, "rb");
  int high;
  if (file == NULL) return 0;
  while (good_count < TEMPLATES && (high = fgetc(file)) != EOF) {
    struct good* next = &good[good_count];
    next->length = (size_t)high << 8 | (size_t)fgetc(file);
    if (next->length == 0 || next->length > LONGEST - BATCH) break;
    if (fread(next->bytes, 1, next->length, file) != next->length) break;
    good_count++;
  }
  fclose(file);
  return good_count != 0;
}

/* A message as it would look to whoever only measures it. */
static size_t make_message(uint8_t* out) {
  static const size_t lengths[] = {148, 92, 64, 128};
  const size_t type = below(4);
  noise(out, lengths[type]);
  memset(out, 0, 4);
  out[0] = (uint8_t)(type + 1);
  return lengths[type];
}

static size_t make(char kind, uint8_t* out) {
  const struct good* from = &good[below(good_count)];
  const size_t extra = 1 + below(BATCH);
  if (kind == 'g') {
    const size_t length = below(1473);
    noise(out, length);
    return length;
  }
  if (kind == 'm') return make_message(out);
  memcpy(out, from->bytes, from->length);
  if (kind == 't') return below(from->length);
  if (kind == 'f') out[below(from->length)] ^= (uint8_t)(1u << below(8));
  if (kind != 'x') return from->length;
  noise(out + from->length, extra);
  return from->length + extra;
}

static int open_socket(const char* address, const char* port) {
  struct sockaddr_in to = {0};
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  to.sin_family = AF_INET;
  to.sin_port = htons((uint16_t)atoi(port));
  if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1) return -1;
  return connect(fd, (const struct sockaddr*)&to, sizeof to) == 0 ? fd : -1;
}

static void keep_to(uint64_t sent, uint64_t per_second, const struct timespec* since) {
  const uint64_t ns = sent * 1000000000u / per_second + (uint64_t)since->tv_nsec;
  struct timespec until;
  until.tv_sec = since->tv_sec + (time_t)(ns / 1000000000u);
  until.tv_nsec = (long)(ns % 1000000000u);
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) continue;
}

static uint64_t send_all(int fd, uint64_t count, const char* kinds, uint64_t per_second) {
  static uint8_t bytes[BATCH][LONGEST];
  static struct mmsghdr messages[BATCH];
  struct iovec parts[BATCH];
  struct timespec since;
  uint64_t sent = 0;
  clock_gettime(CLOCK_MONOTONIC, &since);
  while (sent < count) {
    const unsigned size = count - sent < BATCH ? (unsigned)(count - sent) : BATCH;
    for (unsigned i = 0; i < size; i++) {
      parts[i].iov_base = bytes[i];
      parts[i].iov_len = make(kinds[(sent + i) % strlen(kinds)], bytes[i]);
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (unsigned done = 0; done < size;) {
      const int took = sendmmsg(fd, messages + done, size - done, 0);
      if (took < 0 && errno != ECONNREFUSED && errno != EINTR) return sent + done;
      if (took > 0) done += (unsigned)took;
    }
    sent += size;
    if (per_second != 0) keep_to(sent, per_second, &since);
  }
  return sent;
}

int main(int argc, char** argv) {
  int fd;
  if ((argc != 6 && argc != 7) || argv[5][0] == '\0' || !read_templates(argv[1])) {
    fprintf(stderr, "usage: hostile TEMPLATES ADDRESS PORT COUNT KINDS [PER_SECOND]\n");
    return 2;
  }
  fd = open_socket(argv[2], argv[3]);
  if (fd < 0) {
    perror("hostile");
    return 1;
  }
  printf("%llu\n", (unsigned long long)send_all(fd, strtoull(argv[4], NULL, 10), argv[5],
                                                argc == 7 ? strtoull(argv[6], NULL, 10) : 0));
  close(fd);
  return 0;
}
