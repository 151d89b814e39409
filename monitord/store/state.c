/* Records on disk; see state.h. Called by the core. */
#include "state.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "evlog.h"
#include "record.h"

enum { BAD_KEPT = 20 };

/* A disk that is sick now may recover: until then there is the twin. */
static bool make_dir(const char *dir)
{
	if (dir && file_mkdirs(dir, 0750))
		return true;
	log_err("%s: %s", dir ? dir : "state", strerror(errno));
	return false;
}

bool state_init(struct state *s, const char *state_dir, const char *run_dir, struct diskq *disk, char *why,
		size_t size)
{
	*s = (struct state){.dir = file_join(state_dir, "checks"),
			    .twin = file_join(run_dir, "state"),
			    .bad = file_join(state_dir, "bad"),
			    .disk = disk};
	bool main_dir = make_dir(s->dir), twin = make_dir(s->twin);
	make_dir(s->bad);
	snprintf(why, size, "neither %s nor %s can be made", state_dir, s->twin ? s->twin : run_dir);
	return s->dir && s->bad && (main_dir || twin);
}

void state_fini(struct state *s)
{
	free(s->dir);
	free(s->twin);
	free(s->bad);
	*s = (struct state){0};
}

/* The event id of change 0 without its number is a name that is safe for files. */
static bool path_of(const char *dir, const struct check *c, char *out, size_t size)
{
	struct event e = {0};
	char stem[EVENT_NAME_MAX * 3 + 24];
	memcpy(e.check, c->name, sizeof e.check);
	event_id(&e, stem, sizeof stem);
	char *at = strrchr(stem, '@');
	if (at)
		*at = '\0';
	return snprintf(out, size, "%s/%s.json", dir, stem) < (int)size;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The oldest of what was set aside goes; names begin with the time. */
static void trim_bad(const char *dir)
{
	DIR *d = opendir(dir);
	char *names[1000], path[PATH_MAX];
	size_t n = 0;
	struct dirent *e;
	while (d && n < 1000 && (e = readdir(d)))
		if (e->d_name[0] != '.' && (names[n] = strdup(e->d_name)))
			n++;
	if (d)
		closedir(d);
	qsort(names, n, sizeof *names, by_name);
	for (size_t i = 0; i < n; i++) {
		if (i + BAD_KEPT < n &&
		    snprintf(path, sizeof path, "%s/%s", dir, names[i]) < (int)sizeof path)
			unlink(path);
		free(names[i]);
	}
}

static void set_aside(const struct state *s, const char *path, char *why, size_t size)
{
	char to[PATH_MAX], reason[160];
	const char *name = strrchr(path, '/') + 1;
	snprintf(reason, sizeof reason, "%s", why);
	if (snprintf(to, sizeof to, "%s/%013lld-%s", s->bad, (long long)clock_wall_ms(), name) >=
		(int)sizeof to ||
	    rename(path, to) != 0)
		snprintf(why, size, "its record %s cannot be read (%s)", path, reason);
	else
		snprintf(why, size, "its record cannot be read (%s) and was set aside as %s", reason, to);
	trim_bad(s->bad);
}

/* -1: unreadable, why says so; 0: none there; 1: read into a fresh check. */
static int read_into(struct check *c, const char *path, char *why, size_t size)
{
	struct buf b;
	buf_init(&b, RECORD_MAX);
	int r = 1;
	if (!file_read(path, &b)) {
		r = errno == ENOENT ? 0 : -1;
		snprintf(why, size, "%s", strerror(errno));
	} else if (!record_decode(c, b.data ? b.data : "", b.len, why, size)) {
		r = -1;
	}
	buf_fini(&b);
	return r;
}

/* Takes the twin's content when that is the newer one. */
static bool prefer_twin(struct check *c, int have, const char *twin)
{
	char why[160];
	struct check *other = check_new(c->name, c->kind);
	if (!other)
		return false;
	other->conf = c->conf;
	bool taken =
	    read_into(other, twin, why, sizeof why) == 1 && (have != 1 || other->generation > c->generation);
	if (taken) {
		struct check fresh = *other;
		/* what stays is c's place in the world; the rest changes hands */
		struct check old = *c;
		c->judge = fresh.judge;
		c->flapping = fresh.flapping;
		c->downtime = fresh.downtime;
		c->recurred_ms = fresh.recurred_ms;
		c->generation = fresh.generation;
		c->has_run = fresh.has_run;
		c->last_run = fresh.last_run;
		c->was_blocked = fresh.was_blocked;
		memcpy(c->layer, fresh.layer, sizeof c->layer);
		c->text = fresh.text, other->text = old.text;
		c->more = fresh.more, other->more = old.more;
		c->blob = fresh.blob, other->blob = old.blob;
		c->out = fresh.out, other->out = old.out;
		c->out_last = c->out ? fresh.out_last : &c->out;
		c->nout = fresh.nout;
	}
	check_free(other);
	return taken;
}

/* What the history still tells of a check whose record is lost: whether a problem is open, and the last
 * number. */
static void from_history(struct check *c, const struct evlog *h)
{
	cJSON *list = evlog_read(h, c->name, 1);
	struct event e;
	char why[160];
	if (event_from_json(&e, cJSON_GetArrayItem(list, 0), c->name, why, sizeof why)) {
		struct judge *j = &c->judge;
		if (e.change > j->change)
			j->change = e.change;
		/* a notice within a problem that flaps: the problem is open */
		if (e.kind == EVENT_PROBLEM || (e.kind == EVENT_NOTICE && e.flapping)) {
			j->ever = j->said = true;
			j->state = j->hard = j->said_state = e.state;
			j->measured = j->hard_measured = j->said_measured = e.measured;
			j->said_suppressed = e.suppressed;
			/* better a recovery too many than an incident that never ends */
			j->paged = true;
			j->opened = e.opened;
			j->since = e.since;
		}
		event_fini(&e);
	}
	cJSON_Delete(list);
}

enum state_found state_load(struct state *s, struct check *c, const struct evlog *h, char *why, size_t size)
{
	char path[PATH_MAX], twin[PATH_MAX];
	why[0] = '\0';
	if (!path_of(s->dir, c, path, sizeof path) || !path_of(s->twin, c, twin, sizeof twin))
		return STATE_NEW;
	int have = read_into(c, path, why, size);
	if (have < 0)
		set_aside(s, path, why, size);
	if (prefer_twin(c, have, twin))
		have = have < 0 ? have : 1;
	else if (have <= 0)
		c->judge.change = (uint64_t)clock_wall_ms();
	if (have < 0 && c->generation == 0) {
		from_history(c, h);
		return STATE_LOST;
	}
	return have == 0 ? STATE_NEW : STATE_KNOWN;
}

void state_save(struct state *s, struct check *c)
{
	char path[PATH_MAX], twin[PATH_MAX];
	size_t len = 0;
	c->generation++;
	c->dirty = false;
	char *text = record_encode(c, &len);
	if (!text || !path_of(s->dir, c, path, sizeof path) || !path_of(s->twin, c, twin, sizeof twin)) {
		free(text);
		log_err("%s: its record cannot be made (larger than %d bytes, or no memory)", c->name,
			RECORD_MAX);
		c->ticket++; /* served by the time limit */
		return;
	}
	c->ticket = diskq_put(s->disk, c->name, path, twin, text, len);
}

void state_save_twin(struct state *s, struct check *c)
{
	char twin[PATH_MAX];
	size_t len = 0;
	char *text = record_encode(c, &len);
	if (text && path_of(s->twin, c, twin, sizeof twin) && !file_write_volatile(twin, text, len, 0600))
		log_err("%s: %s", twin, strerror(errno));
	free(text);
}

void state_forget(struct state *s, const struct check *c)
{
	char path[PATH_MAX], twin[PATH_MAX];
	if (path_of(s->dir, c, path, sizeof path) && path_of(s->twin, c, twin, sizeof twin))
		diskq_remove(s->disk, path, twin);
}
