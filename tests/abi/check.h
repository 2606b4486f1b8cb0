/* check.h - counts what does not hold, for test programs in C. */
#ifndef TUNNEL_TESTS_ABI_CHECK_H
#define TUNNEL_TESTS_ABI_CHECK_H

#include <stdio.h>

static int check_failures;

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      check_failures++;                                               \
    }                                                                 \
  } while (0)

/* Two numbers that must be equal; prints both when they are not. */
#define CHECK_NUMBER(value, expected)                                                           \
  do {                                                                                          \
    const long long check_value = (long long)(value), check_expected = (long long)(expected);   \
    if (check_value != check_expected) {                                                        \
      fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #value, check_value, \
              check_expected);                                                                  \
      check_failures++;                                                                         \
    }                                                                                           \
  } while (0)

#endif
