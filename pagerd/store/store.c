/*
 * Incidents on disk; see store.h. Called by pager.c before anything that could make a
 * phone ring. The disk is written by a thread of its own, so that one that hangs costs
 * 2 s and not the page; the caller waits for its answer.
 */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "internal.h"
#include "record.h"

/* --- the writer thread ----------------------------------------------------------------------------- */

void store_job_free(struct job *j)
{
	if (!j)
		return;
	buf_fini(&j->data);
	free(j->path);
	free(j);
}

static int write_job(const struct job *j)
{
	return file_write_atomic(j->path, j->data.data, j->data.len, 0640) ? 0 : errno ? errno : EIO;
}

static void *writer(void *arg)
{
	struct store *s = arg;
	pthread_mutex_lock(&s->mutex);
	while (!s->quit) {
		if (!s->job || s->finished) {
			pthread_cond_wait(&s->wake, &s->mutex);
			continue;
		}
		struct job *j = s->job;
		pthread_mutex_unlock(&s->mutex);
		int error = write_job(j);
		pthread_mutex_lock(&s->mutex);
		j->error = error;
		if (s->abandoned) {
			store_job_free(j);
			s->job = NULL;
			s->abandoned = false;
		} else {
			s->finished = true;
			pthread_cond_signal(&s->done);
		}
	}
	pthread_mutex_unlock(&s->mutex);
	return NULL;
}

static struct timespec until(int ms)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	return t;
}

/* Takes the job. 0 or an errno; ETIMEDOUT: no answer in time, or none yet to an earlier one. */
int store_write_through(struct store *s, struct job *j)
{
	if (!s->threaded) {
		int alone = write_job(j);
		store_job_free(j);
		return alone;
	}
	int error = ETIMEDOUT;
	pthread_mutex_lock(&s->mutex);
	if (s->job) {
		store_job_free(j);
	} else {
		struct timespec limit = until(STORE_ANSWER_MS);
		s->job = j;
		pthread_cond_signal(&s->wake);
		while (!s->finished && pthread_cond_timedwait(&s->done, &s->mutex, &limit) == 0)
			;
		if (s->finished) {
			error = j->error;
			store_job_free(j);
			s->job = NULL;
			s->finished = false;
		} else {
			s->abandoned = true;
		}
	}
	pthread_mutex_unlock(&s->mutex);
	return error;
}

static void start_thread(struct store *s)
{
	pthread_condattr_t a;
	pthread_mutex_init(&s->mutex, NULL);
	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &a);
	pthread_cond_init(&s->done, &a);
	pthread_condattr_destroy(&a);
	s->threaded = pthread_create(&s->thread, NULL, writer, s) == 0;
	if (!s->threaded)
		log_warn("no thread for the disk: a slow disk will hold pages up");
}

/* --- opening --------------------------------------------------------------------------------------- */

static bool take_lock(struct store *s, const char *state_dir, char *why, size_t size)
{
	char *path = file_join(state_dir, "lock");
	s->lock = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640) : -1;
	/* a full disk may refuse to make the lock file; that must not keep pages from leaving */
	if (s->lock < 0 && (errno == ENOSPC || errno == EIO || errno == EROFS || errno == EDQUOT)) {
		log_warn("%s: %s; running without a lock", path, strerror(errno));
		free(path);
		return true;
	}
	bool ok = s->lock >= 0 && flock(s->lock, LOCK_EX | LOCK_NB) == 0;
	if (!ok)
		snprintf(why, size, "%s: %s", path ? path : state_dir,
			 errno == EWOULDBLOCK ? "another pagerd runs on this state directory"
					      : strerror(errno));
	free(path);
	return ok;
}

/* Without it there is none. */
static void make_twin(char **dir)
{
	if (!*dir || file_mkdirs(*dir, 0750))
		return;
	log_warn("%s: %s", *dir, strerror(errno));
	free(*dir);
	*dir = NULL;
}

