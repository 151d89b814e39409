/*
 * Lists of hosts from elsewhere (`hosts_from`): which there are, what they hold. Called by the loader before
 * checks are expanded. Reading a file and asking the DNS is the programs' part (struct conf_programs), all of
 * them in one go.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "units.h"

enum { SOURCE_BYTES_MAX = 200 };

static const struct conf_setting settings[] = {
    {"refresh", SET_DURATION, offsetof(struct config, lists_ms), 1000, 86400000, "5m"},
    {NULL, 0, 0, 0, 0, NULL},
};

void conf_read_lists_section(struct conf_loader *l)
{
	static const char *const known[] = {"refresh", "resolver"};
	const struct conf_section *sec = &l->sections[SEC_LISTS];
	if (!conf_settings_defaults(settings, l->conf))
		complaint_add(l->c, NULL, NULL, NULL, "out of memory");
	for (size_t i = 0; i < sec->n; i++) {
		const struct node *n = sec->v[i];
		const char *item = conf_item(l, "lists.%s", n->key);
		if (strcmp(n->key, "refresh") == 0)
			conf_setting_read(l, &settings[0], l->conf, n, item);
		else if (strcmp(n->key, "resolver") == 0)
			conf_names(l, n, item, false, &l->conf->resolvers, &l->conf->nresolvers);
		else
			conf_unknown(l, n, item, known, 2);
	}
}

bool conf_list_is_file(const char *source)
{
	return source[0] == '/';
}

/* FNV-1a tells two sources apart whose letters look alike. */
char *conf_list_name(const char *source, char *out, size_t size)
{
	uint64_t h = 0xcbf29ce484222325ULL;
	char plain[64];
	size_t n = 0;
	for (const unsigned char *p = (const unsigned char *)source; *p; p++) {
		bool ok = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
			  *p == '-' || (*p == '.' && n);
		h = (h ^ *p) * 0x100000001b3ULL;
		if (n < sizeof plain - 1)
			plain[n++] = ok ? (char)*p : '_';
	}
	plain[n] = '\0';
	snprintf(out, size, "%s-%016llx", plain, (unsigned long long)h);
	return out;
}

/* --- which there are -------------------------------------------------------------------------------------
 */

static const char *bad_source(const char *s)
{
	if (strlen(s) > SOURCE_BYTES_MAX)
		return "is longer than 200 bytes";
	if (conf_list_is_file(s))
		return strchr(s, '\n') ? "must be one line" : NULL;
	if (strncmp(s, "mx:", 3) != 0)
		return "must be the path of a file that holds a host a line, or mx:DOMAIN";
	return conf_bad_host(s + 3);
}

static const struct conf_list *find(const struct config *conf, const char *source)
{
	for (size_t i = 0; i < conf->nlists; i++)
		if (strcmp(conf->lists[i].source, source) == 0)
			return &conf->lists[i];
	return NULL;
}

static void note(struct conf_loader *l, const struct node *n, const char *item)
{
	struct config *conf = l->conf;
	const char *text = conf_text(l, n, item), *why = text ? bad_source(text) : NULL;
	if (!text || find(conf, text))
		return;
	if (why || conf->nlists == CONF_LISTS_MAX) {
		complaint_add(l->c, &n->at, item, text, "%s",
			      why ? why : "is one list too many; at most 100 are taken");
		return;
	}
	struct conf_list *v = realloc(conf->lists, (conf->nlists + 1) * sizeof *v);
	if (v)
		conf->lists = v;
	if (!v || !(v[conf->nlists].source = strdup(text)))
		return;
	char *source = v[conf->nlists].source;
	v[conf->nlists++] = (struct conf_list){.source = source, .at = n->at};
}

static void note_section(struct conf_loader *l, enum conf_section_id id)
{
	const struct conf_section *sec = &l->sections[id];
	for (size_t i = 0; i < sec->n; i++) {
		const struct node *n = tree_get(sec->v[i], "hosts_from");
		char item[CONF_ITEM_BYTES];
		snprintf(item, sizeof item, "%s.%s.hosts_from", conf_section_names[id], sec->v[i]->key);
		if (!n)
			continue;
		if (n->kind == NODE_MAP || (n->kind == NODE_SEQ && !n->nkids))
			complaint_add(l->c, &n->at, item, NULL,
				      "must be a path, or mx:DOMAIN, or a list of such");
		else if (n->kind == NODE_SCALAR)
			note(l, n, item);
		for (size_t k = 0; n->kind == NODE_SEQ && k < n->nkids; k++)
			note(l, n->kids[k], item);
	}
}

