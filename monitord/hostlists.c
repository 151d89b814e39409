/* Lists of hosts from elsewhere; see hostlists.h. */
#include "hostlists.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/config/listwatch.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"

enum { LISTS_MAX = 100, LIST_BYTES = 1 << 20, FAILS_MAX = 3, RETRY_MS = 60000, STOP_WAIT_S = 2 };

/* One list of the DNS. */
struct asked {
	char *source, *path;
	int fails;	   /* in a row */
	char trouble[160]; /* why, the last time; "" */
	char changed[200]; /* what changed last */
};

struct hostlists {
	struct super *s;
	void (*reload)(struct super *s);
	void (*trouble)(struct super *s);
	pthread_t thread;
	int fd;
	struct loop_fd *event;
	/* under the lock */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop, changed;
	unsigned generation; /* of the configuration */
	struct asked v[LISTS_MAX];
	size_t n;
	char *libexec, **resolvers;
	size_t nresolvers;
	int64_t every_ms, due_ms;
	struct listwatch *watch;
};

static void drop(struct hostlists *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->v[i].source);
		free(h->v[i].path);
	}
	for (size_t i = 0; i < h->nresolvers; i++)
		free(h->resolvers[i]);
	free(h->resolvers);
	free(h->libexec);
	h->n = h->nresolvers = 0;
	h->resolvers = NULL;
	h->libexec = NULL;
}

/* --- what changed
 * ------------------------------------------------------------------------------------------- */

/* A line of the text, without its newline, is that. */
static bool has_line(const char *text, const char *line, size_t len)
{
	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (strcspn(p, "\n") == len && strncasecmp(p, line, len) == 0)
			return true;
	return false;
}

/* "mx3.example.org is new, mx1.example.org is gone" */
static void differences(const char *a, const char *b, const char *what, char *out, size_t size)
{
	for (const char *p = a; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		size_t len = strcspn(p, "\n"), n = strlen(out);
		if (len && *p != '#' && !has_line(b, p, len))
			snprintf(out + n, size - n, "%s%.*s %s", n ? ", " : "", (int)len, p, what);
	}
}

/* True when the file was another. */
static bool write_list(const struct asked *k, const struct config_answer *a, char *changed, size_t size)
{
	struct buf old;
	buf_init(&old, LIST_BYTES);
	changed[0] = '\0';
	bool had = file_read(k->path, &old);
	bool same = had && strcmp(buf_str(&old), buf_str(&a->bytes)) == 0;
	if (!same) {
		differences(buf_str(&a->bytes), buf_str(&old), "is new", changed, size);
		differences(buf_str(&old), buf_str(&a->bytes), "is gone", changed, size);
		if (!config_list_keep(k->path, &a->bytes))
			log_err("%s: %s: %s", k->source, k->path, strerror(errno));
		else
			log_notice("%s: %s", k->source, changed);
	}
	buf_fini(&old);
	return !same;
}

/* --- the thread
 * --------------------------------------------------------------------------------------------- */

static void tell(struct hostlists *h)
{
	uint64_t one = 1;
	ssize_t n = write(h->fd, &one, sizeof one);
	(void)n;
}

/* Under the lock; the answers are of the configuration that is still in force. */
static void take(struct hostlists *h, struct config_answer *a)
{
	bool bad = false;
	for (size_t i = 0; i < h->n; i++) {
		struct asked *k = &h->v[i];
		char changed[200];
		if (a[i].ok && write_list(k, &a[i], changed, sizeof changed))
			snprintf(k->changed, sizeof k->changed, "%s", changed);
		if (!a[i].ok && !k->fails)
			log_warn("%s: %s; the last known list stays", k->source, a[i].why);
		k->fails = a[i].ok ? 0 : k->fails + 1;
		snprintf(k->trouble, sizeof k->trouble, "%s", a[i].ok ? "" : a[i].why);
		bad |= !a[i].ok;
	}
	int64_t wait = bad && h->every_ms > RETRY_MS ? RETRY_MS : h->every_ms;
	h->due_ms = clock_boot_ms() + wait;
	tell(h);
}

/* Asks with the lock open: all it needs is copied. */
static void ask(struct hostlists *h)
{
	const char *sources[LISTS_MAX];
	char *resolvers[LISTS_MAX], *libexec = strdup(h->libexec);
	size_t n = h->n, nr = h->nresolvers;
	unsigned generation = h->generation;
	struct config_answer *a = calloc(n, sizeof *a);
	for (size_t i = 0; i < n; i++)
		sources[i] = strdup(h->v[i].source);
	for (size_t i = 0; i < nr; i++)
		resolvers[i] = strdup(h->resolvers[i]);
	pthread_mutex_unlock(&h->lock);
	if (a && libexec)
		config_lists_ask(libexec, resolvers, nr, sources, n, a);
	pthread_mutex_lock(&h->lock);
	if (a && libexec && generation == h->generation)
		take(h, a);
	for (size_t i = 0; i < n; i++) {
		if (a)
			buf_fini(&a[i].bytes);
		free((char *)sources[i]);
	}
	for (size_t i = 0; i < nr; i++)
		free(resolvers[i]);
	free(libexec);
	free(a);
}

