/*
 * How fast file systems fill: a few samples of each, kept in the check's state between
 * runs as JSON, and a straight line through them. Also remembers whether a file system was
 * writable, so that one that turned read-only can be told from one that always was. Pure:
 * the caller brings the time.
 */
#ifndef PROBES_DISK_GROWTH_H
#define PROBES_DISK_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

enum { GROWTH_FS_MAX = 64, GROWTH_SAMPLES = 13, GROWTH_DIR_MAX = 256 };

struct growth_sample {
	int64_t at_ms; /* wall time: the state outlives a boot */
	double used;
};

struct growth_fs {
	char dir[GROWTH_DIR_MAX];
	bool writable; /* when it was last seen taking writes or not */
	bool known;    /* it was in the state, so writable means something */
	bool seen;     /* in this run: what is not is left out when saved */
	size_t n;
	struct growth_sample s[GROWTH_SAMPLES];
};

struct growth {
	struct growth_fs v[GROWTH_FS_MAX];
	size_t n;
};

/* A state that makes no sense is an empty one. */
void growth_load(struct growth *g, const char *state, size_t len);
/* The file system's entry, made when there is none; NULL when there are too many or the name is too long. */
struct growth_fs *growth_at(struct growth *g, const char *dir);
/* Keeps a sample every window/12, about one window long. True when the samples changed (so most runs leave
 * the state as it is). */
bool growth_add(struct growth_fs *fs, int64_t now_ms, double used, int64_t window_ms);
/* Bytes a second by least squares through the samples and now, over *span_ms; false while there is too little
 * to tell. */
bool growth_rate(const struct growth_fs *fs, int64_t now_ms, double used, int64_t window_ms, double *rate,
		 int64_t *span_ms);
/* False when it does not fit. */
bool growth_save(const struct growth *g, struct buf *out);

#endif
