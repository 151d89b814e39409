/*
 * The store as a Maildir on this host (see roundtrip.h). Called by check_roundtrip through rt_maildir.
 * Promises: of the newest look_at_most messages in new/ and cur/ the first RT_HEADER_MAX bytes are read, and
 * nothing else; no symbolic link is followed below the Maildir, nothing but a regular file is read; a file is
 * removed only when what was read from it proves it ours and it is still the same file.
 *
 * The newest are those whose inode changed last: a delivery ends with a rename or a link, which sets that
 * time, and nobody can set it back as he can the time of the last writing.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "roundtrip.h"

enum {
	NAMES_MAX = 200000, /* entries of a folder that are looked at */
	JUST_NOW_MS = 2000 /* a change so young may hide another within one tick of the file system's clock */
};

static const char *const folders[2] = {"new", "cur"};

/* A file that may be ours. */
struct candidate {
	int64_t changed_ns;
	int folder;
	char name[NAME_MAX + 1];
};

struct found_file {
	dev_t dev;
	ino_t ino;
	int folder;
	char name[NAME_MAX + 1];
};

struct maildir_look {
	struct rt_look look;
	struct candidate *v; /* a heap, the oldest of the newest on top */
	size_t n, max, left_out;
	int64_t deadline;
	struct found_file ours[RT_OURS_MAX];
	size_t nours;
	char header[RT_HEADER_MAX];
};

static bool failed(struct rt_run *r, const char *folder, int err)
{
	bool ours =
	    err == EACCES || err == EPERM || err == ELOOP || err == ENOTDIR || err == EMFILE || err == ENFILE;

	return rt_store_failed(r, ours ? "local" : "missing", "Maildir %s%s%s: %s", r->conf->maildir,
			       folder[0] ? "/" : "", folder,
			       err == ELOOP ? "a symbolic link, which is not followed" : strerror(err));
}

/* --- the newest files --- */

static void sift_down(struct maildir_look *x, size_t i)
{
	for (;;) {
		size_t least = i, left = 2 * i + 1;
		struct candidate c;

		for (size_t k = left; k < left + 2 && k < x->n; k++)
			if (x->v[k].changed_ns < x->v[least].changed_ns)
				least = k;
		if (least == i)
			return;
		c = x->v[i];
		x->v[i] = x->v[least];
		x->v[least] = c;
		i = least;
	}
}

static void offer(struct maildir_look *x, const struct candidate *c)
{
	size_t i;

	if (x->n == x->max) {
		x->left_out++;
		if (c->changed_ns <= x->v[0].changed_ns)
			return;
		x->v[0] = *c;
		sift_down(x, 0);
		return;
	}
	for (i = x->n++; i > 0 && x->v[(i - 1) / 2].changed_ns > c->changed_ns; i = (i - 1) / 2)
		x->v[i] = x->v[(i - 1) / 2];
	x->v[i] = *c;
}

static void consider(struct maildir_look *x, int folder, const struct dirent *e)
{
	struct candidate c = {.folder = folder};
	struct stat st;

	if (e->d_name[0] == '.' || (e->d_type != DT_REG && e->d_type != DT_UNKNOWN) ||
	    fstatat(x->look.r->maildir.dir[folder], e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode))
		return;
	c.changed_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
	snprintf(c.name, sizeof(c.name), "%s", e->d_name);
	offer(x, &c);
}

