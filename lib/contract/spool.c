/* The event spool's directories and its reader; the writer is spool_writer.c. See spool.h and doc/spool.md. */
#include "spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"

enum { SPOOL_SCAN_MAX = 1000, SPOOL_FILE_MAX = 65536 };

static const char *const rooms[] = { "tmp", "new", "done", "bad" };

/* One directory both daemons (one group, two users) can write, whatever the umask of the one that makes it. */
static bool make_room(const char *path, char *why, size_t size)
{
	struct stat st;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return true;
	if (file_mkdirs(path, 0770) && stat(path, &st) == 0) {
		if ((st.st_mode & 0770) != 0770 && st.st_uid == geteuid())
			chmod(path, (st.st_mode & 07000) | 0770);
		return true;
	}
	snprintf(why, size, "%s: %s", path, strerror(errno));
	return false;
}

bool spool_make(const char *dir, char *why, size_t size)
{
	if (!make_room(dir, why, size))
		return false;
	for (size_t i = 0; i < 4; i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof path, "%s/%s", dir, rooms[i]);
		if (!make_room(path, why, size))
			return false;
	}
	return true;
}

struct spool_reader {
	char *dirs[2]; /* the spool, its twin */
	int inotify;
	int watch[2];
	int lock; /* on the spool's new/; see spool_is_read */
	long at[2]; /* where in new/ the next scan begins; 0: at its beginning */
};

/* A descriptor of DIR/new, or -1. */
static int open_new(const char *dir)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/new", dir);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool spool_is_read(const char *dir)
{
	int fd = open_new(dir);
	bool held = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	if (fd >= 0)
		close(fd);
	return held;
}

struct found {
	struct event e;
	struct spool_item item;
};

struct spool_reader *spool_reader_new(const char *dir, const char *twin, char *why, size_t size)
{
	if (!spool_make(dir, why, size))
		return NULL;
	/* the twin is made too, but its absence is no reason not to read the spool */
	char ignored[256];
	if (twin && !spool_make(twin, ignored, sizeof ignored))
		log_warn("spool twin: %s", ignored);
	struct spool_reader *r = calloc(1, sizeof *r);
	if (!r) {
		snprintf(why, size, "out of memory");
		return NULL;
	}
	r->dirs[0] = strdup(dir);
	r->dirs[1] = twin ? strdup(twin) : NULL;
	r->watch[0] = r->watch[1] = -1;
	r->lock = open_new(dir);
	if (r->lock >= 0)
		flock(r->lock, LOCK_SH | LOCK_NB); /* shared: whoever else looks at it is no reason not to read */
	r->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	return r;
}

/* Watches what is not watched yet (the twin may come later). */
static void watch(struct spool_reader *r)
{
	char path[PATH_MAX];
	for (int i = 0; i < 2 && r->inotify >= 0; i++) {
		if (!r->dirs[i] || r->watch[i] >= 0)
			continue;
		snprintf(path, sizeof path, "%s/new", r->dirs[i]);
		r->watch[i] = inotify_add_watch(r->inotify, path, IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR);
	}
}

int spool_reader_fd(const struct spool_reader *r)
{
	watch((struct spool_reader *)r);
	return r->inotify;
}

static void drain(struct spool_reader *r)
{
	char bytes[4096] __attribute__((aligned(8)));
	ssize_t n;
	while (r->inotify >= 0 && (n = read(r->inotify, bytes, sizeof bytes)) > 0) {
		for (char *p = bytes; p < bytes + n;) {
			const struct inotify_event *e = (const void *)p;
			for (int i = 0; i < 2; i++)
				if ((e->mask & IN_IGNORED) && e->wd == r->watch[i])
					r->watch[i] = -1;
			p += sizeof *e + e->len;
		}
	}
}

/* Renames DIR/new/NAME into DIR/ROOM/NAME; a failure leaves it, and the next scan tries again. */
static bool move(const char *path, const char *room, char *moved, size_t size)
{
	const char *name = strrchr(path, '/');
	const char *new_dir = name ? memrchr(path, '/', (size_t)(name - path)) : NULL;
	if (!new_dir)
		return false;
	snprintf(moved, size, "%.*s/%s%s", (int)(new_dir - path), path, room, name);
	return rename(path, moved) == 0;
}

static bool load(struct found *f, char *why, size_t size)
{
	struct buf b;
	struct stat st;
	const char *reason = NULL;
	bool ok = false;
	/* whose it is, before it is read: afterwards its owner may have taken it away. A link could show us what its
	 * owner must not read */
	bool there = lstat(f->item.path, &st) == 0;
	if (!there || S_ISLNK(st.st_mode)) {
		snprintf(why, size, "%s", there ? "not a regular file" : errno == ENOENT ? "" : strerror(errno));
		return false;
	}
	buf_init(&b, SPOOL_FILE_MAX);
	if (!file_read(f->item.path, &b)) {
		snprintf(why, size, "%s", errno == EFBIG ? "larger than 64 KiB" : errno == EINVAL ? "not a regular file" :
									   strerror(errno));
		/* somebody else (another pagerd, an administrator) took it: not bad, just gone. Or we lack what it takes
		 * to read any file: it stays */
		if (errno == ENOENT || errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EINTR)
			why[0] = '\0';
	} else {
		cJSON *v = json_parse(buf_str(&b), b.len, SPOOL_FILE_MAX, &reason);
		if (v)
			ok = event_from_json(&f->e, v, f->item.stem, why, size);
		else
			snprintf(why, size, "%s", reason);
		cJSON_Delete(v);
	}
	buf_fini(&b);
	if (ok)
		f->e.uid = (int64_t)st.st_uid;
	return ok;
}

