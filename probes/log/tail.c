/* See tail.h. */
#include "tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "rotated.h"
#include "source.h"
#include "print.h"

enum { PRINT_LEAST = 32 }; /* fewer bytes do not tell a file from another */

struct work {
	struct log_tail *t;
	struct log_place *place;
	char *buf;
	size_t len;
};

/* Tells the whole lines in the buffer; how many bytes they take. */
static size_t tell(struct work *w)
{
	char *s = w->buf, *end = w->buf + w->len, *nl;

	while (s < end && (nl = memchr(s, '\n', (size_t)(end - s))) != NULL) {
		size_t n = (size_t)(nl - s);

		if (!w->place->inside) {
			w->t->lines++;
			w->t->cut += n > LOG_LINE_MAX;
			w->t->line(w->t->arg, s, n > LOG_LINE_MAX ? LOG_LINE_MAX : n);
		}
		w->place->inside = false;
		s = nl + 1;
	}
	return (size_t)(s - w->buf);
}

/* The buffer is one piece of one line: its beginning is told, the rest passed by. */
static size_t tell_piece(struct work *w)
{
	if (!w->place->inside) {
		w->t->lines++;
		w->t->cut++;
		w->t->line(w->t->arg, w->buf, LOG_LINE_MAX);
		w->place->inside = true;
	}
	return w->len;
}

/* The place moves behind the first n bytes of the buffer; before is what its fingerprint covered. */
static void move(struct work *w, size_t n)
{
	size_t cover = n < LOG_PRINT_BYTES ? n : LOG_PRINT_BYTES;

	if (n == 0)
		return;
	w->place->offset += n;
	w->place->covered = (uint32_t)cover;
	w->place->print = log_print(w->buf + n - cover, cover);
	w->t->bytes += n;
	memmove(w->buf, w->buf + n, w->len - n);
	w->len -= n;
}

/* A rotated file's last line without its end is a line: nobody will write there again. */
static void last_line(struct work *w)
{
	if (w->len > 0 && !w->place->inside) {
		w->t->lines++;
		w->t->cut += w->len > LOG_LINE_MAX;
		w->t->line(w->t->arg, w->buf, w->len > LOG_LINE_MAX ? LOG_LINE_MAX : w->len);
	}
	move(w, w->len);
	w->place->inside = false;
}

static bool out_of_time(const struct log_tail *t)
{
	return clock_boot_ms() >= t->deadline;
}

/* From where the source stands to its end. over: nothing more will be written to it. False: an error, or
 * late. */
static bool read_on(struct work *w, struct log_source *s, bool over)
{
	ssize_t n;

	w->len = 0;
	w->place->known = true;
	w->place->dev = s->st.st_dev;
	w->place->ino = s->st.st_ino;
	while ((n = log_source_read(s, w->buf + w->len, LOG_CHUNK - w->len)) > 0) {
		w->len += (size_t)n;
		move(w, tell(w));
		if (w->len == LOG_CHUNK)
			move(w, tell_piece(w));
		if (out_of_time(w->t)) {
			w->t->late = true;
			w->t->left = (uint64_t)s->st.st_size > s->at ? (uint64_t)s->st.st_size - s->at : 0;
			return false;
		}
	}
	if (n < 0) {
		w->t->error = errno;
		return false;
	}
	if (over)
		last_line(w);
	return true;
}

static void at_start(struct log_place *p)
{
	memset(p, 0, sizeof(*p));
	p->known = true;
}

/* Opens one rotated file where the place is in it. */
static bool is_there(struct log_source *s, int dirfd, const struct log_rotated *r, const struct log_place *p)
{
	bool same = !r->gz && r->dev == p->dev && r->ino == p->ino;

	if (!same && p->covered < PRINT_LEAST)
		return false;
	if (!log_source_open(s, dirfd, r->name, r->gz))
		return false;
	if (log_source_seek(s, p))
		return true;
	log_source_close(s);
	return false;
}