static void *run(void *arg)
{
	struct hostlists *h = arg;
	pthread_mutex_lock(&h->lock);
	while (!h->stop) {
		struct timespec until;
		if (h->n && clock_boot_ms() >= h->due_ms)
			ask(h);
		const char *what = listwatch_look(h->watch);
		if (what) {
			log_notice("%s: changed, the configuration is loaded again", what);
			h->changed = true;
			tell(h);
		}
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 1;
		if (!h->stop)
			pthread_cond_timedwait(&h->wake, &h->lock, &until);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

static void on_event(void *arg)
{
	struct hostlists *h = arg;
	uint64_t n;
	if (read(h->fd, &n, sizeof n) != sizeof n)
		return;
	pthread_mutex_lock(&h->lock);
	bool changed = h->changed;
	h->changed = false;
	pthread_mutex_unlock(&h->lock);
	h->trouble(h->s);
	if (changed)
		h->reload(h->s);
}

/* --- from the loop
 * ------------------------------------------------------------------------------------------ */

struct hostlists *hostlists_new(struct super *s, void (*reload)(struct super *s),
				void (*trouble)(struct super *s))
{
	struct hostlists *h = calloc(1, sizeof *h);
	if (!h)
		return NULL;
	h->s = s;
	h->reload = reload;
	h->trouble = trouble;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->wake, NULL);
	h->watch = listwatch_new();
	h->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	h->event = h->fd >= 0 ? loop_fd_new(s->base, h->fd, on_event, h) : NULL;
	if (h->watch && h->event && pthread_create(&h->thread, NULL, run, h) == 0)
		return h;
	loop_fd_free(h->event);
	if (h->fd >= 0)
		close(h->fd);
	listwatch_free(h->watch);
	free(h);
	return NULL;
}

static void copy_settings(struct hostlists *h, const struct config *conf)
{
	h->libexec = file_libexec(conf->libexec);
	h->every_ms = conf->lists_ms;
	h->resolvers = calloc(conf->nresolvers + 1, sizeof *h->resolvers);
	for (size_t i = 0; h->resolvers && i < conf->nresolvers && i < LISTS_MAX; i++)
		if ((h->resolvers[h->nresolvers] = strdup(conf->resolvers[i])))
			h->nresolvers++;
}

void hostlists_use(struct hostlists *h, const struct config *conf)
{
	struct asked old[LISTS_MAX];
	pthread_mutex_lock(&h->lock);
	size_t nold = h->n;
	memcpy(old, h->v, nold * sizeof *old);
	h->n = 0;
	drop(h);
	copy_settings(h, conf);
	for (size_t i = 0; i < conf->nlists && h->n < LISTS_MAX; i++) {
		const struct conf_list *k = &conf->lists[i];
		struct asked *a = &h->v[h->n];
		if (k->source[0] == '/' || !k->path)
			continue;
		*a = (struct asked){.fails = 0};
		for (size_t j = 0; j < nold; j++)
			if (strcmp(old[j].source, k->source) == 0)
				*a = old[j];
		a->source = strdup(k->source);
		a->path = strdup(k->path);
		h->n += a->source && a->path;
	}
	for (size_t i = 0; i < nold; i++) {
		free(old[i].source);
		free(old[i].path);
	}
	h->generation++;
	int64_t next = clock_boot_ms() + h->every_ms;
	for (size_t i = 0; i < conf->nlists; i++)
		if (!conf->lists[i].known)
			next = clock_boot_ms() + (h->every_ms < RETRY_MS / 4 ? h->every_ms : RETRY_MS / 4);
	h->due_ms = next;
	listwatch_use(h->watch, conf);
	pthread_mutex_unlock(&h->lock);
}

char *hostlists_trouble(struct hostlists *h, char *out, size_t size)
{
	out[0] = '\0';
	pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].fails >= FAILS_MAX && !out[0])
			snprintf(out, size, "%s: %s, asked %d times; the last known list stays",
				 h->v[i].source, h->v[i].trouble, h->v[i].fails);
	pthread_mutex_unlock(&h->lock);
	return out;
}

cJSON *hostlists_json(struct hostlists *h, const struct config *conf)
{
	cJSON *list = conf->nlists ? cJSON_CreateArray() : NULL;
	pthread_mutex_lock(&h->lock);
	for (size_t i = 0; list && i < conf->nlists; i++) {
		const struct conf_list *k = &conf->lists[i];
		cJSON *o = cJSON_CreateObject();
		cJSON_AddStringToObject(o, "from", k->source);
		cJSON_AddBoolToObject(o, "known", k->known);
		json_add_int(o, "hosts", (int64_t)k->hosts.n);
		for (size_t j = 0; j < h->n; j++)
			if (strcmp(h->v[j].source, k->source) == 0) {
				cJSON_AddStringToObject(o, "changed", h->v[j].changed);
				cJSON_AddStringToObject(o, "trouble", h->v[j].trouble);
			}
		cJSON_AddItemToArray(list, o);
	}
	pthread_mutex_unlock(&h->lock);
	return list;
}

void hostlists_free(struct hostlists *h)
{
	struct timespec until;
	if (!h)
		return;
	loop_fd_free(h->event);
	pthread_mutex_lock(&h->lock);
	h->stop = true;
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->lock);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_WAIT_S;
	if (pthread_timedjoin_np(h->thread, NULL, &until) != 0)
		return; /* it asks, and still uses h; the process is about to end */
	drop(h);
	listwatch_free(h->watch);
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->wake);
	close(h->fd);
	free(h);
}
