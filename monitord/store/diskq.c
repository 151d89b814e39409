/* The writing thread; see diskq.h. Used by state.c and evlog.c. */
#include "diskq.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/file.h"

enum { AGAIN_MS = 5000 };

enum kind { PUT, CALL, REMOVE };

struct job {
	struct job *next;
	enum kind kind;
	uint64_t ticket;
	char key[EVENT_NAME_MAX];
	char *path, *twin;
	char *data;
	size_t len;
	void (*f)(void *arg);
	void *arg;
	int64_t again_ms; /* a failed write: not before */
	bool failed;
};

struct told {
	struct told *next;
	struct diskq_fate fate;
};

struct diskq {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake, idle;
	struct job *first, **last;
	struct told *told, **told_last;
	uint64_t ticket;
	size_t calls;
	bool busy, stop, twins; /* twins: some twin may exist */
	int fd;
};

static void job_free(struct job *j)
{
	free(j->path);
	free(j->twin);
	free(j->data);
	free(j);
}

static void tell(struct diskq *q, const struct job *j, enum diskq_where where, const char *why)
{
	struct told *t = calloc(1, sizeof *t);
	if (!t)
		return;
	t->fate = (struct diskq_fate){.ticket = j->ticket, .where = where};
	snprintf(t->fate.key, sizeof t->fate.key, "%s", j->key);
	snprintf(t->fate.why, sizeof t->fate.why, "%s", why);
	pthread_mutex_lock(&q->lock);
	*q->told_last = t;
	q->told_last = &t->next;
	pthread_mutex_unlock(&q->lock);
	uint64_t one = 1;
	ssize_t n = write(q->fd, &one, sizeof one);
	(void)n;
}

static void append(struct diskq *q, struct job *j)
{
	*q->last = j;
	q->last = &j->next;
}

/* Takes j out of the queue; before points at the link to it. */
static struct job *unlink_job(struct diskq *q, struct job **before)
{
	struct job *j = *before;
	*before = j->next;
	if (q->last == &j->next)
		q->last = before;
	j->next = NULL;
	return j;
}

/* Puts a failed write back, unless a newer version of the file already waits. True when it waits on. */
static bool put_back(struct diskq *q, struct job *j)
{
	pthread_mutex_lock(&q->lock);
	bool newer = false;
	for (struct job *o = q->first; o && !newer; o = o->next)
		newer = o->path && strcmp(o->path, j->path) == 0;
	if (!newer) {
		j->failed = true;
		j->again_ms = clock_boot_ms() + AGAIN_MS;
		append(q, j);
	}
	pthread_mutex_unlock(&q->lock);
	return !newer;
}

/* A directory that is not there (the disk was mounted only now) is made. */
static bool write_file(const struct job *j)
{
	if (file_write_atomic(j->path, j->data, j->len, 0600))
		return true;
	char *slash = errno == ENOENT ? strrchr(j->path, '/') : NULL;
	if (!slash)
		return false;
	*slash = '\0';
	bool made = file_mkdirs(j->path, 0750);
	*slash = '/';
	return made && file_write_atomic(j->path, j->data, j->len, 0600);
}

/* Returns true when the job is done with. */
static bool put(struct diskq *q, struct job *j)
{
	char why[160] = "";
	if (write_file(j)) {
		if (j->twin && q->twins)
			unlink(j->twin);
		tell(q, j, DISKQ_DURABLE, "");
		return true;
	}
	snprintf(why, sizeof why, "%s", strerror(errno));
	bool twin = j->twin && file_write_volatile(j->twin, j->data, j->len, 0600);
	if (twin)
		q->twins = true;
	if (!j->failed)
		tell(q, j, twin ? DISKQ_TWIN : DISKQ_NOWHERE, why);
	return !put_back(q, j);
}

static void run(struct diskq *q, struct job *j)
{
	bool done = true;
	if (j->kind == PUT) {
		done = put(q, j);
	} else if (j->kind == CALL) {
		j->f(j->arg);
	} else {
		unlink(j->path);
		if (j->twin)
			unlink(j->twin);
	}
	if (done)
		job_free(j);
}

/* The first job whose time has come, taken out; NULL and how long to wait (-1: until woken). Locked. */
static struct job *take(struct diskq *q, int64_t *wait_ms)
{
	int64_t now = clock_boot_ms();
	*wait_ms = -1;
	for (struct job **b = &q->first; *b; b = &(*b)->next) {
		int64_t wait = (*b)->again_ms - now;
		if (wait <= 0 || q->stop)
			return unlink_job(q, b);
		if (*wait_ms < 0 || wait < *wait_ms)
			*wait_ms = wait;
	}
	return NULL;
}

