/*
 * Counting a Postfix queue by its directory entries. Called by the queue probe; costs little more
 * than the bare system calls, and one buffer whatever the queue's size.
 */
#include "postfix_spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/clock.h"
#include "postfix_file.h"

enum { BUFFER = 128 * 1024 };

struct walk {
	enum postfix_queue q;
	const struct postfix_scan *scan;
	struct postfix_count *c;
	char *buffer;
	char path[POSTFIX_PATH_MAX]; /* of the directory at hand */
	char oldest[64];	     /* the oldest long id so far, not yet decoded; stem 0: none */
	size_t stem;
};

static const char *const names[PQ_N] = {"maildrop", "incoming", "active", "deferred", "hold", "corrupt"};

const char *postfix_queue_name(enum postfix_queue q)
{
	return names[q];
}

static void message(struct walk *w, const char *name, size_t stem)
{
	w->c->n++;
	if (stem) {
		w->c->long_ids++;
		if (!w->stem || stem < w->stem || (stem == w->stem && memcmp(name, w->oldest, stem) < 0)) {
			w->stem = stem;
			memcpy(w->oldest, name, strlen(name) + 1); /* an id has at most 60 characters */
		}
	}
	if (w->scan->entry)
		w->scan->entry(w->scan->arg, w->q, w->path, name);
}

/* Whether an entry is a directory of the hash: one character, and not "." */
static bool is_hash(const struct dirent64 *d)
{
	return (d->d_type == DT_DIR || d->d_type == DT_UNKNOWN) && d->d_name[0] != '.' && !d->d_name[1] &&
	       (unsigned char)d->d_name[0] < 128;
}

/* One buffer of entries; the hash directories among them are noted in sub. */
static void entries(struct walk *w, ssize_t len, bool *sub)
{
	for (char *p = w->buffer; p < w->buffer + len;) {
		const struct dirent64 *d = (const struct dirent64 *)p;
		size_t stem;

		p += d->d_reclen;
		if ((d->d_type == DT_REG || d->d_type == DT_UNKNOWN) && postfix_id_ok(d->d_name, &stem))
			message(w, d->d_name, stem);
		else if (is_hash(d))
			sub[(unsigned char)d->d_name[0]] = true;
	}
}

static void failed(struct walk *w, int error)
{
	if (w->c->error)
		return;
	w->c->error = error;
	snprintf(w->c->at, sizeof(w->c->at), "%s", w->path);
}

static bool list(struct walk *w, int fd, bool *sub)
{
	for (;;) {
		ssize_t n;

		if (clock_boot_ms() >= w->scan->deadline) {
			w->c->late = true;
			return false;
		}
		n = getdents64(fd, w->buffer, BUFFER);
		if (n == 0)
			return true;
		if (n < 0) {
			failed(w, errno);
			return false;
		}
		entries(w, n, sub);
	}
}

static void walk(struct walk *w, int parent, const char *name, int depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool sub[128] = {false};
	size_t len = strlen(w->path);

	if (fd < 0) {
		/* below the top: a plain file of one character where the file system tells no types, or it
		 * went just now */
		if (depth == 0 || (errno != ENOTDIR && errno != ENOENT && errno != ELOOP))
			failed(w, errno);
		return;
	}
	if (list(w, fd, sub) && depth < POSTFIX_HASH_DEPTH) {
		for (int ch = 0; ch < 128 && !w->c->late; ch++) {
			char one[2] = {(char)ch, '\0'};

			if (!sub[ch])
				continue;
			snprintf(w->path + len, sizeof(w->path) - len, "/%s", one);
			walk(w, fd, one, depth + 1);
			w->path[len] = '\0';
		}
	}
	close(fd);
}

void postfix_spool_count(int dirfd, enum postfix_queue q, const struct postfix_scan *scan,
			 struct postfix_count *c)
{
	struct walk w = {.q = q, .scan = scan, .c = c};

	memset(c, 0, sizeof(*c));
	snprintf(w.path, sizeof(w.path), "%s", names[q]);
	w.buffer = malloc(BUFFER);
	if (!w.buffer) {
		failed(&w, ENOMEM);
		return;
	}
	walk(&w, dirfd, names[q], 0);
	c->oldest_id_ms = w.stem ? postfix_id_time_ms(w.oldest) : 0;
	free(w.buffer);
}
