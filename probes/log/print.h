/* The fingerprint of some bytes (FNV-1a, 64 bits): of what stands before a place in a log, of pairs of names. Not for secrets. */
#ifndef PROBES_LOG_PRINT_H
#define PROBES_LOG_PRINT_H

#include <stddef.h>
#include <stdint.h>

uint64_t log_print(const void *bytes, size_t n);

#endif
