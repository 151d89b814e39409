/* The bounded history; see evlog.h. */
#include "evlog.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"

/* No history is larger than this when read: lines are some hundred bytes, 16 KiB at the very most. */
enum { EVLOG_BYTES_MAX = 64 << 20 };

/* Shared with the calls that wait on the writing thread, which may outlive the owner: counted. */
struct evlog {
	pthread_mutex_t lock;
	int users;
	char *path;
	size_t keep;
	struct diskq *disk;
	struct asked *answers; /* read, to be told in the loop */
	int fd;		       /* eventfd: answers wait */
	struct loop_fd *event;
	/* the writing thread's own: */
	bool counted;
	size_t lines;
};

struct asked {
	struct asked *next;
	struct evlog *h;
	char *name;
	size_t limit;
	void (*done)(void *arg, cJSON *events);
	void *arg;
	cJSON *events;
};

struct add {
	struct evlog *h;
	char *line;
	size_t len;
};

static void asked_free(struct asked *a)
{
	cJSON_Delete(a->events);
	free(a->name);
	free(a);
}

static void drop(struct evlog *h)
{
	pthread_mutex_lock(&h->lock);
	bool last = --h->users == 0;
	pthread_mutex_unlock(&h->lock);
	if (!last)
		return;
	while (h->answers) {
		struct asked *a = h->answers;
		h->answers = a->next;
		asked_free(a);
	}
	close(h->fd);
	pthread_mutex_destroy(&h->lock);
	free(h->path);
	free(h);
}

static void on_answers(void *arg)
{
	struct evlog *h = arg;
	uint64_t n;
	ssize_t got = read(h->fd, &n, sizeof n);
	(void)got;
	pthread_mutex_lock(&h->lock);
	struct asked *list = h->answers;
	h->answers = NULL;
	pthread_mutex_unlock(&h->lock);
	while (list) {
		struct asked *a = list;
		list = a->next;
		a->done(a->arg, a->events);
		a->events = NULL;
		asked_free(a);
	}
}

struct evlog *evlog_new(struct event_base *base, const char *state_dir, size_t keep, struct diskq *disk)
{
	struct evlog *h = calloc(1, sizeof *h);
	if (!h)
		return NULL;
	pthread_mutex_init(&h->lock, NULL);
	h->users = 1;
	h->keep = keep;
	h->disk = disk;
	h->path = file_join(state_dir, "events.jsonl");
	h->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	h->event = h->fd >= 0 ? loop_fd_new(base, h->fd, on_answers, h) : NULL;
	if (h->path && h->event)
		return h;
	evlog_free(h);
	return NULL;
}

void evlog_free(struct evlog *h)
{
	if (!h)
		return;
	loop_fd_free(h->event);
	h->event = NULL;
	drop(h);
}

void evlog_keep(struct evlog *h, size_t keep)
{
	pthread_mutex_lock(&h->lock);
	h->keep = keep;
	pthread_mutex_unlock(&h->lock);
}

static size_t count_lines(const char *p, size_t len)
{
	size_t n = 0;
	for (const char *end = p + len; (p = memchr(p, '\n', (size_t)(end - p))); p++)
		n++;
	return n;
}

/* Keeps the last keep lines. */
static void shorten(struct evlog *h, const struct buf *all, size_t keep)
{
	size_t at = all->len, n = 0;
	while (at > 0) {
		if (all->data[at - 1] == '\n' && n++ == keep)
			break;
		at--;
	}
	if (file_write_atomic(h->path, all->data + at, all->len - at, 0640))
		h->lines = count_lines(all->data + at, all->len - at);
	else
		log_warn("%s: cannot be shortened: %s", h->path, strerror(errno));
}

/* Counts what is there, ends a line that was cut short, shortens what is too long. */
static void tidy(struct evlog *h, size_t keep)
{
	struct buf all;
	buf_init(&all, EVLOG_BYTES_MAX);
	if (!file_read(h->path, &all) && errno != ENOENT)
		log_warn("%s: %s", h->path, strerror(errno));
	h->lines = all.len ? count_lines(all.data, all.len) : 0;
	if (all.len && all.data[all.len - 1] != '\n') {
		buf_add(&all, "\n", 1);
		int fd = open(h->path, O_WRONLY | O_APPEND | O_CLOEXEC);
		if (fd >= 0) {
			ssize_t n = write(fd, "\n", 1);
			(void)n;
			close(fd);
		}
	}
	if (h->lines > keep)
		shorten(h, &all, keep);
	h->counted = true;
	buf_fini(&all);
}

