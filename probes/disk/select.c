/*
 * The selection of file systems; see select.h. Called by the disk probe. Each file
 * system is looked at once, however often it was asked for or is mounted.
 */
#include "select.h"

#include <stdlib.h>
#include <string.h>

#include "lib/pattern.h"

static bool listed(const struct opt_list *l, const char *a, const char *b)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i], a) == 0 || (b && strcmp(l->v[i], b) == 0))
			return true;
	return false;
}

static bool match_one(const char *pattern, unsigned flags, const struct mount *m)
{
	struct pattern *p = pattern_new(pattern, flags, NULL, 0);
	bool yes = p && (pattern_finds(p, m->dir, NULL, 0) || pattern_finds(p, m->source, NULL, 0));

	pattern_free(p);
	return yes;
}

static bool matches(const struct opt_list *patterns, unsigned flags, const struct mount *m)
{
	bool yes = false;

	for (size_t i = 0; i < patterns->n && !yes; i++)
		yes = match_one(patterns->v[i], flags, m);
	return yes;
}

/* What -X -N -i -I -l say of it, whoever asked for it. */
static bool left_out(const struct disk_select_conf *conf, const struct mount *m)
{
	return listed(&conf->exclude_type, m->type, NULL) ||
	       (conf->include_type.n > 0 && !listed(&conf->include_type, m->type, NULL)) ||
	       matches(&conf->ignore, 0, m) || matches(&conf->ignore_nocase, PATTERN_NOCASE, m) ||
	       (m->remote && conf->local);
}

/* Of a file system that was chosen before, the later rule counts. */
static bool add(struct disk_targets *t, const struct mount *m, const char *asked,
		const struct disk_rule *rule, bool only_stat)
{
	for (size_t i = 0; m && i < t->n; i++)
		if (t->v[i].mount == m) {
			t->v[i].rule = rule;
			if (!t->v[i].asked)
				t->v[i].asked = asked;
			return true;
		}
	struct disk_target *bigger = realloc(t->v, (t->n + 1) * sizeof *bigger);
	if (!bigger)
		return false;
	t->v = bigger;
	t->v[t->n++] = (struct disk_target){m, asked, rule, only_stat};
	return true;
}

static bool add_path(struct disk_targets *t, const struct mounts *m, const struct disk_select_conf *conf,
		     const struct disk_rule *rule, disk_resolve *resolve, void *arg)
{
	const struct mount *found = mounts_exact(m, rule->value);

	if (!found && !conf->exact) {
		char *real = resolve(arg, rule->value);
		found = real ? mounts_holding(m, real) : NULL;
		free(real);
	}
	if (found && left_out(conf, found))
		return true;
	return add(t, found, rule->value, rule, found && found->remote && conf->stat_remote);
}

/* A file system mounted at several places (bind mounts): the first is enough. */
static bool is_repetition(const struct disk_targets *t, const struct mount *m)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].mount && t->v[i].mount != m && t->v[i].mount->dev_major == m->dev_major &&
		    t->v[i].mount->dev_minor == m->dev_minor)
			return true;
	return false;
}

static bool chosen(const struct disk_targets *t, const struct mount *m, const struct disk_rule *rule)
{
	switch (rule->kind) {
	case DISK_MATCH:
		return match_one(rule->value, 0, m);
	case DISK_MATCH_NOCASE:
		return match_one(rule->value, PATTERN_NOCASE, m);
	default:
		return !m->image && !is_repetition(t, m);
	}
}

static bool add_many(struct disk_targets *t, const struct mounts *m, const struct disk_select_conf *conf,
		     const struct disk_rule *rule)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct mount *one = &m->v[i];
		if (one->dummy || left_out(conf, one) || listed(&conf->exclude, one->dir, one->source) ||
		    !chosen(t, one, rule))
			continue;
		if (!add(t, one, NULL, rule, one->remote && conf->stat_remote))
			return false;
	}
	return true;
}

bool disk_select(struct disk_targets *t, const struct mounts *m, const struct disk_select_conf *conf,
		 const struct disk_rules *rules, disk_resolve *resolve, void *arg)
{
	bool ok = true;

	memset(t, 0, sizeof *t);
	for (size_t i = 0; i < rules->n && ok; i++)
		ok = rules->v[i].kind == DISK_PATH ? add_path(t, m, conf, &rules->v[i], resolve, arg)
						   : add_many(t, m, conf, &rules->v[i]);
	return ok;
}

void disk_targets_fini(struct disk_targets *t)
{
	free(t->v);
	memset(t, 0, sizeof *t);
}
