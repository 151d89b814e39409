/*
 * OpenSMTPD, for the queue probe: its spool is read directly. A message is a directory queue/34/3470f43b with
 * an envelope for each recipient; counted are messages, as counting envelopes would mean opening each.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "small_files.h"
#include "walk.h"

enum { OS_INCOMING, OS_QUEUE, OS_OFFLINE, OS_CORRUPT };
enum { ENVELOPES_MAX = QUEUE_RCPTS_MAX }; /* read of one message */

static void find(struct queue_seen *s, const struct queue_conf *conf)
{
	struct queue_stage *offline;

	queue_stage_add(s, "incoming", "incoming", QUEUE_WAITS);
	queue_stage_add(s, "queue", "queued", QUEUE_DEFERS);
	offline =
	    queue_stage_add(s, "offline", "offline", QUEUE_WAITS); /* submitted while the daemon was down */
	if (offline)
		offline->opaque = true;
	queue_stage_add(s, "corrupt", "corrupt", QUEUE_DAMAGES);
	for (size_t i = 0; i < conf->queue_directory.n; i++)
		queue_instance_add(s, conf->queue_directory.v[i]);
	if (!s->n)
		queue_instance_add(s, "/var/spool/smtpd");
}

static bool here(void)
{
	return access("/var/spool/smtpd/queue", F_OK) == 0;
}

static bool is_spool(int dirfd, const char *dir, bool named)
{
	struct stat st;

	(void)dir;
	(void)named;
	return fstatat(dirfd, "queue", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(dirfd, "offline", &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* --- how many --- */

struct counting {
	struct queue_scan *scan;
	struct queue_instance *in;
	size_t stage;
	char dir[QUEUE_PATH_MAX];
	bool bucket[256];
};

static bool is_hex(const char *name, size_t n)
{
	return strlen(name) == n && strspn(name, "0123456789abcdef") == n;
}

static void message(void *arg, const char *name, unsigned char type)
{
	struct counting *c = arg;

	if (c->stage == OS_OFFLINE ? queue_may_be_file(type) : queue_may_be_dir(type) && is_hex(name, 8))
		queue_found(c->scan, c->in, c->stage, c->dir, name, 0);
}

static void bucket(void *arg, const char *name, unsigned char type)
{
	struct counting *c = arg;
	unsigned n;

	if (queue_may_be_dir(type) && is_hex(name, 2) && sscanf(name, "%2x", &n) == 1)
		c->bucket[n] = true;
}

static void count_flat(struct counting *c, size_t stage, const char *dir)
{
	c->stage = stage;
	snprintf(c->dir, sizeof(c->dir), "%s", dir);
	queue_walk(c->scan, c->in, dir, message, c);
}

static void count(struct queue_scan *scan, struct queue_seen *s, struct queue_instance *in)
{
	struct counting c = {.scan = scan, .in = in};

	(void)s;
	count_flat(&c, OS_INCOMING, "incoming");
	count_flat(&c, OS_OFFLINE, "offline");
	count_flat(&c, OS_CORRUPT, "corrupt");
	queue_walk(scan, in, "queue", bucket, &c);
	for (unsigned b = 0; b < 256 && !scan->late; b++) {
		char dir[16];

		snprintf(dir, sizeof(dir), "queue/%02x", b);
		if (c.bucket[b])
			count_flat(&c, OS_QUEUE, dir);
	}
}

/* --- one message --- */

static enum queue_got envelope(int fd, const char *name, char *text, const struct queue_sink *to,
			       struct queue_message *m)
{
	struct queue_slice got;
	bool whole;
	enum queue_got how = queue_slurp(fd, name, text, &got, &whole, NULL);

	return how == QUEUE_GOT ? opensmtpd_envelope_parse(got, to, m) : how;
}

/* The worst that an envelope was decides only when none told anything. */
static enum queue_got envelopes(DIR *d, char *text, const struct queue_sink *to, struct queue_message *m)
{
	enum queue_got worst = QUEUE_UNFINISHED;
	const struct dirent *e;
	bool any = false;

	for (int n = 0; n < ENVELOPES_MAX && (e = readdir(d));) {
		enum queue_got got;

		if (!is_hex(e->d_name, 16))
			continue;
		n++;
		got = envelope(dirfd(d), e->d_name, text, to, m);
		if (got == QUEUE_GOT)
			any = true;
		else
			worst = got;
	}
	return any ? QUEUE_GOT : worst;
}

static enum queue_got read_message(const struct queue_instance *in, const char *path, char *text,
				   const struct queue_sink *to, struct queue_message *m)
{
	int fd = openat(in->fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	enum queue_got got;
	struct stat st;
	DIR *d;

	if (fd < 0)
		return queue_not_opened(errno);
	if (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode)) {
		m->arrival_ms = (int64_t)st.st_mtim.tv_sec * 1000; /* offline: what its age is told by */
		close(fd);
		return QUEUE_GOT;
	}
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return QUEUE_DAMAGED;
	}
	got = envelopes(d, text, to, m);
	closedir(d);
	return got;
}

const struct queue_mta queue_opensmtpd = {
    .title = "OpenSMTPD",
    .clients = true,
    .here = here,
    .find = find,
    .is_spool = is_spool,
    .count = count,
    .read = read_message,
};
