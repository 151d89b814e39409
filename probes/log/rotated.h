/* The files a log was rotated to: NAME.1, NAME-20261121.gz and their like, oldest first. Used by tail.c. */
#ifndef PROBES_LOG_ROTATED_H
#define PROBES_LOG_ROTATED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tail.h"

enum { LOG_NAME_MAX = 256 };

struct log_rotated {
	char name[LOG_NAME_MAX];
	bool gz;
	int64_t mtime_ns;
	uint64_t dev, ino;
};

/* How many there are in the directory (at most LOG_ROTATED_MAX, the youngest), the oldest first; 0 also when
 * it cannot be read. */
size_t log_rotated_list(int dirfd, const char *base, struct log_rotated *out);
/* True for what follows a log's name when it is rotated. *gz: compressed. */
bool log_rotated_suffix(const char *suffix, bool *gz);

#endif
