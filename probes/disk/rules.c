/*
 * The rules of a disk check from its options; see rules.h. Called by the disk probe before a run and in it.
 */
#include "rules.h"

#include <stdlib.h>
#include <string.h>

enum { GIVEN_WARN = 1, GIVEN_CRIT = 4, GIVEN_IWARN = 16, GIVEN_ICRIT = 32 };

struct maker {
	struct disk_rules *rules;
	struct complaints *c;
	struct disk_limits now;
	unsigned given; /* since the last path: the same limit twice in a row is a mistake */
	const char *group;
	size_t segment; /* the first rule behind the last -C */
	bool selected, ok;
};

double disk_conf_unit(const struct disk_conf *conf)
{
	return conf->kilobytes ? 1024.0 : conf->megabytes ? 1048576.0 : disk_unit_bytes(conf->units);
}

const char *disk_conf_unit_name(const struct disk_conf *conf)
{
	return conf->kilobytes ? "kiB" : conf->megabytes ? "MiB" : disk_unit_name(conf->units);
}

static void complain(struct maker *m, const char *name, const char *value, const char *why)
{
	m->ok = false;
	if (m->c)
		complaint_add(m->c, NULL, name, value, "%s", why);
}

static bool limit_set(const struct disk_limit *l)
{
	return l->units.set || l->percent.set;
}

/* What stood before any limit of a kind gets the one that comes. */
static void fill_back(struct maker *m)
{
	for (size_t i = m->segment; i < m->rules->n; i++) {
		struct disk_limits *l = &m->rules->v[i].limits;
		if (!limit_set(&l->warn))
			l->warn = m->now.warn;
		if (!limit_set(&l->crit))
			l->crit = m->now.crit;
		if (!l->iwarn.set)
			l->iwarn = m->now.iwarn;
		if (!l->icrit.set)
			l->icrit = m->now.icrit;
	}
}

static void take_limit(struct maker *m, struct disk_limit *l, unsigned kind, const char *name,
		       const char *value)
{
	const char *why = "";
	unsigned bit = strchr(value, '%') ? kind << 1 : kind;

	if (!disk_limit_add(l, value, !(m->given & bit), &why))
		complain(m, name, value, why);
	m->given |= bit;
	fill_back(m);
}

static void take_inode_limit(struct maker *m, struct range *r, unsigned bit, const char *name,
			     const char *value)
{
	const char *why = "give it once";

	if ((m->given & bit) || !disk_inode_limit_parse(value, r, &why))
		complain(m, name, value, why);
	m->given |= bit;
	fill_back(m);
}

static void add_rule(struct maker *m, enum disk_rule_kind kind, const char *value)
{
	struct disk_rule *v = realloc(m->rules->v, (m->rules->n + 1) * sizeof *v);

	m->selected = true;
	m->given = 0;
	if (!v) {
		m->ok = false;
		return;
	}
	m->rules->v = v;
	v[m->rules->n++] = (struct disk_rule){kind, value, m->group, m->now};
}

static void clear(struct maker *m)
{
	if (!m->selected)
		add_rule(m, DISK_ALL, NULL);
	memset(&m->now, 0, sizeof m->now);
	m->group = NULL;
	m->given = 0;
	m->selected = false;
	m->segment = m->rules->n;
}

static void take_group(struct maker *m, const char *value)
{
	if (m->selected)
		complain(m, "group", value, "must stand before its paths");
	m->group = value;
}

/* One option, whichever way it came. */
static void take(struct maker *m, const char *name, const char *value)
{
	if (strcmp(name, "warning") == 0)
		take_limit(m, &m->now.warn, GIVEN_WARN, name, value);
	else if (strcmp(name, "critical") == 0)
		take_limit(m, &m->now.crit, GIVEN_CRIT, name, value);
	else if (strcmp(name, "iwarning") == 0)
		take_inode_limit(m, &m->now.iwarn, GIVEN_IWARN, name, value);
	else if (strcmp(name, "icritical") == 0)
		take_inode_limit(m, &m->now.icrit, GIVEN_ICRIT, name, value);
	else if (strcmp(name, "group") == 0)
		take_group(m, value);
	else if (strcmp(name, "path") == 0)
		add_rule(m, DISK_PATH, value);
	else if (strcmp(name, "ereg_path") == 0)
		add_rule(m, DISK_MATCH, value);
	else if (strcmp(name, "eregi_path") == 0)
		add_rule(m, DISK_MATCH_NOCASE, value);
	else if (strcmp(name, "all") == 0)
		add_rule(m, DISK_ALL, NULL);
	else
		clear(m);
}

static void take_list(struct maker *m, const char *name, const struct opt_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		take(m, name, l->v[i]);
}

static void take_one(struct maker *m, const char *name, const char *value)
{
	if (value)
		take(m, name, value);
}

static void take_unordered(struct maker *m, const struct disk_conf *conf)
{
	take_list(m, "warning", &conf->warning);
	take_list(m, "critical", &conf->critical);
	take_one(m, "iwarning", conf->iwarning);
	take_one(m, "icritical", conf->icritical);
	take_one(m, "group", conf->group);
	take_list(m, "path", &conf->select.path);
	take_list(m, "ereg_path", &conf->select.match);
	take_list(m, "eregi_path", &conf->select.match_nocase);
}

/* "name=value" as the table noted it. */
static void take_noted(struct maker *m, const char *note)
{
	static const char *const names[] = {"warning", "critical",  "iwarning",	  "icritical", "group",
					    "path",    "ereg_path", "eregi_path", "all",       "clear"};
	size_t n = strcspn(note, "=");

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strlen(names[i]) == n && strncmp(names[i], note, n) == 0)
			take(m, names[i], note + n + 1);
}

bool disk_rules_make(struct disk_rules *r, const struct disk_conf *conf, struct complaints *c)
{
	struct maker m = {.rules = r, .c = c, .ok = true};

	*r = (struct disk_rules){0};
	if (conf->in_order.n == 0)
		take_unordered(&m, conf);
	for (size_t i = 0; i < conf->in_order.n; i++)
		take_noted(&m, conf->in_order.v[i]);
	if (!m.selected)
		add_rule(&m, DISK_ALL, NULL);
	for (size_t i = 0; i < r->n; i++)
		r->v[i].limits.unit = disk_conf_unit(conf);
	return m.ok;
}

void disk_rules_fini(struct disk_rules *r)
{
	free(r->v);
	*r = (struct disk_rules){0};
}
