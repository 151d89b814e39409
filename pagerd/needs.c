/* What routes need, from monitord's status.json; see needs.h. Called by contacts.c. */
#include "needs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/config/config.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"

enum { STATUS_MAX = 16 << 20, LOOK_MS = 2000 };

struct needs {
	const struct config *conf;
	bool (*open)(void *arg, const char *check);
	void *arg;
	struct loop_timer *timer;
	struct stat seen; /* the snapshot that was read */
	struct stamp at;  /* when monitord wrote it */
	bool read;
	bool stale; /* said so */
	char **failing;
	size_t nfailing;
};

static void forget(struct needs *n)
{
	for (size_t i = 0; i < n->nfailing; i++)
		free(n->failing[i]);
	free(n->failing);
	n->failing = NULL;
	n->nfailing = 0;
	n->read = false;
}

static void add_failing(struct needs *n, const char *name)
{
	char **v = realloc(n->failing, (n->nfailing + 1) * sizeof *v);
	if (!v)
		return;
	n->failing = v;
	v[n->nfailing] = strdup(name);
	if (v[n->nfailing])
		n->nfailing++;
}

static void take_snapshot(struct needs *n, const cJSON *v)
{
	const cJSON *check, *checks = cJSON_GetObjectItemCaseSensitive(v, "checks");
	n->read = json_get_stamp(v, "at", &n->at);
	cJSON_ArrayForEach(check, checks)
	{
		const char *name = json_str(check, "name", NULL);
		bool bad =
		    json_bool(check, "problem", false) ||
		    (json_bool(check, "hard", false) && strcmp(json_str(check, "state", "OK"), "OK") != 0);
		if (name && bad)
			add_failing(n, name);
	}
}

static void read_snapshot(struct needs *n, const char *path)
{
	struct buf b;
	buf_init(&b, STATUS_MAX);
	forget(n);
	cJSON *v = file_read(path, &b) ? json_parse(buf_str(&b), b.len, STATUS_MAX, NULL) : NULL;
	if (v)
		take_snapshot(n, v);
	cJSON_Delete(v);
	buf_fini(&b);
}

static bool anything_needed(const struct config *conf)
{
	for (size_t i = 0; i < conf->nlines; i++)
		if (conf->lines[i].nneeds)
			return true;
	for (size_t i = 0; i < conf->ncontacts; i++)
		for (size_t k = 0; k < conf->contacts[i].nroutes; k++)
			if (conf->contacts[i].routes[k].nneeds)
				return true;
	return false;
}

static void note_age(struct needs *n)
{
	struct stamp now = clock_stamp();
	int64_t limit = 3 * n->conf->beat_ms;
	bool stale = !n->read || clock_age_ms(&n->at, &now) > limit;
	if (stale && !n->stale)
		log_notice("monitord's snapshot is %s: what routes need is unknown and counts as good",
			   n->read ? "old" : "missing");
	if (!stale && n->stale)
		log_info("monitord's snapshot is fresh again");
	n->stale = stale;
}

static void look(void *arg)
{
	struct needs *n = arg;
	char path[PATH_MAX];
	struct stat st;
	loop_timer_in(n->timer, LOOK_MS);
	if (!anything_needed(n->conf))
		return;
	snprintf(path, sizeof path, "%s/status.json", n->conf->monitord_run);
	if (stat(path, &st) != 0)
		forget(n);
	else if (!n->read || st.st_ino != n->seen.st_ino || st.st_mtim.tv_sec != n->seen.st_mtim.tv_sec ||
		 st.st_mtim.tv_nsec != n->seen.st_mtim.tv_nsec)
		read_snapshot(n, path);
	n->seen = st;
	note_age(n);
}

void needs_use_conf(struct needs *n, const struct config *conf)
{
	n->conf = conf;
}

struct needs *needs_new(struct event_base *base, const struct config *conf,
			bool (*open)(void *arg, const char *check), void *arg)
{
	struct needs *n = calloc(1, sizeof *n);
	if (!n)
		return NULL;
	n->conf = conf;
	n->open = open;
	n->arg = arg;
	n->timer = loop_timer_new(base, look, n);
	if (!n->timer) {
		free(n);
		return NULL;
	}
	look(n);
	return n;
}

void needs_free(struct needs *n)
{
	if (!n)
		return;
	loop_timer_free(n->timer);
	forget(n);
	free(n);
}

bool needs_failing(struct needs *n, const char *check)
{
	if (n->open(n->arg, check))
		return true;
	for (size_t i = 0; !n->stale && i < n->nfailing; i++)
		if (strcmp(n->failing[i], check) == 0)
			return true;
	return false;
}