struct store *store_open(const char *state_dir, const char *run_dir, char *why, size_t size)
{
	struct store *s = calloc(1, sizeof *s);
	if (!s) {
		snprintf(why, size, "out of memory");
		return NULL;
	}
	s->lock = -1;
	s->state = strdup(state_dir);
	s->run = run_dir ? strdup(run_dir) : NULL;
	s->dir = file_join(state_dir, "incidents");
	s->bad_dir = file_join(state_dir, "bad");
	s->twin = run_dir ? file_join(run_dir, "incidents") : NULL;
	s->notes = file_join(state_dir, "digests");
	s->notes_twin = run_dir ? file_join(run_dir, "digests") : NULL;
	if (!s->state || !s->dir || !s->bad_dir || !s->notes || !file_mkdirs(state_dir, 0750)) {
		snprintf(why, size, "%s: %s", state_dir, strerror(errno));
		store_close(s);
		return NULL;
	}
	if (!take_lock(s, state_dir, why, size)) {
		store_close(s);
		return NULL;
	}
	if (!file_mkdirs(s->dir, 0750) || !file_mkdirs(s->bad_dir, 0750) || !file_mkdirs(s->notes, 0750))
		log_err("%s: %s; incidents will only be kept in memory and under the run directory", s->dir,
			strerror(errno));
	make_twin(&s->twin);
	make_twin(&s->notes_twin);
	start_thread(s);
	return s;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	if (s->threaded) {
		pthread_mutex_lock(&s->mutex);
		bool stuck = s->job != NULL;
		s->quit = true;
		pthread_cond_signal(&s->wake);
		pthread_mutex_unlock(&s->mutex);
		if (stuck) /* a disk that hangs must not keep us from ending; the process ends in a moment */
			return;
		pthread_join(s->thread, NULL);
		pthread_cond_destroy(&s->wake);
		pthread_cond_destroy(&s->done);
		pthread_mutex_destroy(&s->mutex);
	}
	if (s->lock >= 0)
		close(s->lock);
	free(s->state);
	free(s->run);
	free(s->dir);
	free(s->bad_dir);
	free(s->twin);
	free(s->notes);
	free(s->notes_twin);
	free(s);
}

/* --- names ----------------------------------------------------------------------------------------- */

/* ID-TAG.json: the id is for people, the tag tells two of the same id apart. */
static char *path_of(const char *dir, const struct incident *i)
{
	char name[48];
	snprintf(name, sizeof name, "%s-%016llx.json", i->id, (unsigned long long)incident_tag(i));
	return file_join(dir, name);
}

/* --- saving ---------------------------------------------------------------------------------------- */

static struct job *job_new(char *path, const struct incident *i)
{
	struct job *j = calloc(1, sizeof *j);
	if (!j || !path) {
		free(path);
		free(j);
		return NULL;
	}
	j->path = path;
	buf_init(&j->data, RECORD_MAX);
	cJSON *v = record_make(i);
	bool ok = v && json_line(v, &j->data);
	cJSON_Delete(v);
	if (ok)
		return j;
	store_job_free(j);
	return NULL;
}

static bool save_twin(struct store *s, const struct incident *i)
{
	struct job *j = s->twin ? job_new(path_of(s->twin, i), i) : NULL;
	bool ok = j && file_write_volatile(j->path, j->data.data, j->data.len, 0640);
	store_job_free(j);
	return ok;
}

static void drop_twin(struct store *s, const struct incident *i)
{
	char *path = s->twin ? path_of(s->twin, i) : NULL;
	if (path)
		unlink(path);
	free(path);
}

bool store_save_aside(struct store *s, struct incident *i)
{
	i->rev++;
	i->dirty = false;
	i->owed = true;
	return save_twin(s, i);
}

enum store_where store_save(struct store *s, struct incident *i, char *why, size_t size)
{
	i->rev++;
	i->dirty = false;
	struct job *j = job_new(path_of(s->dir, i), i);
	int error = j ? store_write_through(s, j) : ENOMEM;
	if (error == 0) {
		if (i->owed)
			drop_twin(s, i);
		i->owed = false;
		return STORE_DISK;
	}
	snprintf(why, size, "%s: %s", s->dir,
		 error == ETIMEDOUT ? "the disk gives no answer" : strerror(error));
	i->owed = true;
	return save_twin(s, i) ? STORE_TWIN : STORE_NOWHERE;
}

void store_forget(struct store *s, const struct incident *i)
{
	char *path = path_of(s->dir, i);
	if (path)
		unlink(path);
	free(path);
	drop_twin(s, i);
}
