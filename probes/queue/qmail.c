/*
 * qmail, netqmail and notqmail, for the queue probe, by their documented layout (INTERNALS): mess/N/ID is the
 * message, info/N/ID its sender (and, by its mtime, its age), local/N/ID and remote/N/ID what is to be
 * delivered; todo/ID (with the big-todo patch todo/N/ID) what qmail-send has not looked at yet.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#include "small_files.h"
#include "walk.h"

enum { QS_MESS, QS_TODO, QS_LOCAL, QS_REMOTE, QS_N };
enum { SPLIT_MAX = 4096 };

static const char *const names[QS_N] = {"mess", "todo", "local", "remote"};

static void find(struct queue_seen *s, const struct queue_conf *conf)
{
	static const char *const said[QS_N] = {"queued", "not yet preprocessed", "local", "remote"};

	for (int q = 0; q < QS_N; q++) {
		struct queue_stage *st =
		    queue_stage_add(s, names[q], said[q], q == QS_TODO ? QUEUE_WAITS : QUEUE_DEFERS);

		if (st)
			st->part = q != QS_MESS;
	}
	for (size_t i = 0; i < conf->queue_directory.n; i++)
		queue_instance_add(s, conf->queue_directory.v[i]);
	if (!s->n)
		queue_instance_add(s, "/var/qmail/queue");
}

static bool here(void)
{
	return access("/var/qmail/queue", F_OK) == 0;
}

static bool is_spool(int dirfd, const char *dir, bool named)
{
	struct stat st;

	(void)dir;
	(void)named;
	return fstatat(dirfd, "mess", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(dirfd, "info", &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* --- how many --- */

struct counting {
	struct queue_scan *scan;
	struct queue_instance *in;
	size_t stage;
	char dir[QUEUE_PATH_MAX];
	bool top;
	bool sub[SPLIT_MAX];
};

static void entry(void *arg, const char *name, unsigned char type)
{
	struct counting *c = arg;
	size_t n = strlen(name);

	if (strspn(name, "0123456789") != n || n > 20)
		return;
	/* where the file system tells no types, a short number at the top is a directory of the split */
	if (c->top && queue_may_be_dir(type) && n <= 4 && atoi(name) < SPLIT_MAX)
		c->sub[atoi(name)] = true;
	else if (queue_may_be_file(type))
		queue_found(c->scan, c->in, c->stage, c->dir, name, 0);
}

static void count_stage(struct queue_scan *scan, struct queue_instance *in, size_t stage, struct counting *c)
{
	memset(c, 0, sizeof(*c));
	c->scan = scan;
	c->in = in;
	c->stage = stage;
	c->top = true;
	snprintf(c->dir, sizeof(c->dir), "%s", names[stage]);
	queue_walk(scan, in, c->dir, entry, c);
	c->top = false;
	for (int n = 0; n < SPLIT_MAX && !scan->late; n++) {
		if (!c->sub[n])
			continue;
		snprintf(c->dir, sizeof(c->dir), "%s/%d", names[stage], n);
		queue_walk(scan, in, c->dir, entry, c);
	}
}

static void count(struct queue_scan *scan, struct queue_seen *s, struct queue_instance *in)
{
	struct counting c;

	(void)s;
	for (size_t q = 0; q < QS_N; q++)
		count_stage(scan, in, q, &c);
}

/* --- one message --- */

/* One of its files; *mtime_ms may be NULL. */
static enum queue_got one(const struct queue_instance *in, const char *part, const char *tail, char *text,
			  const struct queue_sink *to, struct queue_message *m, int64_t *mtime_ms)
{
	char path[QUEUE_PATH_MAX];
	struct queue_slice got;
	bool whole;
	enum queue_got how;

	snprintf(path, sizeof(path), "%s/%s", part, tail);
	how = queue_slurp(in->fd, path, text, &got, &whole, mtime_ms);
	if (how != QUEUE_GOT)
		return how;
	if (strcmp(part, "mess") != 0)
		return qmail_parts_parse(got, whole, to, m);
	qmail_client(got, m);
	return QUEUE_GOT;
}

/* tail: "17/12345", or "12345" of a todo/ that is not split. */
static enum queue_got read_message(const struct queue_instance *in, const char *path, char *text,
				   const struct queue_sink *to, struct queue_message *m)
{
	const char *tail = strchr(path, '/'), *id;
	enum queue_got got;

	if (!tail)
		return QUEUE_DAMAGED;
	tail++;
	id = strchr(tail, '/') ? strchr(tail, '/') + 1 : tail;
	if (!strncmp(path, "todo/", 5))
		return one(in, "todo", tail, text, to, m, &m->arrival_ms);
	got = one(in, "info", tail, text, to, m, &m->arrival_ms);
	if (got == QUEUE_GONE) { /* not yet preprocessed: all of it is in todo */
		got = one(in, "todo", id, text, to, m, &m->arrival_ms);
		if (got == QUEUE_GONE)
			got = one(in, "todo", tail, text, to, m, &m->arrival_ms);
	} else if (got == QUEUE_GOT) {
		one(in, "local", tail, text, to, m, NULL);
		one(in, "remote", tail, text, to, m, NULL);
	}
	if (got == QUEUE_GOT)
		one(in, "mess", tail, text, to, m, NULL);
	return got == QUEUE_GOT && !m->has_sender ? QUEUE_DAMAGED : got;
}

const struct queue_mta queue_qmail = {
    .title = "qmail",
    .clients = true,
    .here = here,
    .find = find,
    .is_spool = is_spool,
    .count = count,
    .read = read_message,
};