static int by_time(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	if (x->e.at.wall_ms != y->e.at.wall_ms)
		return x->e.at.wall_ms < y->e.at.wall_ms ? -1 : 1;
	return x->e.change < y->e.change ? -1 : x->e.change > y->e.change;
}

static void set_item(struct spool_item *item, const char *dir, const char *name)
{
	snprintf(item->path, sizeof item->path, "%s/new/%s", dir, name);
	snprintf(item->stem, sizeof item->stem, "%s", name);
	size_t n = strlen(item->stem);
	if (n > 5 && strcmp(item->stem + n - 5, ".json") == 0)
		item->stem[n - 5] = '\0';
}

/* Adds what is in one new/ directory; unreadable ones go to bad/. Where there are more than one scan takes, the next
 * one goes on behind them: files that must stay (their events cannot be recorded now) hide no others. */
static void collect(struct spool_reader *r, int side, struct found **list, size_t *n,
		    void (*bad)(void *, const char *, const char *), void *arg)
{
	char path[PATH_MAX], why[256], moved[PATH_MAX];
	const char *dir = r->dirs[side];
	size_t max = *n + SPOOL_SCAN_MAX;
	snprintf(path, sizeof path, "%s/new", dir);
	DIR *d = opendir(path);
	if (!d)
		return;
	if (r->at[side])
		seekdir(d, r->at[side]);
	for (;;) {
		r->at[side] = *n < max ? 0 : telldir(d);
		struct dirent *entry = *n < max ? readdir(d) : NULL;
		if (!entry)
			break;
		struct found *f = entry->d_name[0] != '.' ? realloc(*list, (*n + 1) * sizeof *f) : NULL;
		if (!f)
			continue;
		*list = f;
		f += *n;
		set_item(&f->item, dir, entry->d_name);
		if (load(f, why, sizeof why)) {
			++*n;
		} else if (why[0]) {
			bool gone = move(f->item.path, "bad", moved, sizeof moved);
			bad(arg, gone ? moved : f->item.path, why);
		}
	}
	closedir(d);
}

size_t spool_scan(struct spool_reader *r, bool (*f)(void *arg, const struct event *e, const struct spool_item *item),
		  void (*bad)(void *arg, const char *path, const char *why), void *arg)
{
	struct found *list = NULL;
	size_t n = 0;
	char moved[PATH_MAX];
	watch(r);
	drain(r);
	for (int i = 0; i < 2; i++)
		if (r->dirs[i])
			collect(r, i, &list, &n, bad, arg);
	if (n)
		qsort(list, n, sizeof *list, by_time);
	for (size_t i = 0; i < n; i++) {
		if (f(arg, &list[i].e, &list[i].item))
			move(list[i].item.path, "done", moved, sizeof moved);
		event_fini(&list[i].e);
	}
	free(list);
	return n;
}

struct aged {
	char name[256];
	struct timespec mtime;
};

static int newest_first(const void *a, const void *b)
{
	const struct aged *x = a, *y = b;
	if (x->mtime.tv_sec != y->mtime.tv_sec)
		return x->mtime.tv_sec > y->mtime.tv_sec ? -1 : 1;
	return x->mtime.tv_nsec > y->mtime.tv_nsec ? -1 : x->mtime.tv_nsec < y->mtime.tv_nsec;
}

static void trim_room(const char *dir, const char *room, size_t keep)
{
	char path[PATH_MAX];
	struct aged *list = NULL;
	size_t n = 0;
	snprintf(path, sizeof path, "%s/%s", dir, room);
	DIR *d = opendir(path);
	struct dirent *entry;
	while (d && (entry = readdir(d))) {
		struct stat st;
		if (entry->d_name[0] == '.' || fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		struct aged *more = realloc(list, (n + 1) * sizeof *list);
		if (!more)
			break;
		list = more;
		snprintf(list[n].name, sizeof list[n].name, "%s", entry->d_name);
		list[n++].mtime = st.st_mtim;
	}
	if (n > keep)
		qsort(list, n, sizeof *list, newest_first);
	for (size_t i = keep; i < n; i++)
		unlinkat(dirfd(d), list[i].name, 0);
	if (d)
		closedir(d);
	free(list);
}

void spool_trim(struct spool_reader *r, size_t keep)
{
	for (int i = 0; i < 2; i++) {
		if (!r->dirs[i])
			continue;
		trim_room(r->dirs[i], "done", keep);
		trim_room(r->dirs[i], "tmp", keep); /* what writers that died left behind */
		trim_room(r->dirs[i], "bad", keep);
	}
}

void spool_reader_free(struct spool_reader *r)
{
	if (!r)
		return;
	if (r->inotify >= 0)
		close(r->inotify);
	if (r->lock >= 0)
		close(r->lock);
	free(r->dirs[0]);
	free(r->dirs[1]);
	free(r);
}