static void append_line(void *arg)
{
	struct add *a = arg;
	struct evlog *h = a->h;
	pthread_mutex_lock(&h->lock);
	size_t keep = h->keep;
	pthread_mutex_unlock(&h->lock);
	if (!h->counted || h->lines > keep + keep / 4)
		tidy(h, keep);
	int fd = open(h->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	/* one write, so that a crash cuts the last line at most */
	if (fd < 0 || write(fd, a->line, a->len) != (ssize_t)a->len) {
		log_warn("%s: %s", h->path, strerror(errno));
		h->counted = false;
	} else {
		h->lines++;
	}
	if (fd >= 0)
		close(fd);
	free(a->line);
	free(a);
	drop(h);
}

void evlog_add(struct evlog *h, const struct event *e)
{
	struct add *a = calloc(1, sizeof *a);
	cJSON *v = event_to_json(e);
	struct buf line;
	buf_init(&line, JSON_LINE_MAX);
	if (!a || !json_line(v, &line)) {
		buf_fini(&line);
		free(a);
		cJSON_Delete(v);
		return;
	}
	cJSON_Delete(v);
	*a = (struct add){.h = h, .line = line.data, .len = line.len};
	pthread_mutex_lock(&h->lock);
	h->users++;
	pthread_mutex_unlock(&h->lock);
	if (diskq_call(h->disk, append_line, a))
		return;
	log_warn("history: the disk does not keep up, an event is left out");
	free(a->line);
	free(a);
	drop(h);
}

/* One line, if it is an event of that check. The text is looked at before it is parsed: most lines are of
 * others. */
static cJSON *wanted(const char *line, size_t len, const char *name, const char *needle)
{
	if (name && !memmem(line, len, needle, strlen(needle)))
		return NULL;
	cJSON *v = json_parse(line, len, JSON_LINE_MAX, NULL);
	if (cJSON_IsObject(v) && (!name || strcmp(json_str(v, "check", ""), name) == 0))
		return v;
	cJSON_Delete(v);
	return NULL;
}

cJSON *evlog_read(const struct evlog *h, const char *name, size_t limit)
{
	cJSON *out = cJSON_CreateArray();
	struct buf all;
	/* as JSON writes it, whatever is in the name */
	cJSON *quoted = cJSON_CreateString(name ? name : "");
	char *needle = cJSON_PrintUnformatted(quoted);
	cJSON_Delete(quoted);
	buf_init(&all, EVLOG_BYTES_MAX);
	if (needle && file_read(h->path, &all)) {
		size_t end = all.len, found = 0;
		while (end > 0 && found < limit) {
			if (all.data[end - 1] == '\n')
				end--;
			const char *nl = memrchr(all.data, '\n', end);
			size_t begin = nl ? (size_t)(nl + 1 - all.data) : 0;
			cJSON *v = wanted(all.data + begin, end - begin, name, needle);
			if (v && cJSON_AddItemToArray(out, v))
				found++;
			end = begin;
		}
	}
	cJSON_free(needle);
	buf_fini(&all);
	return out;
}

/* On the writing thread. */
static void read_for(void *arg)
{
	struct asked *a = arg;
	struct evlog *h = a->h;
	uint64_t one = 1;
	a->events = evlog_read(h, a->name, a->limit);
	pthread_mutex_lock(&h->lock);
	struct asked **last = &h->answers;
	while (*last)
		last = &(*last)->next;
	*last = a;
	pthread_mutex_unlock(&h->lock);
	ssize_t n = write(h->fd, &one, sizeof one);
	(void)n;
	drop(h);
}

bool evlog_ask(struct evlog *h, const char *name, size_t limit, void (*done)(void *arg, cJSON *events),
	       void *arg)
{
	struct asked *a = calloc(1, sizeof *a);
	if (!a || (name && !(a->name = strdup(name)))) {
		free(a);
		return false;
	}
	a->h = h;
	a->limit = limit;
	a->done = done;
	a->arg = arg;
	pthread_mutex_lock(&h->lock);
	h->users++;
	pthread_mutex_unlock(&h->lock);
	if (diskq_call(h->disk, read_for, a))
		return true;
	asked_free(a);
	drop(h);
	return false;
}