static bool read_rotated(struct work *w, int dirfd, const struct log_rotated *r)
{
	struct log_source s;
	bool ok;

	if (!log_source_open(&s, dirfd, r->name, r->gz)) {
		if (errno == ENOENT)
			return true; /* rotated once more while we looked: its next name follows */
		w->t->error = errno;
		return false;
	}
	at_start(w->place);
	w->t->rotated++;
	ok = read_on(w, &s, true);
	log_source_close(&s);
	return ok;
}

/* The place is no longer in the live file: what is left of the file it was in, and those between. */
static bool catch_up(struct work *w, int dirfd, const char *base, bool over)
{
	struct log_rotated *list = calloc(LOG_ROTATED_MAX, sizeof(*list));
	struct log_source s;
	size_t n = list ? log_rotated_list(dirfd, base, list) : 0, i;
	bool ok = list != NULL;

	if (!w->place->ino) { /* there has been no log before */
		free(list);
		return true;
	}
	if (!list)
		w->t->error = ENOMEM;
	for (i = n; i > 0 && !is_there(&s, dirfd, &list[i - 1], w->place); i--)
		;
	w->t->lost = i == 0;
	if (i > 0) {
		w->t->rotated++;
		ok = read_on(w, &s, over || i < n);
		log_source_close(&s);
	}
	for (; ok && i > 0 && i < n; i++)
		ok = read_rotated(w, dirfd, &list[i]);
	free(list);
	return ok;
}

/* No place yet: the end of the live file is where counting begins, behind its last newline. */
static bool begin(struct work *w, struct log_source *s)
{
	uint64_t size = (uint64_t)s->st.st_size, from = size > LOG_CHUNK ? size - LOG_CHUNK : 0;
	ssize_t n;
	char *nl;

	at_start(w->place);
	w->place->dev = s->st.st_dev;
	w->place->ino = s->st.st_ino;
	if (w->t->from_start)
		return true;
	n = pread(s->fd, w->buf, LOG_CHUNK, (off_t)from);
	if (n < 0) {
		w->t->error = errno;
		return false;
	}
	nl = memrchr(w->buf, '\n', (size_t)n);
	w->place->offset = from;
	w->len = nl ? (size_t)(nl + 1 - w->buf) : (size_t)n;
	w->place->inside = !nl && n == LOG_CHUNK;
	if (!nl && !w->place->inside)
		w->len = 0;
	move(w, w->len);
	w->t->bytes = 0;
	return lseek(s->fd, (off_t)w->place->offset, SEEK_SET) >= 0;
}

static bool follow(struct work *w, int dirfd, const char *base, struct log_source *live)
{
	if (!w->place->known)
		return begin(w, live) && read_on(w, live, false);
	if (live->st.st_dev == w->place->dev && live->st.st_ino == w->place->ino &&
	    log_source_seek(live, w->place))
		return read_on(w, live, false);
	/* a new log that is empty yet: the old one may still be written to */
	if (!catch_up(w, dirfd, base, live->st.st_size > 0))
		return false;
	if (live->st.st_size == 0 && !w->t->lost)
		return true;
	at_start(w->place);
	return lseek(live->fd, 0, SEEK_SET) == 0 && read_on(w, live, false);
}

static bool no_live(struct work *w, int dirfd, const char *base)
{
	w->t->absent = errno == ENOENT;
	if (!w->t->absent) {
		w->t->error = errno;
		return false;
	}
	if (w->place->known && w->place->ino)
		return catch_up(w, dirfd, base, false);
	at_start(w->place); /* what appears later is new, from its start */
	return false;
}

bool log_tail_read(struct log_tail *t, const char *path, struct log_place *place)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	struct work w = {.t = t, .place = place, .buf = malloc(LOG_CHUNK)};
	struct log_source live;
	bool ok = false;
	int dirfd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (!w.buf || !dir) {
		t->error = ENOMEM;
	} else if (dirfd < 0) {
		t->error = errno;
	} else if (!log_source_open(&live, dirfd, base, false)) {
		ok = no_live(&w, dirfd, base);
	} else {
		ok = follow(&w, dirfd, base, &live);
		log_source_close(&live);
	}
	if (t->late)
		ok = true;
	if (dirfd >= 0)
		close(dirfd);
	free(dir);
	free(w.buf);
	return ok;
}
