/*
 * The spool's writing side: one thread writes the spool, a second one the twin. An item goes to the
 * twin when the spool answered an error, or has not taken it within 2 s (a hung disk). An item
 * that neither takes is tried again every second, for as long as it takes. See spool.h, doc/spool.md.
 */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"

enum { QUEUE_MAX = 100000, SLOW_MS = 2000, RETRY_MS = 1000 };

struct item {
	struct item *next;
	char id[sizeof((struct spool_fate *)0)->id];
	struct buf json;
	enum event_kind kind;
	int64_t since;      /* CLOCK_BOOTTIME ms when it was queued */
	int64_t not_before; /* the spool failed: not again before this */
	bool busy[2];       /* a writer holds it: 0 the spool's, 1 the twin's */
	bool failed;        /* the spool said no: the twin's turn */
	bool done;          /* on some disk; freed when nobody is busy with it */
	char why[160];
};

struct fate_node {
	struct fate_node *next;
	struct spool_fate fate;
};

struct spool_writer {
	char *dirs[2];
	pthread_mutex_t mutex;
	pthread_cond_t changed; /* CLOCK_MONOTONIC */
	pthread_t threads[2];
	bool running[2];
	bool stopping;
	struct item *first, **last;
	size_t queued, pending, dropped;
	int64_t answered; /* when the spool last answered, well or badly: a long queue is not a hung disk */
	struct fate_node *fates, **last_fate;
	int fd; /* eventfd: fates wait */
};

struct thread_arg {
	struct spool_writer *w;
	int side;
};

static bool sync_room(const char *dir, const char *room)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/%s", dir, room);
	return file_sync_dir(path);
}

/* write, fsync, rename, fsync the directory; false with errno, and no half file in new/. */
static bool write_event(const char *dir, const char *id, const struct buf *json)
{
	char tmp[PATH_MAX], path[PATH_MAX];
	snprintf(tmp, sizeof tmp, "%s/tmp/%s.%d", dir, id, (int)getpid());
	snprintf(path, sizeof path, "%s/new/%s.json", dir, id);
	int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0 && (errno == EACCES || errno == EPERM)) {
		/* somebody else who may write here has a file of that name */
		snprintf(tmp, sizeof tmp, "%s/tmp/%s.%d.%lld", dir, id, (int)getpid(), (long long)clock_boot_us());
		fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	}
	if (fd < 0)
		return false;
	/* the reader must be able to read it whatever our umask is; nobody but us may change it */
	bool ok = fchmod(fd, 0640) == 0 && file_write_all(fd, json->data, json->len) && fsync(fd) == 0;
	int e = errno;
	if (close(fd) != 0 && ok) {
		ok = false;
		e = errno;
	}
	if (ok && rename(tmp, path) != 0) {
		ok = false;
		e = errno;
	}
	if (!ok) {
		unlink(tmp);
		errno = e;
		return false;
	}
	return sync_room(dir, "new");
}

static void add_fate(struct spool_writer *w, const struct item *it, int where)
{
	struct fate_node *n = calloc(1, sizeof *n);
	if (!n)
		return;
	snprintf(n->fate.id, sizeof n->fate.id, "%s", it->id);
	snprintf(n->fate.why, sizeof n->fate.why, "%s", it->why);
	n->fate.where = where;
	*w->last_fate = n;
	w->last_fate = &n->next;
	uint64_t one = 1;
	ssize_t k = write(w->fd, &one, sizeof one);
	(void)k;
}

/* Unlinks and frees what is done and held by nobody. */
static void sweep(struct spool_writer *w)
{
	struct item **p = &w->first;
	while (*p) {
		struct item *it = *p;
		if (it->done && !it->busy[0] && !it->busy[1]) {
			*p = it->next;
			w->queued--;
			buf_fini(&it->json);
			free(it);
		} else {
			p = &it->next;
		}
	}
	w->last = p;
}