static bool list(struct maildir_look *x, int folder)
{
	struct rt_run *r = x->look.r;
	/* a handle of its own: reading moves its position */
	int fd = openat(r->maildir.dir[folder], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	size_t n = 0;

	if (!d) {
		int err = errno;

		if (fd >= 0)
			close(fd);
		return failed(r, folders[folder], err);
	}
	for (struct dirent *e; n < NAMES_MAX && (e = readdir(d)); n++)
		consider(x, folder, e);
	closedir(d);
	x->left_out += n == NAMES_MAX;
	return true;
}

/* --- a file --- */

/* How many bytes of its beginning are now in x->header; -1: it is none to read. */
static ssize_t read_header(struct maildir_look *x, const struct candidate *c, struct stat *st)
{
	int fd = openat(x->look.r->maildir.dir[c->folder], c->name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -1;
	if (fstat(fd, st) != 0 || !S_ISREG(st->st_mode)) {
		close(fd);
		return -1;
	}
	while (len < RT_HEADER_MAX &&
	       ((n = read(fd, x->header + len, RT_HEADER_MAX - len)) > 0 || (n < 0 && errno == EINTR)))
		len += n > 0 ? (size_t)n : 0;
	close(fd);
	return (ssize_t)len;
}

/* The part of the name that stays when a reader moves the message to cur/ or gives it flags. */
static size_t unique_length(const char *name)
{
	return strcspn(name, ":");
}

static void look_at(struct maildir_look *x, const struct candidate *c)
{
	struct stat st;
	ssize_t n = read_header(x, c, &st);
	struct rt_sighting mail = {.id = rt_id(c->name, unique_length(c->name)), .header = x->header};
	struct found_file *f;

	if (n <= 0)
		return;
	mail.header_len = (size_t)n;
	mail.arrived_wall_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	if (x->nours == RT_OURS_MAX || !rt_settle(&x->look, &mail))
		return;
	f = &x->ours[x->nours++];
	*f = (struct found_file){.dev = st.st_dev, .ino = st.st_ino, .folder = c->folder};
	memcpy(f->name, c->name, sizeof(f->name));
}

/* A file that a reader has moved meanwhile is found again by the next look. */
static void remove_ours(struct maildir_look *x)
{
	struct rt_findings *f = &x->look.r->found;
	struct stat st;

	for (size_t i = 0; i < x->nours; i++) {
		const struct found_file *o = &x->ours[i];
		int dir = x->look.r->maildir.dir[o->folder];

		if (fstatat(dir, o->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == o->dev &&
		    st.st_ino == o->ino && unlinkat(dir, o->name, 0) != 0 && errno != ENOENT)
			snprintf(f->undeleted, sizeof(f->undeleted), "%.200s/%s: %s",
				 x->look.r->conf->maildir, folders[o->folder], strerror(errno));
	}
}

/* --- the store --- */

static bool open_maildir(struct rt_run *r, int64_t deadline)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	int top;

	(void)deadline;
	probe_at_name(r->run, "Maildir", r->conf->maildir);
	r->maildir = (struct rt_maildir){.is_open = true, .dir = {-1, -1}};
	top = open(r->conf->maildir, flags);
	if (top < 0)
		return failed(r, "", errno);
	for (int i = 0; i < 2; i++) {
		r->maildir.dir[i] = openat(top, folders[i], flags | O_NOFOLLOW);
		if (r->maildir.dir[i] < 0) {
			failed(r, folders[i], errno);
			break;
		}
	}
	close(top);
	return r->maildir.dir[1] >= 0;
}

static void close_maildir(struct rt_run *r)
{
	for (int i = 0; r->maildir.is_open && i < 2; i++)
		if (r->maildir.dir[i] >= 0)
			close(r->maildir.dir[i]);
	r->maildir = (struct rt_maildir){.is_open = false};
}

/* When the folders last changed, noted before they are read. True: not since the last time. */
static bool note_changes(struct rt_run *r, int64_t now_wall_ms)
{
	bool same = true;

	for (int i = 0; i < 2; i++) {
		struct timespec *was = &r->maildir.changed[i];
		struct stat st;

		if (fstat(r->maildir.dir[i], &st) != 0)
			return false;
		same = same && was->tv_sec == st.st_mtim.tv_sec && was->tv_nsec == st.st_mtim.tv_nsec &&
		       llabs(now_wall_ms - (int64_t)st.st_mtim.tv_sec * 1000) > JUST_NOW_MS;
		*was = st.st_mtim;
	}
	return same;
}

static bool look_through(struct maildir_look *x)
{
	for (int i = 0; i < 2; i++)
		if (!list(x, i))
			return false;
	x->look.now = clock_stamp();
	x->look.r->found.forged = 0; /* each look sees all of them */
	for (size_t i = 0; i < x->n; i++) {
		if (clock_boot_ms() < x->deadline)
			look_at(x, &x->v[i]);
		else
			x->left_out++;
	}
	if (x->nours && rt_may_delete(&x->look))
		remove_ours(x);
	x->look.r->found.unseen = x->left_out;
	return true;
}

static bool look(struct rt_run *r, int64_t deadline)
{
	struct maildir_look *x = calloc(1, sizeof(*x));
	struct stamp now = clock_stamp();
	bool ok;

	probe_at_name(r->run, "Maildir", r->conf->maildir);
	note_changes(r, now.wall_ms);
	if (x) {
		x->look.r = r;
		x->deadline = deadline;
		x->max = (size_t)r->conf->look_at_most;
		x->v = calloc(x->max, sizeof(*x->v));
	}
	ok = x && x->v ? look_through(x) : rt_store_failed(r, "local", "out of memory");
	if (x)
		free(x->v);
	free(x);
	if (ok)
		rt_looked(&r->state, &now, &r->limits.limits);
	return ok;
}

static bool poll(struct rt_run *r, int64_t deadline)
{
	struct stamp now = clock_stamp();

	if (!note_changes(r, now.wall_ms))
		return look(r, deadline);
	rt_looked(&r->state, &now, &r->limits.limits);
	return true;
}

const struct rt_store rt_maildir = {
    .name = "maildir",
    .open = open_maildir,
    .look = look,
    .poll = poll,
    .close = close_maildir,
    .poll_first_ms = 20,
    .poll_last_ms = 500,
};
