/*
 * Postfix, for the queue probe: where its instances keep their queues (main.cf, read as text), counting them,
 * reading one message, and asking showq where the spool may not be read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/file.h"
#include "postfix_conf.h"
#include "postfix_file.h"
#include "queue.h"
#include "showq.h"
#include "walk.h"

#define CONFIG_DIR "/etc/postfix"
#define QUEUE_DIR "/var/spool/postfix"

enum { MAIN_CF_MAX = 512 * 1024 };

static const enum queue_kind kinds[PQ_N] = {QUEUE_WAITS,  QUEUE_WAITS, QUEUE_FLOWS,
					    QUEUE_DEFERS, QUEUE_HOLDS, QUEUE_DAMAGES};

/* --- where --- */

/* One parameter of dir/main.cf into out. */
static enum postfix_conf_found ask_conf(const char *dir, const char *name, char *out, size_t size, int *error)
{
	char *path = file_join(dir, "main.cf");
	enum postfix_conf_found found = POSTFIX_CONF_ABSENT;
	struct buf text;

	buf_init(&text, MAIN_CF_MAX);
	*error = 0;
	if (!path || !file_read(path, &text))
		*error = errno ? errno : ENOMEM;
	else
		found = postfix_conf_get(buf_str(&text), dir, name, out, size);
	buf_fini(&text);
	free(path);
	return found;
}

/* The instance whose configuration is in dir; must: a missing main.cf is trouble, not a reason for the
 * default. */
static void from_config(struct queue_seen *s, const char *dir, bool must)
{
	char value[QUEUE_DIR_MAX];
	struct queue_instance *in;
	int error;
	enum postfix_conf_found found = ask_conf(dir, "queue_directory", value, sizeof(value), &error);
	bool bad = error && (must || error != ENOENT), beyond = found == POSTFIX_CONF_BEYOND;

	in = queue_instance_add(s, bad || beyond			     ? dir
				   : found == POSTFIX_CONF_FOUND && value[0] ? value
									     : QUEUE_DIR);
	if (in && bad)
		queue_trouble(in, error == ENOENT ? "absent" : "config", "cannot read %s/main.cf: %s", dir,
			      strerror(error));
	else if (in && beyond)
		queue_trouble(
		    in, "config",
		    "cannot tell queue_directory from %s/main.cf: %s; set the option queue_directory", dir,
		    value);
}

static void from_multi(struct queue_seen *s)
{
	char value[4096], *save = NULL;
	int error;

	if (ask_conf(CONFIG_DIR, "multi_instance_directories", value, sizeof(value), &error) !=
	    POSTFIX_CONF_FOUND)
		return;
	for (char *d = strtok_r(value, ", \t\r\n", &save); d; d = strtok_r(NULL, ", \t\r\n", &save))
		from_config(s, d, true);
}

static void find(struct queue_seen *s, const struct queue_conf *conf)
{
	for (int q = 0; q < PQ_N; q++) {
		const char *name = postfix_queue_name((enum postfix_queue)q);

		queue_stage_add(s, name, name, kinds[q]);
	}
	for (size_t i = 0; i < conf->queue_directory.n; i++)
		queue_instance_add(s, conf->queue_directory.v[i]);
	for (size_t i = 0; i < conf->config_directory.n; i++)
		from_config(s, conf->config_directory.v[i], true);
	if (!conf->queue_directory.n && !conf->config_directory.n) {
		from_config(s, CONFIG_DIR, false);
		from_multi(s);
	}
}

static bool here(void)
{
	return access(CONFIG_DIR "/main.cf", F_OK) == 0 || access(QUEUE_DIR "/deferred", F_OK) == 0;
}

static bool is_spool(int dirfd, const char *dir, bool named)
{
	struct stat st;

	(void)dir;
	(void)named;
	return fstatat(dirfd, "deferred", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(dirfd, "active", &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* --- how many --- */

static void count(struct queue_scan *scan, struct queue_seen *s, struct queue_instance *in)
{
	(void)s;
	for (int q = 0; q < PQ_N; q++)
		postfix_spool_count(scan, in, (enum postfix_queue)q);
}

/* --- one message --- */

struct reading {
	int fd;
	const struct queue_sink *to;
};

static ssize_t read_at(void *arg, uint64_t off, void *to, size_t n)
{
	const struct reading *rd = arg;

	return pread(rd->fd, to, n, (off_t)off);
}

static void rcpt(void *arg, const char *address, bool done)
{
	const struct reading *rd = arg;

	if (rd->to->rcpt)
		rd->to->rcpt(rd->to->arg, address, done);
}

static enum queue_got read_open(int fd, const struct queue_sink *to, struct queue_message *m)
{
	struct reading rd = {.fd = fd, .to = to};
	struct postfix_source src = {.read_at = read_at, .rcpt = rcpt, .arg = &rd};
	struct postfix_file f;
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return QUEUE_DAMAGED;
	/* Postfix sets the x bit when the file is whole */
	if (!(st.st_mode & S_IXUSR))
		return QUEUE_UNFINISHED;
	postfix_file_read(&src, &f);
	if (!f.has_sender || (f.end != POSTFIX_FILE_WHOLE && f.end != POSTFIX_FILE_LIMIT))
		return QUEUE_DAMAGED;
	m->has_sender = true;
	memcpy(m->sender, f.sender, sizeof(m->sender));
	memcpy(m->client, f.client, sizeof(m->client));
	memcpy(m->account, f.account, sizeof(m->account));
	m->arrival_ms = f.arrival_ms;
	m->todo = f.todo;
	m->done = f.done;
	return QUEUE_GOT;
}

static enum queue_got read_file(const struct queue_instance *in, const char *path, char *text,
				const struct queue_sink *to, struct queue_message *m)
{
	int fd = openat(in->fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	enum queue_got got;

	(void)text;
	if (fd < 0)
		return queue_not_opened(errno);
	got = read_open(fd, to, m);
	close(fd);
	return got;
}

const struct queue_mta queue_postfix = {
    .title = "Postfix",
    .clients = true,
    .here = here,
    .find = find,
    .is_spool = is_spool,
    .count = count,
    .read = read_file,
    .ask = showq_ask,
};