/* What this side should write next; sets *wait_ms to when to look again (-1: when something changes). */
static struct item *pick(struct spool_writer *w, int side, int64_t *wait_ms)
{
	int64_t now = clock_boot_ms();
	*wait_ms = -1;
	for (struct item *it = w->first; it; it = it->next) {
		if (it->done || it->busy[side])
			continue;
		int64_t waiting = it->since > w->answered ? it->since : w->answered;
		int64_t ready = side == 0 ? it->not_before : it->failed ? it->since : waiting + SLOW_MS;
		/* after a failure of the twin too, both pause */
		if (side == 1 && it->not_before > ready && it->failed && it->why[0] == '!')
			ready = it->not_before;
		if (ready <= now)
			return it;
		if (*wait_ms < 0 || ready - now < *wait_ms)
			*wait_ms = ready - now;
	}
	return NULL;
}

static void wait_change(struct spool_writer *w, int64_t ms)
{
	if (ms < 0) {
		pthread_cond_wait(&w->changed, &w->mutex);
		return;
	}
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(&w->changed, &w->mutex, &t);
}

static void settle(struct spool_writer *w, struct item *it, int side, bool ok, int e)
{
	bool first = !it->done;
	it->busy[side] = false;
	if (side == 0)
		w->answered = clock_boot_ms();
	if (ok && first) {
		if (side == 0)
			it->why[0] = '\0';
		else if (!it->why[0])
			snprintf(it->why, sizeof it->why, "%.100s gave no answer for 2 s", w->dirs[0]);
		it->done = true;
		w->pending--;
		add_fate(w, it, side);
	} else if (!ok && first) {
		/* '!': neither side took it */
		snprintf(it->why, sizeof it->why, "%s%.100s: %s", side ? "!" : "", w->dirs[side], strerror(e));
		it->failed = true;
		it->not_before = clock_boot_ms() + RETRY_MS;
		if (side == 1)
			add_fate(w, it, -1);
	}
	sweep(w);
	pthread_cond_broadcast(&w->changed);
}

static void *run(void *arg)
{
	struct thread_arg a = *(struct thread_arg *)arg;
	struct spool_writer *w = a.w;
	free(arg);
	pthread_mutex_lock(&w->mutex);
	while (!w->stopping) {
		int64_t wait_ms;
		struct item *it = pick(w, a.side, &wait_ms);
		if (!it) {
			wait_change(w, wait_ms);
			continue;
		}
		it->busy[a.side] = true;
		pthread_mutex_unlock(&w->mutex);
		bool ok = write_event(w->dirs[a.side], it->id, &it->json);
		char ignored[256];
		/* /run was emptied, or the spool's disk was mounted only now */
		if (!ok && errno == ENOENT && spool_make(w->dirs[a.side], ignored, sizeof ignored))
			ok = write_event(w->dirs[a.side], it->id, &it->json);
		int e = errno;
		pthread_mutex_lock(&w->mutex);
		settle(w, it, a.side, ok, e);
	}
	w->running[a.side] = false;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->mutex);
	return NULL;
}

static bool start_thread(struct spool_writer *w, int side)
{
	struct thread_arg *a = malloc(sizeof *a);
	pthread_attr_t attr;
	if (!a)
		return false;
	*a = (struct thread_arg){ w, side };
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 * 1024);
	w->running[side] = true;
	int e = pthread_create(&w->threads[side], &attr, run, a);
	pthread_attr_destroy(&attr);
	if (e) {
		w->running[side] = false;
		free(a);
	}
	return e == 0;
}

struct spool_writer *spool_writer_new(const char *dir, const char *twin, char *why, size_t size)
{
	/* a spool that cannot be made now (full, read-only) may come back: the twin serves until then */
	char trouble[256], twin_trouble[256];
	bool have = spool_make(dir, trouble, sizeof trouble);
	bool have_twin = twin && spool_make(twin, twin_trouble, sizeof twin_trouble);
	if (!have)
		log_err("spool: %s", trouble);
	if (!have && !have_twin) {
		snprintf(why, size, "%s", trouble);
		return NULL;
	}
	struct spool_writer *w = calloc(1, sizeof *w);
	if (!w) {
		snprintf(why, size, "out of memory");
		return NULL;
	}
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->changed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&w->mutex, NULL);
	w->dirs[0] = strdup(dir);
	w->dirs[1] = twin ? strdup(twin) : NULL;
	w->last = &w->first;
	w->last_fate = &w->fates;
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	bool ok = w->fd >= 0 && start_thread(w, 0) && (!twin || start_thread(w, 1));
	if (!ok) {
		snprintf(why, size, "spool: %s", strerror(errno));
		spool_writer_free(w);
		return NULL;
	}
	return w;
}

