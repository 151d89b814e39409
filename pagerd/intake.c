/* The spool's reader; see intake.h. Its scans run from the loop and, to let go of what was written, from the turn. */
#include "intake.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/config/config.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/contract/spool.h"

struct intake {
	struct event_base *base;
	const struct intake_calls *calls;
	void *arg;
	char *spool, *twin;
	struct spool_reader *reader;
	struct loop_fd *fd;
	struct loop_timer *rescan;
	int64_t trim_at;
	bool pending;
	size_t waiting, bad, bad_marked;
	/* bad files that were paged in this span of time; more are only counted and logged */
	int64_t bad_span;
	unsigned bad_paged, bad_silent;
	char last_bad[512]; /* one that could not be moved away is told once */
	char *marker;	    /* its mtime: bad files older than that were told */
};

/* --- events ---------------------------------------------------------------------------------------- */

/* What a script drops has no change number: its file is its identity, so that it is paged once however often
 * it is read. */
static void number_dropped(struct event *e, const struct spool_item *item)
{
	struct stat st;
	if (e->change || stat(item->path, &st) != 0)
		return;
	/* whatever time somebody gave the file: a number that JSON keeps exactly */
	uint64_t us = (uint64_t)st.st_mtim.tv_sec * 1000000 + (uint64_t)st.st_mtim.tv_nsec / 1000;
	e->change = e->opened = us & ((1ull << 53) - 1);
}

/* True when the event is recorded on the disk: the file may go. */
static bool take(void *arg, const struct event *given, const struct spool_item *item)
{
	struct intake *in = arg;
	struct event e = *given; /* shares its strings */
	number_dropped(&e, item);
	enum intake_answer a = in->calls->event(in->arg, &e);
	in->waiting += a != INTAKE_RECORDED;
	in->pending |= a == INTAKE_PENDING;
	return a == INTAKE_RECORDED;
}

/* --- files that are no events ---------------------------------------------------------------------- */

static void page_bad(struct intake *in, const char *path, const char *why)
{
	struct stat st;
	uint64_t h = 14695981039346656037u; /* FNV-1a over what stays the same when it is seen again */
	const char *name = strrchr(path, '/');
	char text[RESULT_TEXT_MAX];
	if (stat(path, &st) != 0)
		st = (struct stat){.st_mtime = 0};
	for (const char *s = name ? name : path; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	h ^= (uint64_t)st.st_mtim.tv_sec * 1000000007u + (uint64_t)st.st_mtim.tv_nsec;
	int n = snprintf(text, sizeof text,
			 "a file in the event spool is no event (%.200s); an alarm may be lost: %.500s", why,
			 path);
	if (in->bad_silent && n > 0 && (size_t)n < sizeof text)
		snprintf(text + n, sizeof text - (size_t)n, " (and %u before it that were not paged)",
			 in->bad_silent);
	in->bad_silent = 0;
	in->calls->bad(in->arg, h >> 12 | 1, text);
}

/* A script gone wild must not ring for each of a thousand files. */
static bool may_page_bad(struct intake *in)
{
	int64_t now = clock_boot_ms();
	if (now - in->bad_span > INTAKE_BAD_SPAN_MS) {
		in->bad_span = now;
		in->bad_paged = 0;
	}
	if (in->bad_paged >= INTAKE_BAD_PAGES) {
		in->bad_silent++;
		return false;
	}
	in->bad_paged++;
	return true;
}

static void on_bad(void *arg, const char *path, const char *why)
{
	struct intake *in = arg;
	if (strcmp(in->last_bad, path) == 0)
		return;
	snprintf(in->last_bad, sizeof in->last_bad, "%s", path);
	in->bad++;
	in->pending = true;
	log_err("spool: %s: %s", path, why);
	if (may_page_bad(in))
		page_bad(in, path, why);
}

/* Those that came to bad/ after the marker: pagerd may have died between moving and telling. The same file
 * makes the same incident, so telling again is no page. */
static void recall_bad_in(struct intake *in, const char *dir, int64_t since_ns)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/bad", dir);
	DIR *d = opendir(path);
	struct dirent *e;
	while (d && (e = readdir(d))) {
		struct stat st;
		if (e->d_name[0] == '.' || fstatat(dirfd(d), e->d_name, &st, 0) != 0)
			continue;
		if ((int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec <= since_ns)
			continue;
		snprintf(path, sizeof path, "%s/bad/%s", dir, e->d_name);
		on_bad(in, path, "found when the pager started");
	}
	if (d)
		closedir(d);
}

static void recall_bad(struct intake *in)
{
	struct stat st;
	int64_t since =
	    stat(in->marker, &st) == 0 ? (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec : 0;
	recall_bad_in(in, in->spool, since);
	recall_bad_in(in, in->twin, since);
}

static void touch_marker(struct intake *in)
{
	int fd = open(in->marker, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return;
	futimens(fd, NULL);
	close(fd);
}

/* --- the loop's side ------------------------------------------------------------------------------- */

void intake_scan(struct intake *in)
{
	size_t bad = in->bad;
	in->pending = false;
	in->waiting = 0;
	spool_scan(in->reader, take, on_bad, in);
	if (bad != in->bad_marked && bad == in->bad && !in->pending && in->calls->disk_works(in->arg)) {
		/* the incidents of all bad ones are on the disk by now */
		touch_marker(in);
		in->bad_marked = bad;
	}
}

bool intake_pending(const struct intake *in)
{
	return in->pending;
}

size_t intake_new_count(const struct intake *in)
{
	return in->waiting;
}

size_t intake_bad_count(const struct intake *in)
{
	return in->bad;
}

static void wake(void *arg)
{
	struct intake *in = arg;
	intake_scan(in);
	in->calls->scanned(in->arg);
}

static void rescan(void *arg)
{
	struct intake *in = arg;
	int64_t now = clock_boot_ms();
	loop_timer_in(in->rescan, INTAKE_RESCAN_MS);
	wake(in);
	spool_reader_fd(in->reader); /* watches what has appeared since */
	if (now < in->trim_at)
		return;
	in->trim_at = now + 600000;
	spool_trim(in->reader, INTAKE_DONE_KEPT);
}

struct intake *intake_new(struct event_base *base, const struct config *conf, const struct intake_calls *calls,
			  void *arg, char *why, size_t size)
{
	struct intake *in = calloc(1, sizeof *in);
	if (!in) {
		snprintf(why, size, "out of memory");
		return NULL;
	}
	in->base = base;
	in->calls = calls;
	in->arg = arg;
	in->spool = strdup(conf->spool);
	in->twin = strdup(conf->spool_twin);
	in->marker = file_join(conf->pagerd_state, "bad-seen");
	in->reader = spool_reader_new(conf->spool, conf->spool_twin, why, size);
	in->rescan = loop_timer_new(base, rescan, in);
	if (in->spool && in->twin && in->marker && in->reader && in->rescan)
		return in;
	intake_free(in);
	return NULL;
}

void intake_start(struct intake *in)
{
	int fd = spool_reader_fd(in->reader);
	if (fd >= 0)
		in->fd = loop_fd_new(in->base, fd, wake, in);
	else
		log_warn("no inotify: events are noticed within 2 s only");
	recall_bad(in);
	rescan(in);
}

void intake_free(struct intake *in)
{
	if (!in)
		return;
	loop_fd_free(in->fd);
	loop_timer_free(in->rescan);
	spool_reader_free(in->reader);
	free(in->marker);
	free(in->spool);
	free(in->twin);
	free(in);
}
