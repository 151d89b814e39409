/*
 * sendmail 8, for the queue probe: one or many queue directories (globs, df/ qf/ xf/ apart or not), in named
 * stages. Where a receiver fills mqueue-rx and a scanner moves what it passed to mqueue, both are stages, and
 * so is the queue of mail submitted on the host (clientmqueue).
 */
#include <errno.h>
#include <glob.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "sendmail_qf.h"
#include "walk.h"

#define QUARANTINED "quarantined" /* hf*: by a milter or a person */
#define LOST "lost"		  /* Qf*: sendmail could not read them */

enum { CF_MAX = 1024 * 1024 };

/* --- where --- */

/* The queue of a directory is called as it is; a subdirectory or a glob (mqueue/q*) as what holds it. */
static void stage_name(const char *path, char *out, size_t size)
{
	const char *end = path + strlen(path), *base;

	for (;;) {
		while (end > path + 1 && end[-1] == '/')
			end--;
		for (base = end; base > path && base[-1] != '/'; base--)
			;
		snprintf(out, size, "%.*s", (int)(end - base), base);
		if (strstr(out, "queue") || base <= path + 1)
			break;
		end = base;
	}
	if (!out[0])
		snprintf(out, size, "mqueue");
	for (char *g = strpbrk(out, "*?["); g; g = strpbrk(out, "*?["))
		*g = '_';
}

static enum queue_kind kind_of(const char *name)
{
	size_t n = strlen(name);

	if (strstr(name, "rx") || strstr(name, "client") ||
	    (n > 3 && (!strcmp(name + n - 3, ".in") || !strcmp(name + n - 3, "-in"))))
		return QUEUE_WAITS;
	return QUEUE_DEFERS;
}

static void add_dir(struct queue_seen *s, const char *dir, const char *stage)
{
	struct queue_stage *st = queue_stage_add(s, stage, stage, kind_of(stage));
	struct queue_instance *in = st ? queue_instance_add(s, dir) : NULL;

	if (in)
		in->stage = (size_t)(st - s->stage);
}

/* What a path with a glob stands for; one that stands for nothing is kept, so that it is said to be absent.
 */
static void add_path(struct queue_seen *s, const char *path, const char *stage)
{
	char name[QUEUE_NAME_MAX];
	glob_t g;

	stage_name(path, name, sizeof(name));
	if (!stage)
		stage = name;
	if (!strpbrk(path, "*?[") || glob(path, GLOB_ONLYDIR, NULL, &g) != 0) {
		add_dir(s, path, stage);
		return;
	}
	for (size_t i = 0; i < g.gl_pathc; i++)
		add_dir(s, g.gl_pathv[i], stage);
	globfree(&g);
}

/* As a person gives it: /var/spool/mqueue may mean what stands in mqueue/q1, mqueue/q2. */
static void add_given(struct queue_seen *s, const char *path, const char *stage)
{
	char sub[QUEUE_DIR_MAX];
	glob_t g;

	add_path(s, path, stage);
	if (strpbrk(path, "*?[") || snprintf(sub, sizeof(sub), "%s/q[!f]*", path) >= (int)sizeof(sub) ||
	    glob(sub, GLOB_ONLYDIR, NULL, &g) != 0)
		return;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		struct stat st;

		if (stat(g.gl_pathv[i], &st) == 0 && S_ISDIR(st.st_mode))
			add_path(s, g.gl_pathv[i], stage);
	}
	globfree(&g);
}

/* A receiver's queue beside the main one. */
static void add_receivers(struct queue_seen *s, const char *main_path)
{
	static const char *const tails[] = {"-rx", ".in", "-in"};
	char path[QUEUE_DIR_MAX], name[QUEUE_NAME_MAX];
	const char *at;

	stage_name(main_path, name, sizeof(name));
	at = strstr(main_path, name);
	for (size_t i = 0; at && i < sizeof(tails) / sizeof(tails[0]); i++) {
		snprintf(path, sizeof(path), "%.*s%s", (int)(at - main_path + (ptrdiff_t)strlen(name)),
			 main_path, tails[i]);
		if (access(path, F_OK) == 0)
			add_given(s, path, NULL);
	}
}

static void from_cf(void *arg, const char *path)
{
	add_receivers(arg, path);
	add_path(arg, path, NULL);
}

/* The queues of one .cf file; false when it could not be read. */
static bool read_cf(struct queue_seen *s, const char *path)
{
	struct buf text;
	bool ok;

	buf_init(&text, CF_MAX);
	ok = file_read(path, &text);
	if (ok)
		sendmail_cf_queues((struct queue_slice){buf_str(&text), text.len}, from_cf, s);
	buf_fini(&text);
	return ok;
}

