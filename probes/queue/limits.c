/*
 * The limits of each stage: the lines of option stages, and the options that Postfix' queues have of their
 * own. Pure. Called by the queue probe between finding and counting, and when a configuration is checked.
 */
#include <stdio.h>
#include <string.h>

#include "lib/contract/result.h"
#include "queue.h"

static const char *const kind_names[QUEUE_KINDS] = {"waits", "flows", "defers", "holds", "damaged"};

static bool set_range(const char *value, struct range *r, const char **why)
{
	return units_range(value, r, why);
}

static bool set_kind(const char *value, struct queue_stage_line *line, const char **why)
{
	for (int k = 0; k < QUEUE_KINDS; k++) {
		if (strcmp(value, kind_names[k]) != 0)
			continue;
		line->kind_given = true;
		line->kind = (enum queue_kind)k;
		return true;
	}
	*why = "kind must be waits, flows, defers, holds or damaged";
	return false;
}

static bool add_dir(const char *dir, struct queue_stage_line *line, const char **why)
{
	size_t n = strlen(line->dirs);

	if (n + strlen(dir) + 2 > sizeof(line->dirs)) {
		*why = "its directories are too long";
		return false;
	}
	snprintf(line->dirs + n, sizeof(line->dirs) - n, "%s%s", n ? " " : "", dir);
	return true;
}

static bool word(const char *w, struct queue_stage_line *line, const char **why)
{
	struct queue_limits *l = &line->limits;
	const char *value = strchr(w, '=');
	size_t n = value ? (size_t)(value - w) : 0;

	if (w[0] == '/')
		return add_dir(w, line, why);
	if (!value) {
		*why = "holds a word that is neither an absolute directory nor KEY=VALUE";
		return false;
	}
	value++;
#define IS(key) (n == strlen(key) && !memcmp(w, key, n))
	if (IS("w"))
		return set_range(value, &l->warn, why);
	if (IS("c"))
		return set_range(value, &l->crit, why);
	if (IS("growth_w"))
		return set_range(value, &l->growth_warn, why);
	if (IS("growth_c"))
		return set_range(value, &l->growth_crit, why);
	if (IS("oldest_w"))
		return units_duration(value, &l->old_warn, why);
	if (IS("oldest_c"))
		return units_duration(value, &l->old_crit, why);
	if (IS("kind"))
		return set_kind(value, line, why);
#undef IS
	*why = "holds a key that is none of w c growth_w growth_c oldest_w oldest_c kind";
	return false;
}

bool queue_stage_parse(const char *text, struct queue_stage_line *line, const char **why)
{
	char copy[1024], *save = NULL, *w;

	memset(line, 0, sizeof(*line));
	line->limits.old_warn = line->limits.old_crit = -1;
	if (strlen(text) >= sizeof(copy)) {
		*why = "is too long";
		return false;
	}
	memcpy(copy, text, strlen(text) + 1);
	w = strtok_r(copy, " \t", &save);
	if (!w || w[0] == '/' || strchr(w, '=') || strlen(w) >= sizeof(line->name)) {
		*why = "must begin with the stage's name, of at most 31 characters";
		return false;
	}
	snprintf(line->name, sizeof(line->name), "%s", w);
	while ((w = strtok_r(NULL, " \t", &save))) {
		if (!word(w, line, why))
			return false;
	}
	return true;
}

static void merge(struct queue_limits *to, const struct queue_limits *from)
{
	if (from->warn.set)
		to->warn = from->warn;
	if (from->crit.set)
		to->crit = from->crit;
	if (from->growth_warn.set)
		to->growth_warn = from->growth_warn;
	if (from->growth_crit.set)
		to->growth_crit = from->growth_crit;
	if (from->old_warn >= 0)
		to->old_warn = from->old_warn;
	if (from->old_crit >= 0)
		to->old_crit = from->old_crit;
}

static void limit_line(struct queue_seen *s, const char *text, struct result *r)
{
	struct queue_stage_line line;
	const char *why = "";
	int i;

	if (!queue_stage_parse(text, &line, &why))
		return; /* the configuration was checked */
	i = queue_stage_find(s, line.name);
	if (i < 0) {
		result_more(r, "stages: %s has no stage %s", s->mta->title, line.name);
		return;
	}
	merge(&s->stage[i].limits, &line.limits);
	if (line.kind_given)
		s->stage[i].kind = line.kind;
}

void queue_stages_limit(struct queue_seen *s, const struct queue_conf *conf, struct result *r)
{
	for (int q = 0; q < PQ_N; q++) {
		int i = queue_stage_find(s, postfix_queue_name((enum postfix_queue)q));

		if (i < 0)
			continue;
		s->stage[i].limits.warn = conf->warn[q];
		s->stage[i].limits.crit = conf->crit[q];
	}
	/* the limit of corrupt is that of whatever is damaged, as the agent calls it */
	for (size_t i = 0; i < s->stages; i++) {
		if (s->stage[i].kind != QUEUE_DAMAGES)
			continue;
		s->stage[i].limits.warn = conf->warn[PQ_CORRUPT];
		s->stage[i].limits.crit = conf->crit[PQ_CORRUPT];
	}
	for (size_t i = 0; i < conf->stages.n; i++)
		limit_line(s, conf->stages.v[i], r);
}
