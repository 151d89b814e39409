/* Entries of directories, one buffer at a time; see walk.h. Called by the file of each mail transport agent.
 */
#include "walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"

enum { BUFFER = 128 * 1024 };

bool queue_scan_init(struct queue_scan *scan, int64_t deadline)
{
	memset(scan, 0, sizeof(*scan));
	scan->deadline = deadline;
	scan->buffer = malloc(BUFFER);
	return scan->buffer != NULL;
}

void queue_scan_fini(struct queue_scan *scan)
{
	free(scan->buffer);
	scan->buffer = NULL;
}

bool queue_may_be_file(unsigned char type)
{
	return type == DT_REG || type == DT_UNKNOWN;
}

bool queue_may_be_dir(unsigned char type)
{
	return type == DT_DIR || type == DT_UNKNOWN;
}

static enum queue_walked failed(struct queue_instance *in, const char *path, int error)
{
	if (error == ENOENT || error == ENOTDIR || error == ELOOP)
		return WALK_NONE;
	if (error == EACCES)
		queue_trouble(in, "permission", "may not read %s/%s: " QUEUE_GRANT, in->dir, path);
	else
		queue_trouble(in, "read", "cannot read %s/%s: %s", in->dir, path, strerror(error));
	return WALK_FAILED;
}

static void entries(const char *buffer, ssize_t len, queue_each *each, void *arg)
{
	for (const char *p = buffer; p < buffer + len;) {
		const struct dirent64 *d = (const struct dirent64 *)p;
		const char *n = d->d_name;

		p += d->d_reclen;
		if (n[0] == '.' && (!n[1] || (n[1] == '.' && !n[2])))
			continue;
		each(arg, n, d->d_type);
	}
}

enum queue_walked queue_walk(struct queue_scan *scan, struct queue_instance *in, const char *path,
			     queue_each *each, void *arg)
{
	int fd = openat(in->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	enum queue_walked how = WALK_ALL;

	if (fd < 0)
		return failed(in, path, errno);
	for (;;) {
		ssize_t n;

		if (clock_boot_ms() >= scan->deadline) {
			scan->late = true;
			how = WALK_FAILED;
			break;
		}
		n = getdents64(fd, scan->buffer, BUFFER);
		if (n < 0)
			how = failed(in, path, errno);
		if (n <= 0)
			break;
		entries(scan->buffer, n, each, arg);
	}
	close(fd);
	return how;
}

void queue_found(struct queue_scan *scan, struct queue_instance *in, size_t stage, const char *dir,
		 const char *name, int64_t time_ms)
{
	struct queue_count *c = &in->count[stage];

	c->n++;
	if (time_ms > 0) {
		c->named++;
		if (!c->oldest_ms || time_ms < c->oldest_ms)
			c->oldest_ms = time_ms;
	}
	if (scan->entry)
		scan->entry(scan->arg, in, stage, dir, name);
}