static void from_config(struct queue_seen *s, const char *at)
{
	char path[QUEUE_DIR_MAX];
	size_t n = strlen(at), before = s->n;
	struct queue_instance *in;

	if (n > 3 && !strcmp(at + n - 3, ".cf")) {
		snprintf(path, sizeof(path), "%s", at);
	} else {
		snprintf(path, sizeof(path), "%s/submit.cf", at);
		read_cf(s, path);
		snprintf(path, sizeof(path), "%s/sendmail.cf", at);
	}
	if (!read_cf(s, path)) {
		int error = errno;

		in = queue_instance_add(s, path);
		if (in)
			queue_trouble(in, error == ENOENT ? "absent" : "config", "cannot read %s: %s", path,
				      strerror(error));
	} else if (s->n == before) {
		from_cf(s, "/var/spool/mqueue"); /* what sendmail itself takes then */
	}
}

static void from_host(struct queue_seen *s)
{
	static const char *const cf[] = {"/etc/mail/submit.cf", "/etc/mail/sendmail.cf", "/etc/sendmail.cf"};

	for (size_t i = 0; i < sizeof(cf) / sizeof(cf[0]); i++)
		read_cf(s, cf[i]);
	if (!s->n && access("/var/spool/clientmqueue", F_OK) == 0)
		add_path(s, "/var/spool/clientmqueue", NULL);
	if (!s->n || queue_stage_find(s, "mqueue") < 0)
		from_cf(s, "/var/spool/mqueue");
}

static void from_stage_lines(struct queue_seen *s, const struct queue_conf *conf)
{
	for (size_t i = 0; i < conf->stages.n; i++) {
		struct queue_stage_line line;
		char *save = NULL;
		const char *why;

		if (!queue_stage_parse(conf->stages.v[i], &line, &why))
			continue;
		for (char *d = strtok_r(line.dirs, " ", &save); d; d = strtok_r(NULL, " ", &save))
			add_given(s, d, line.name);
	}
}

/* The stages between which a scanner stands: the first where received mail waits, and the one it is moved to.
 */
static void pair(struct queue_seen *s)
{
	for (size_t k = 0; k < s->stages; k++) {
		if (s->before < 0 && s->stage[k].kind == QUEUE_WAITS && !strstr(s->stage[k].name, "client"))
			s->before = (int)k;
		if (s->behind < 0 && s->stage[k].kind == QUEUE_DEFERS)
			s->behind = (int)k;
	}
}

static void find(struct queue_seen *s, const struct queue_conf *conf)
{
	from_stage_lines(s, conf);
	for (size_t i = 0; i < conf->queue_directory.n; i++)
		add_given(s, conf->queue_directory.v[i], NULL);
	for (size_t i = 0; i < conf->config_directory.n; i++)
		from_config(s, conf->config_directory.v[i]);
	if (!s->n)
		from_host(s);
	pair(s);
	queue_stage_add(s, QUARANTINED, QUARANTINED, QUEUE_HOLDS);
	queue_stage_add(s, LOST, LOST, QUEUE_DAMAGES);
}

static bool here(void)
{
	return access("/etc/mail/sendmail.cf", F_OK) == 0 || access("/var/spool/mqueue", F_OK) == 0;
}

static bool is_spool(int dirfd, const char *dir, bool named)
{
	const char *base = strrchr(dir, '/');
	struct stat st;

	/* an empty queue looks like any empty directory: its name tells, or who names the agent */
	return named || (base && strstr(base, "mqueue")) ||
	       fstatat(dirfd, "qf", &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* --- how many --- */

struct counting {
	struct queue_scan *scan;
	struct queue_instance *in;
	const char *dir;
	size_t held, lost;
	int64_t now_ms;
};

static void entry(void *arg, const char *name, unsigned char type)
{
	struct counting *c = arg;
	size_t stage;

	/* the shortest id that there ever was has 8 characters */
	if (!queue_may_be_file(type) || !name[0] || name[1] != 'f' || strlen(name) < 10)
		return;
	if (name[0] == 'q')
		stage = c->in->stage;
	else if (name[0] == 'h')
		stage = c->held;
	else if (name[0] == 'Q')
		stage = c->lost;
	else
		return;
	queue_found(c->scan, c->in, stage, c->dir, name, sendmail_id_time_ms(name + 2, c->now_ms));
}

static void count(struct queue_scan *scan, struct queue_seen *s, struct queue_instance *in)
{
	struct counting c = {.scan = scan, .in = in, .dir = "qf", .now_ms = clock_wall_ms()};
	int held = queue_stage_find(s, QUARANTINED), lost = queue_stage_find(s, LOST);

	c.held = held < 0 ? in->stage : (size_t)held;
	c.lost = lost < 0 ? in->stage : (size_t)lost;
	if (queue_walk(scan, in, "qf", entry, &c) != WALK_NONE)
		return;
	c.dir = ".";
	queue_walk(scan, in, ".", entry, &c);
}

static enum queue_got read_file(const struct queue_instance *in, const char *path, char *text,
				const struct queue_sink *to, struct queue_message *m)
{
	struct queue_slice got;
	bool whole;
	enum queue_got how = queue_slurp(in->fd, path, text, &got, &whole, NULL);

	return how == QUEUE_GOT ? sendmail_qf_parse(got, whole, to, m) : how;
}

const struct queue_mta queue_sendmail = {
    .title = "sendmail",
    .clients = true,
    .here = here,
    .find = find,
    .is_spool = is_spool,
    .count = count,
    .read = read_file,
};
