/*
 * The selection of file systems; see disk_select.h. Called by the disk probe. Each file
 * system is looked at once, however often it was asked for or is mounted.
 */
#include "disk_select.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

static bool listed(const struct opt_list *l, const char *a, const char *b)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i], a) == 0 || (b && strcmp(l->v[i], b) == 0))
			return true;
	return false;
}

bool disk_pattern_ok(const char *pattern, char *why, size_t size)
{
	regex_t re;
	int err = regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB);

	if (err)
		regerror(err, &re, why, size);
	else
		regfree(&re);
	return err == 0;
}

static bool matches(const struct opt_list *patterns, int flags, const struct mount *m)
{
	bool yes = false;
	regex_t re;

	for (size_t i = 0; i < patterns->n && !yes; i++) {
		if (regcomp(&re, patterns->v[i], REG_EXTENDED | REG_NOSUB | flags) != 0)
			continue;
		yes = regexec(&re, m->dir, 0, NULL, 0) == 0 || regexec(&re, m->source, 0, NULL, 0) == 0;
		regfree(&re);
	}
	return yes;
}

/* What -X -N -i -I -l say of it, whoever asked for it. */
static bool left_out(const struct disk_select_conf *conf, const struct mount *m)
{
	return listed(&conf->exclude_type, m->type, NULL) ||
	       (conf->include_type.n > 0 && !listed(&conf->include_type, m->type, NULL)) ||
	       matches(&conf->ignore, 0, m) || matches(&conf->ignore_nocase, REG_ICASE, m) ||
	       (m->remote && conf->local);
}

static bool add(struct disk_targets *t, const struct mount *m, const char *asked, bool only_stat)
{
	for (size_t i = 0; m && i < t->n; i++)
		if (t->v[i].mount == m)
			return true;
	struct disk_target *bigger = realloc(t->v, (t->n + 1) * sizeof *bigger);
	if (!bigger)
		return false;
	t->v = bigger;
	t->v[t->n++] = (struct disk_target){ m, asked, only_stat };
	return true;
}

static bool add_path(struct disk_targets *t, const struct mounts *m, const struct disk_select_conf *conf,
		     const char *path, disk_resolve *resolve, void *arg)
{
	const struct mount *found = mounts_exact(m, path);

	if (!found && !conf->exact) {
		char *real = resolve(arg, path);
		found = real ? mounts_holding(m, real) : NULL;
		free(real);
	}
	if (found && left_out(conf, found))
		return true;
	return add(t, found, path, found && found->remote && conf->stat_remote);
}

/* A file system mounted at several places (bind mounts): the first is enough. */
static bool is_repetition(const struct disk_targets *t, const struct mount *m)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].mount && t->v[i].mount->dev_major == m->dev_major &&
		    t->v[i].mount->dev_minor == m->dev_minor)
			return true;
	return false;
}

static bool add_all(struct disk_targets *t, const struct mounts *m, const struct disk_select_conf *conf)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct mount *one = &m->v[i];
		if (one->dummy || one->image || left_out(conf, one) ||
		    listed(&conf->exclude, one->dir, one->source) || is_repetition(t, one))
			continue;
		if (!add(t, one, NULL, one->remote && conf->stat_remote))
			return false;
	}
	return true;
}

bool disk_select(struct disk_targets *t, const struct mounts *m, const struct disk_select_conf *conf,
		 disk_resolve *resolve, void *arg)
{
	bool patterns = conf->match.n > 0 || conf->match_nocase.n > 0;

	memset(t, 0, sizeof *t);
	for (size_t i = 0; i < conf->path.n; i++)
		if (!add_path(t, m, conf, conf->path.v[i], resolve, arg))
			return false;
	for (size_t i = 0; patterns && i < m->n; i++) {
		const struct mount *one = &m->v[i];
		if (one->dummy || left_out(conf, one) || listed(&conf->exclude, one->dir, one->source))
			continue;
		if ((matches(&conf->match, 0, one) || matches(&conf->match_nocase, REG_ICASE, one)) &&
		    !add(t, one, NULL, one->remote && conf->stat_remote))
			return false;
	}
	return conf->path.n > 0 || patterns || add_all(t, m, conf);
}

void disk_targets_fini(struct disk_targets *t)
{
	free(t->v);
	memset(t, 0, sizeof *t);
}
