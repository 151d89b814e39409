/* A log file read forwards, plain or gz: opened, led to a place and checked against its fingerprint. Used by
 * tail.c. */
#ifndef PROBES_LOG_SOURCE_H
#define PROBES_LOG_SOURCE_H

#include <sys/stat.h>
#include <sys/types.h>

#include "tail.h"

struct log_source {
	int fd;
	void *gz; /* gzFile, NULL for a plain file */
	struct stat st;
	uint64_t at;
};

/* False with errno set. Only regular files (no FIFO is waited for). */
bool log_source_open(struct log_source *s, int dirfd, const char *name, bool gz);
void log_source_close(struct log_source *s);
/* Leads to the place's offset; false when the file is shorter or the bytes before it are others. */
bool log_source_seek(struct log_source *s, const struct log_place *place);
/* As read(2). */
ssize_t log_source_read(struct log_source *s, void *out, size_t size);

#endif
