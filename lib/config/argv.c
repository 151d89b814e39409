/* Option tables: the command line; see opts.h. */
#include "opts_table.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"

struct argv_state {
	const struct opt *table;
	void *conf;
	int argc, i;
	char **argv;
	struct complaints *c;
	bool seen[OPT_TABLE_MAX];
	bool *help, *version;
	int *verbose;
};

/* An option whose order counts, for the table's list of them. */
static bool note_order(struct argv_state *s, const struct opt *o, const char *value)
{
	const struct opt *list = opt_find(s->table, "in_order");
	struct buf note;
	buf_init(&note, 8192);
	buf_printf(&note, "%s=%s", o->name, value);
	bool ok = list && opt_list_add((struct opt_list *)((char *)s->conf + list->offset), buf_str(&note));
	buf_fini(&note);
	if (!ok)
		complaint_add(s->c, NULL, o->name, value, "more than 256 options whose order counts");
	return ok;
}

/* In argv a relative path means: from here. */
static bool set_from_argv(struct argv_state *s, const struct opt *o, const char *value)
{
	char absolute[PATH_MAX * 2], here[PATH_MAX];
	size_t k = (size_t)(o - s->table);
	if (k < OPT_TABLE_MAX && !s->seen[k]) {
		s->seen[k] = true;
		opt_field_free(o, s->conf);
	}
	bool path = o->type == OPT_PATH || (o->type == OPT_SECRET && strncmp(value, "credential:", 11) != 0);
	if (path && value[0] && value[0] != '/' && getcwd(here, sizeof here)) {
		snprintf(absolute, sizeof absolute, "%s/%s", here, value);
		value = absolute;
	}
	return opt_set_one(o, s->conf, value, NULL, s->c) && (!(o->flags & OPT_ORDERED) || note_order(s, o, value));
}

static bool common_flag(struct argv_state *s, const char *name)
{
	if (strcmp(name, "help") == 0 || strcmp(name, "h") == 0)
		*s->help = true;
	else if (strcmp(name, "version") == 0 || strcmp(name, "V") == 0)
		*s->version = true;
	else if (strcmp(name, "verbose") == 0 || strcmp(name, "v") == 0)
		++*s->verbose;
	else
		return false;
	return true;
}

/* What monitoring-plugins call it, where the table has no such name: command definitions are taken over as they are. */
static const struct opt *find_alias(const struct opt *table, const char *name)
{
	static const char *const names[][2] = {
		{ "hostname", "host" }, { "server", "resolver" }, { "IP_address", "address" }, { "ssl", "tls" },
		{ "partition", "path" }, { "ereg_partition", "ereg_path" }, { "eregi_partition", "eregi_path" },
		{ "ignore_ereg_partition", "ignore_ereg_path" }, { "ignore_eregi_partition", "ignore_eregi_path" },
		{ "exclude", "exclude_device" }
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i][0], name) == 0)
			return opt_find(table, names[i][1]);
	return NULL;
}

static bool long_option(struct argv_state *s, const char *arg)
{
	char name[96], shown[100];
	size_t n = strcspn(arg, "=");
	const char *value = arg[n] == '=' ? arg + n + 1 : NULL;
	snprintf(name, sizeof name, "%.*s", (int)n, arg);
	for (char *p = name; *p; p++)
		*p = *p == '-' ? '_' : *p;
	const struct opt *o = opt_find(s->table, name);
	if (!o)
		o = find_alias(s->table, name);
	if (!o && !value && common_flag(s, name))
		return true;
	if (!o && strcmp(name, "extra_opts") == 0) {
		complaint_add(s->c, NULL, name, value, "not taken: write out what that file says");
		return false;
	}
	if (!o || (o->flags & OPT_CONF_ONLY)) {
		snprintf(shown, sizeof shown, "%.90s", name);
		for (char *p = shown; *p; p++)
			*p = *p == '_' ? '-' : *p;
		opt_unknown(s->table, shown, "--", NULL, s->c);
		return false;
	}
	if (!value && o->type == OPT_BOOL)
		value = "yes";
	if (!value && s->i < s->argc)
		value = s->argv[s->i++];
	if (!value) {
		complaint_add(s->c, NULL, o->name, NULL, "needs a value");
		return false;
	}
	return set_from_argv(s, o, value);
}

static bool short_options(struct argv_state *s, const char *arg)
{
	for (; *arg; arg++) {
		char letter[2] = { *arg, '\0' };
		const struct opt *o = s->table;
		while (o->name && o->letter != *arg)
			o++;
		if (!o->name) {
			if (common_flag(s, letter))
				continue;
			complaint_add(s->c, NULL, "option", letter, "unknown; see --help");
			return false;
		}
		if (o->type == OPT_BOOL) {
			if (!set_from_argv(s, o, "yes"))
				return false;
			continue;
		}
		const char *value = arg[1] ? arg + 1 : s->i < s->argc ? s->argv[s->i++] : NULL;
		if (!value) {
			complaint_add(s->c, NULL, o->name, NULL, "-%c needs a value", *arg);
			return false;
		}
		return set_from_argv(s, o, value);
	}
	return true;
}

bool opts_from_argv(const struct opt *table, void *conf, int argc, char **argv, struct complaints *c, bool *help,
		    bool *version, int *verbose)
{
	struct argv_state s = { .table = table, .conf = conf, .argc = argc, .i = 1, .argv = argv, .c = c,
				.help = help,	.version = version, .verbose = verbose };
	size_t before = c->n + c->dropped;
	*help = *version = false;
	*verbose = 0;
	while (s.i < argc) {
		const char *arg = argv[s.i++];
		if (strcmp(arg, "--") == 0 && s.i == argc)
			break;
		if (arg[0] == '-' && arg[1] == '-' && arg[2])
			long_option(&s, arg + 2);
		else if (arg[0] == '-' && arg[1] && arg[1] != '-')
			short_options(&s, arg + 1);
		else if (arg[0]) /* an empty one is what is left of an argument that a command definition has and a service has not */
			complaint_add(c, NULL, "argument", arg, "unexpected; every value needs its option");
	}
	if (!*help && !*version)
		opt_demand_required(table, s.seen, OPT_CONF_ONLY, "--", c);
	return c->n + c->dropped == before;
}
