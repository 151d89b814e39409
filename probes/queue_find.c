/* Which queue directories there are to watch. Called by the queue probe; runs no program. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/file.h"
#include "postfix_conf.h"
#include "queue.h"

enum { MAIN_CF_MAX = 512 * 1024 };

static struct queue_instance *add(struct queue_seen *s, const char *dir)
{
	struct queue_instance *in;

	for (size_t i = 0; i < s->n; i++) {
		if (!strcmp(s->inst[i].dir, dir))
			return &s->inst[i];
	}
	if (s->n == QUEUE_INSTANCES_MAX) {
		s->dropped++;
		return NULL;
	}
	in = &s->inst[s->n++];
	memset(in, 0, sizeof(*in));
	in->fd = -1;
	snprintf(in->dir, sizeof(in->dir), "%s", dir);
	return in;
}

void queue_trouble(struct queue_instance *in, const char *layer, const char *fmt, ...)
{
	va_list ap;

	if (in->trouble[0])
		return;
	snprintf(in->layer, sizeof(in->layer), "%s", layer);
	va_start(ap, fmt);
	vsnprintf(in->trouble, sizeof(in->trouble), fmt, ap);
	va_end(ap);
}

static void open_dir(struct queue_instance *in)
{
	struct stat st;

	if (in->fd >= 0 || in->trouble[0])
		return;
	in->fd = open(in->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* a directory of no queue: a mistyped path must not count as an empty queue */
	if (in->fd >= 0 && (fstatat(in->fd, "deferred", &st, AT_SYMLINK_NOFOLLOW) == 0 || errno == EACCES))
		return;
	if (errno == EACCES)
		queue_trouble(in, "permission", "may not open the Postfix queue %s: " QUEUE_GRANT, in->dir);
	else if (errno == ENOENT || errno == ENOTDIR)
		queue_trouble(in, "absent", "no Postfix queue at %s", in->dir);
	else
		queue_trouble(in, "read", "cannot open the Postfix queue %s: %s", in->dir, strerror(errno));
	if (in->fd >= 0)
		close(in->fd);
	in->fd = -1;
}

/* One parameter of dir/main.cf into out. */
static enum postfix_conf_found ask(const char *dir, const char *name, char *out, size_t size, int *error)
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
static void from_config(struct queue_seen *s, const char *dir, const char *default_queue, bool must)
{
	char value[QUEUE_DIR_MAX];
	struct queue_instance *in;
	int error;
	enum postfix_conf_found found = ask(dir, "queue_directory", value, sizeof(value), &error);
	bool bad = error && (must || error != ENOENT), beyond = found == POSTFIX_CONF_BEYOND;

	in = add(s, bad || beyond ? dir : found == POSTFIX_CONF_FOUND && value[0] ? value : default_queue);
	if (in && bad)
		queue_trouble(in, error == ENOENT ? "absent" : "config", "cannot read %s/main.cf: %s", dir,
			      strerror(error));
	else if (in && beyond)
		queue_trouble(
		    in, "config",
		    "cannot tell queue_directory from %s/main.cf: %s; set the option queue_directory", dir,
		    value);
}

static void from_multi(struct queue_seen *s, const char *config_dir, const char *default_queue)
{
	char value[4096], *save = NULL;
	int error;

	if (ask(config_dir, "multi_instance_directories", value, sizeof(value), &error) != POSTFIX_CONF_FOUND)
		return;
	for (char *d = strtok_r(value, ", \t\r\n", &save); d; d = strtok_r(NULL, ", \t\r\n", &save))
		from_config(s, d, default_queue, true);
}

bool queue_find(struct queue_seen *s, const struct queue_conf *conf, const char *config_dir,
		const char *default_queue)
{
	memset(s, 0, sizeof(*s));
	s->inst = calloc(QUEUE_INSTANCES_MAX, sizeof(*s->inst));
	if (!s->inst)
		return false;
	for (size_t i = 0; i < conf->queue_directory.n; i++)
		add(s, conf->queue_directory.v[i]);
	for (size_t i = 0; i < conf->config_directory.n; i++)
		from_config(s, conf->config_directory.v[i], default_queue, true);
	if (!conf->queue_directory.n && !conf->config_directory.n) {
		from_config(s, config_dir, default_queue, false);
		from_multi(s, config_dir, default_queue);
	}
	for (size_t i = 0; i < s->n; i++)
		open_dir(&s->inst[i]);
	return true;
}
