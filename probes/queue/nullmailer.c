/* nullmailer, for the queue probe: queue/ holds a file a message, failed/ what it gave up. */
#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "small_files.h"
#include "walk.h"

enum { NM_QUEUE, NM_FAILED };

static void find(struct queue_seen *s, const struct queue_conf *conf)
{
	queue_stage_add(s, "queue", "queued", QUEUE_DEFERS);
	queue_stage_add(s, "failed", "failed", QUEUE_HOLDS);
	for (size_t i = 0; i < conf->queue_directory.n; i++)
		queue_instance_add(s, conf->queue_directory.v[i]);
	if (!s->n)
		queue_instance_add(s, "/var/spool/nullmailer");
}

static bool here(void)
{
	return access("/var/spool/nullmailer/queue", F_OK) == 0;
}

static bool is_spool(int dirfd, const char *dir, bool named)
{
	struct stat st;

	(void)dir;
	(void)named;
	return fstatat(dirfd, "queue", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(dirfd, "tmp", &st, AT_SYMLINK_NOFOLLOW) == 0;
}

struct counting {
	struct queue_scan *scan;
	struct queue_instance *in;
	size_t stage;
	const char *dir;
};

/* "1669334423.12345": the second that it came in */
static void entry(void *arg, const char *name, unsigned char type)
{
	struct counting *c = arg;

	if (queue_may_be_file(type) && isdigit((unsigned char)name[0]))
		queue_found(c->scan, c->in, c->stage, c->dir, name,
			    queue_seconds((struct queue_slice){name, strlen(name)}));
}

static void count(struct queue_scan *scan, struct queue_seen *s, struct queue_instance *in)
{
	struct counting c = {.scan = scan, .in = in, .stage = NM_QUEUE, .dir = "queue"};

	(void)s;
	queue_walk(scan, in, c.dir, entry, &c);
	c.stage = NM_FAILED;
	c.dir = "failed";
	queue_walk(scan, in, c.dir, entry, &c);
}

static enum queue_got read_file(const struct queue_instance *in, const char *path, char *text,
				const struct queue_sink *to, struct queue_message *m)
{
	const char *name = strchr(path, '/') ? strchr(path, '/') + 1 : path;
	struct queue_slice got;
	bool whole;
	enum queue_got how = queue_slurp(in->fd, path, text, &got, &whole, NULL);

	m->arrival_ms = queue_seconds((struct queue_slice){name, strlen(name)});
	return how == QUEUE_GOT ? nullmailer_parse(got, to, m) : how;
}

const struct queue_mta queue_nullmailer = {
    .title = "nullmailer",
    .here = here,
    .find = find,
    .is_spool = is_spool,
    .count = count,
    .read = read_file,
};