static void nap(struct diskq *q, int64_t ms)
{
	if (ms < 0) {
		pthread_cond_wait(&q->wake, &q->lock);
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
	pthread_cond_timedwait(&q->wake, &q->lock, &t);
}

static void *writer(void *arg)
{
	struct diskq *q = arg;
	pthread_mutex_lock(&q->lock);
	while (!q->stop) {
		int64_t wait;
		struct job *j = take(q, &wait);
		if (!j) {
			q->busy = false;
			pthread_cond_broadcast(&q->idle);
			nap(q, wait);
			continue;
		}
		q->busy = true;
		if (j->kind == CALL)
			q->calls--;
		pthread_mutex_unlock(&q->lock);
		run(q, j);
		pthread_mutex_lock(&q->lock);
	}
	q->busy = false;
	pthread_cond_broadcast(&q->idle);
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

struct diskq *diskq_new(void)
{
	struct diskq *q = calloc(1, sizeof *q);
	if (!q)
		return NULL;
	q->last = &q->first;
	q->told_last = &q->told;
	q->twins = true;
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->wake, &attr);
	pthread_cond_init(&q->idle, &attr);
	pthread_condattr_destroy(&attr);
	q->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 256 * 1024);
	bool ok = q->fd >= 0 && pthread_create(&q->thread, &small, writer, q) == 0;
	pthread_attr_destroy(&small);
	if (!ok) {
		if (q->fd >= 0)
			close(q->fd);
		free(q);
		return NULL;
	}
	return q;
}

static struct job *job_new(enum kind kind, const char *path, const char *twin)
{
	struct job *j = calloc(1, sizeof *j);
	if (!j)
		return NULL;
	j->kind = kind;
	j->path = path ? strdup(path) : NULL;
	j->twin = twin ? strdup(twin) : NULL;
	if ((path && !j->path) || (twin && !j->twin)) {
		job_free(j);
		return NULL;
	}
	return j;
}

/* Whatever waits for this path is out of date. Locked. */
static void forget(struct diskq *q, const char *path)
{
	struct job **b = &q->first;
	while (*b) {
		if ((*b)->kind != CALL && strcmp((*b)->path, path) == 0)
			job_free(unlink_job(q, b));
		else
			b = &(*b)->next;
	}
}

static uint64_t submit(struct diskq *q, struct job *j)
{
	pthread_mutex_lock(&q->lock);
	uint64_t ticket = j->ticket = ++q->ticket;
	if (j->kind != CALL)
		forget(q, j->path);
	append(q, j);
	q->busy = true;
	pthread_cond_signal(&q->wake);
	pthread_mutex_unlock(&q->lock);
	return ticket;
}

uint64_t diskq_put(struct diskq *q, const char *key, const char *path, const char *twin, char *data,
		   size_t len)
{
	struct job *j = job_new(PUT, path, twin);
	if (!j) {
		free(data);
		return UINT64_MAX; /* never durable: whoever waits for it is served by the time limit */
	}
	snprintf(j->key, sizeof j->key, "%s", key);
	j->data = data;
	j->len = len;
	return submit(q, j);
}

bool diskq_call(struct diskq *q, void (*f)(void *arg), void *arg)
{
	struct job *j = job_new(CALL, NULL, NULL);
	if (!j)
		return false;
	j->f = f;
	j->arg = arg;
	pthread_mutex_lock(&q->lock);
	bool room = q->calls < DISKQ_CALLS_MAX;
	if (room)
		q->calls++;
	pthread_mutex_unlock(&q->lock);
	if (!room) {
		job_free(j);
		return false;
	}
	submit(q, j);
	return true;
}

void diskq_remove(struct diskq *q, const char *path, const char *twin)
{
	struct job *j = job_new(REMOVE, path, twin);
	if (j)
		submit(q, j);
}

int diskq_fd(const struct diskq *q)
{
	return q->fd;
}

bool diskq_fate(struct diskq *q, struct diskq_fate *fate)
{
	pthread_mutex_lock(&q->lock);
	struct told *t = q->told;
	if (t) {
		q->told = t->next;
		if (!q->told)
			q->told_last = &q->told;
	} else {
		uint64_t n;
		ssize_t got = read(q->fd, &n, sizeof n);
		(void)got;
	}
	pthread_mutex_unlock(&q->lock);
	if (!t)
		return false;
	*fate = t->fate;
	free(t);
	return true;
}

bool diskq_flush(struct diskq *q, int ms)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	int e = 0;
	pthread_mutex_lock(&q->lock);
	while (q->busy && e == 0)
		e = pthread_cond_timedwait(&q->idle, &q->lock, &t);
	/* what failed and waits for its next try is not written */
	bool clean = !q->busy && !q->first;
	pthread_mutex_unlock(&q->lock);
	return clean;
}

void diskq_free(struct diskq *q)
{
	if (!q)
		return;
	pthread_mutex_lock(&q->lock);
	bool stuck = q->busy;
	q->stop = true;
	pthread_cond_signal(&q->wake);
	pthread_mutex_unlock(&q->lock);
	if (stuck) { /* in a write that does not end: what it still uses stays */
		pthread_detach(q->thread);
		return;
	}
	pthread_join(q->thread, NULL);
	while (q->first)
		job_free(unlink_job(q, &q->first));
	while (q->told) {
		struct told *t = q->told;
		q->told = t->next;
		free(t);
	}
	close(q->fd);
	pthread_mutex_destroy(&q->lock);
	pthread_cond_destroy(&q->wake);
	pthread_cond_destroy(&q->idle);
	free(q);
}
