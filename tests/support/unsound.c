/* unsound.c - a daemon with one fault, for the test that such a fault is noticed.
 *
 * usage: unsound leak | freed | undefined | none
 *
 * Like simplevpn it is undumpable, and its terminal is gone when the fault happens. */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static volatile int one = 1; /* so that no compiler sees a fault coming */

static void detach(void) {
  const int null = open("/dev/null", O_RDWR);
  if (fork() != 0) _exit(0);
  setsid();
  for (int standard = 0; standard < 3; standard++) dup2(null, standard);
}

int main(int argc, char** argv) {
  const char* fault = argc == 2 ? argv[1] : "";
  char* volatile bytes = malloc(16);
  volatile int number = INT_MAX;
  prctl(PR_SET_DUMPABLE, 0);
  detach();
  if (bytes == NULL) return 1;
  bytes[0] = 0;
  if (strcmp(fault, "undefined") == 0) number = number + one;
  if (strcmp(fault, "leak") != 0) free(bytes);
  if (strcmp(fault, "freed") == 0) return bytes[0];
  bytes = NULL;
  return 0;
}