/* At the maximum the oldest recovery or notice that nobody holds makes room; a problem never does. */
static void make_room(struct spool_writer *w)
{
	for (struct item *it = w->first; it; it = it->next) {
		if (it->kind == EVENT_PROBLEM || it->done || it->busy[0] || it->busy[1])
			continue;
		it->done = true;
		w->pending--;
		if (w->dropped++ == 0)
			log_err("spool: %d events wait for a disk; the oldest recoveries are given up", QUEUE_MAX);
		break;
	}
	sweep(w);
}

void spool_write(struct spool_writer *w, const struct event *e)
{
	struct item *it = calloc(1, sizeof *it);
	cJSON *v = event_to_json(e);
	if (!it || !v) {
		log_err("spool: out of memory, event of %s is not written", e->check);
		free(it);
		cJSON_Delete(v);
		return;
	}
	event_id(e, it->id, sizeof it->id);
	it->kind = e->kind;
	it->since = clock_boot_ms();
	buf_init(&it->json, JSON_LINE_MAX);
	json_line(v, &it->json);
	cJSON_Delete(v);
	pthread_mutex_lock(&w->mutex);
	if (w->queued >= QUEUE_MAX)
		make_room(w);
	*w->last = it;
	w->last = &it->next;
	w->queued++;
	w->pending++;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->mutex);
}

int spool_writer_fd(const struct spool_writer *w)
{
	return w->fd;
}

bool spool_writer_fate(struct spool_writer *w, struct spool_fate *fate)
{
	pthread_mutex_lock(&w->mutex);
	struct fate_node *n = w->fates;
	if (n) {
		*fate = n->fate;
		w->fates = n->next;
		if (!w->fates)
			w->last_fate = &w->fates;
	} else {
		uint64_t count;
		ssize_t k = read(w->fd, &count, sizeof count);
		(void)k;
	}
	pthread_mutex_unlock(&w->mutex);
	free(n);
	return n != NULL;
}

size_t spool_writer_pending(const struct spool_writer *w)
{
	struct spool_writer *rw = (struct spool_writer *)w;
	pthread_mutex_lock(&rw->mutex);
	size_t n = rw->pending;
	pthread_mutex_unlock(&rw->mutex);
	return n;
}

bool spool_writer_flush(struct spool_writer *w, int ms)
{
	int64_t until = clock_boot_ms() + ms;
	pthread_mutex_lock(&w->mutex);
	while (w->pending && clock_boot_ms() < until)
		wait_change(w, until - clock_boot_ms());
	bool ok = w->pending == 0;
	pthread_mutex_unlock(&w->mutex);
	return ok;
}

static void free_all(struct spool_writer *w)
{
	while (w->first) {
		struct item *next = w->first->next;
		buf_fini(&w->first->json);
		free(w->first);
		w->first = next;
	}
	while (w->fates) {
		struct fate_node *next = w->fates->next;
		free(w->fates);
		w->fates = next;
	}
	if (w->fd >= 0)
		close(w->fd);
	free(w->dirs[0]);
	free(w->dirs[1]);
	free(w);
}

void spool_writer_free(struct spool_writer *w)
{
	if (!w)
		return;
	int64_t until = clock_boot_ms() + 3000;
	pthread_mutex_lock(&w->mutex);
	w->stopping = true;
	pthread_cond_broadcast(&w->changed);
	while ((w->running[0] || w->running[1]) && clock_boot_ms() < until)
		wait_change(w, until - clock_boot_ms());
	bool stuck = w->running[0] || w->running[1];
	bool was[2] = { w->threads[0] != 0, w->threads[1] != 0 };
	pthread_mutex_unlock(&w->mutex);
	/* a thread blocked in the kernel still uses w: leave it behind, the process is about to end */
	if (stuck)
		return;
	for (int i = 0; i < 2; i++)
		if (was[i])
			pthread_join(w->threads[i], NULL);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->mutex);
	free_all(w);
}