/* --- what they hold ---------------------------------------------------------------------------------------
 */

static void read_lines(struct conf_loader *l, struct conf_hosts *hosts, char *text, const char *path,
		       const char *item)
{
	struct mark at = {path, 0, 1};
	char *line;
	bool ok = true;
	while (ok && (line = strsep(&text, "\n"))) {
		at.line++;
		line[strcspn(line, "#\r")] = '\0';
		line += strspn(line, " \t");
		size_t n = strcspn(line, " \t");
		if (line[n + strspn(line + n, " \t")]) {
			complaint_add(l->c, &at, item, line, "a line holds one host");
			return;
		}
		line[n] = '\0';
		ok = !*line || conf_hosts_add(l, hosts, line, &at, item);
	}
}

/* What could not be had. */
static void miss(struct conf_loader *l, const struct conf_list *k, const struct conf_listed *got,
		 const char *item)
{
	if (conf_list_is_file(k->source)) {
		complaint_add(l->c, &k->at, item, k->source, "cannot be read: %s", got->why);
	} else if (got->answered) {
		complaint_add(l->c, &k->at, item, k->source, "%s", got->why);
	} else {
		complaint_add(&l->conf->warnings, &k->at, item, k->source,
			      "%s, and it was never known: none of its hosts is watched until it is",
			      got->why);
		l->unknown_lists = true;
	}
}

static void take(struct conf_loader *l, struct conf_files *files, struct conf_list *k,
		 struct conf_listed *got)
{
	char name[CONF_LIST_NAME_MAX + 8] = "lists/", item[CONF_ITEM_BYTES];
	snprintf(item, sizeof item, "hosts_from");
	k->path = got->path;
	k->id = got->id;
	got->path = NULL;
	if (!got->ok) {
		miss(l, k, got, item);
		return;
	}
	if (got->why[0])
		complaint_add(&l->conf->warnings, &k->at, item, k->source,
			      "%s; the last known list is in force", got->why);
	conf_list_name(k->source, name + 6, sizeof name - 6);
	struct conf_file *f = conf_files_add(files, k->path, name);
	char *copy = f ? strdup(buf_str(&got->bytes)) : NULL;
	if (!copy || !buf_add(&f->bytes, buf_str(&got->bytes), got->bytes.len)) {
		complaint_add(l->c, &k->at, item, k->source, "out of memory");
		free(copy);
		return;
	}
	k->known = true;
	read_lines(l, &k->hosts, copy, f->path, item);
	free(copy);
	if (!k->hosts.n)
		complaint_add(l->c, &k->at, item, k->source, "names no host");
	conf_hosts_differ(l, &k->hosts, item);
}

void conf_read_lists(struct conf_loader *l, struct conf_files *files)
{
	struct config *conf = l->conf;
	note_section(l, SEC_TEMPLATES);
	note_section(l, SEC_CHECKS);
	struct conf_listed *got = conf->nlists ? calloc(conf->nlists, sizeof *got) : NULL;
	if (!got)
		return;
	for (size_t i = 0; i < conf->nlists; i++) {
		buf_init(&got[i].bytes, CONF_LIST_BYTES_MAX);
		snprintf(got[i].why, sizeof got[i].why, "lists are not read here");
	}
	if (l->programs->lists)
		l->programs->lists(l->programs->arg, conf, got);
	for (size_t i = 0; i < conf->nlists; i++) {
		take(l, files, &conf->lists[i], &got[i]);
		free(got[i].path);
		buf_fini(&got[i].bytes);
	}
	free(got);
}

/* --- for a check -------------------------------------------------------------------------------------------
 */

static bool add_list(struct conf_loader *l, struct conf_hosts *out, const struct node *n, bool *changes)
{
	const struct conf_list *k = n->kind == NODE_SCALAR ? find(l->conf, n->scalar) : NULL;
	*changes = true;
	if (!k || !k->known)
		return k && !conf_list_is_file(k->source); /* else it was said */
	for (size_t i = 0; i < k->hosts.n; i++)
		if (!conf_hosts_add(l, out, k->hosts.v[i].name, &k->hosts.v[i].at, "hosts_from"))
			return false;
	return true;
}

bool conf_hosts_from(struct conf_loader *l, struct conf_hosts *out, const struct node *n, bool *changes)
{
	bool ok = true;
	if (n->kind == NODE_SCALAR)
		return add_list(l, out, n, changes);
	for (size_t i = 0; i < n->nkids && ok; i++)
		ok = add_list(l, out, n->kids[i], changes);
	return ok && n->kind == NODE_SEQ;
}
