/* What the disk and its twin hold, read back at start: incidents, notes; what cannot be read goes aside. See store.h. */
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/json.h"
#include "record.h"

struct loading {
	struct store *s;
	struct incident **v;
	size_t n;
	void (*bad)(void *arg, const char *path, const char *why);
	void *arg;
};

static struct incident *read_one(const char *path, char *why, size_t size)
{
	struct buf b;
	const char *reason = NULL;
	struct incident *i = NULL;
	buf_init(&b, RECORD_MAX);
	if (!file_read(path, &b)) {
		snprintf(why, size, "%s", strerror(errno));
	} else {
		cJSON *v = json_parse(buf_str(&b), b.len, RECORD_MAX, &reason);
		if (v)
			i = record_read(v, why, size);
		else
			snprintf(why, size, "%s", reason ? reason : "not JSON");
		cJSON_Delete(v);
	}
	buf_fini(&b);
	return i;
}

/* The oldest of bad/ goes when there are too many. */
static void trim_bad(const char *dir)
{
	char oldest[NAME_MAX + 1] = "";
	time_t age = 0;
	size_t n = 0;
	DIR *d = opendir(dir);
	struct dirent *e;
	while (d && (e = readdir(d))) {
		struct stat st;
		if (e->d_name[0] == '.' || fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (n++ == 0 || st.st_mtime < age) {
			age = st.st_mtime;
			snprintf(oldest, sizeof oldest, "%s", e->d_name);
		}
	}
	if (n > STORE_BAD_KEPT)
		unlinkat(dirfd(d), oldest, 0);
	if (d)
		closedir(d);
}

static void set_aside(struct loading *l, const char *path, const char *name, const char *why)
{
	char moved[PATH_MAX];
	snprintf(moved, sizeof moved, "%s/%lld-%s", l->s->bad_dir, (long long)time(NULL), name);
	bool ok = rename(path, moved) == 0;
	if (ok)
		trim_bad(l->s->bad_dir);
	l->bad(l->arg, ok ? moved : path, why);
}

/* Of the two copies of one incident the newer counts. There is room for one more in l->v. */
static void keep(struct loading *l, struct incident *i, bool twin)
{
	i->owed = twin; /* the disk lacks it */
	for (size_t k = 0; twin && k < l->n; k++) {
		struct incident **old = &l->v[k];
		if ((*old)->opened != i->opened || strcmp((*old)->check, i->check) != 0)
			continue;
		bool newer = i->rev > (*old)->rev;
		incident_free(newer ? *old : i);
		if (newer)
			*old = i;
		return;
	}
	l->v[l->n++] = i;
}

static void take_file(struct loading *l, const char *dir, const char *name, bool twin)
{
	char *path = file_join(dir, name), why[256];
	const char *end = strrchr(name, '.');
	if (!path)
		return;
	if (strstr(name, ".json.tmp")) {
		unlink(path); /* a write that was cut off; the file it was to replace is whole */
	} else if (name[0] != '.' && end && strcmp(end, ".json") == 0) {
		struct incident *i = read_one(path, why, sizeof why);
		struct incident **v = i ? realloc(l->v, (l->n + 1) * sizeof *v) : NULL;
		if (v)
			l->v = v;
		if (!i)
			set_aside(l, path, name, why);
		else if (!v)
			incident_free(i);
		else
			keep(l, i, twin);
	}
	free(path);
}

static void load_dir(struct loading *l, const char *dir, bool twin)
{
	DIR *d = dir ? opendir(dir) : NULL;
	struct dirent *e;
	while (d && (e = readdir(d)))
		take_file(l, dir, e->d_name, twin);
	if (d)
		closedir(d);
}

void store_load(struct store *s, void (*found)(void *arg, struct incident *i),
		void (*bad)(void *arg, const char *path, const char *why), void *arg)
{
	struct loading l = {.s = s, .bad = bad, .arg = arg};
	load_dir(&l, s->dir, false);
	load_dir(&l, s->twin, true);
	for (size_t k = 0; k < l.n; k++)
		found(arg, l.v[k]);
	free(l.v);
}

/* --- notes ----------------------------------------------------------------------------------------- */

static void read_note(struct loading *l, const char *dir, const char *name,
		      void (*found)(void *arg, const char *name, const cJSON *v))
{
	const char *end = strrchr(name, '.'), *reason = "it cannot be read";
	char *path = file_join(dir, name), stem[64];
	struct buf b;
	if (!path || name[0] == '.' || !end || strcmp(end, ".json") != 0 || end - name >= (long)sizeof stem) {
		if (path && strstr(name, ".json.tmp"))
			unlink(path);
		free(path);
		return;
	}
	snprintf(stem, sizeof stem, "%.*s", (int)(end - name), name);
	buf_init(&b, RECORD_MAX);
	cJSON *v = file_read(path, &b) ? json_parse(buf_str(&b), b.len, RECORD_MAX, &reason) : NULL;
	if (v)
		found(l->arg, stem, v);
	else
		set_aside(l, path, name, reason ? reason : "not JSON");
	cJSON_Delete(v);
	buf_fini(&b);
	free(path);
}

void store_notes_load(struct store *s, void (*found)(void *arg, const char *name, const cJSON *v),
		      void (*bad)(void *arg, const char *path, const char *why), void *arg)
{
	struct loading l = {.s = s, .bad = bad, .arg = arg};
	const char *const dirs[] = {s->notes, s->notes_twin};
	for (size_t k = 0; k < 2; k++) {
		DIR *d = dirs[k] ? opendir(dirs[k]) : NULL;
		struct dirent *e;
		while (d && (e = readdir(d)))
			read_note(&l, dirs[k], e->d_name, found);
		if (d)
			closedir(d);
	}
}
