/*
 * The configuration loader: the only entry for daemons, tests and tools. Files become trees, trees
 * become sections that are merged over all files, sections become struct config; what is then
 * left to ask is asked from the programs (validate.c) and proved (prove.c).
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/file.h"
#include "units.h"

enum { PROGRAM_TIMEOUT_MS = 10000 };

/* --- sections --- */

static void add_section(struct conf_loader *l, const struct node *n, enum conf_section_id id)
{
	struct conf_section *sec = &l->sections[id];
	if (!sec->at.file)
		sec->at = n->key_at;
	if (n->kind == NODE_SCALAR && n->null)
		return; /* "checks:" with nothing below it */
	if (n->kind != NODE_MAP) {
		complaint_add(l->c, &n->at, n->key, NULL, "must be a map");
		return;
	}
	if (!n->nkids)
		return;
	struct node **v = realloc(sec->v, (sec->n + n->nkids) * sizeof(struct node *));
	if (!v) {
		complaint_add(l->c, &n->at, n->key, NULL, "out of memory");
		return;
	}
	memcpy(v + sec->n, n->kids, n->nkids * sizeof(struct node *));
	sec->v = v;
	sec->n += n->nkids;
}

static void take_root(struct conf_loader *l, const struct node *root)
{
	if (root->kind != NODE_MAP) {
		complaint_add(l->c, &root->at, NULL, NULL,
			      "must be a map of sections (checks, lines, contacts ...)");
		l->broken = true;
		return;
	}
	for (size_t i = 0; i < root->nkids; i++) {
		const struct node *n = root->kids[i];
		int id = 0;
		while (id < SECTIONS && strcmp(conf_section_names[id], n->key) != 0)
			id++;
		if (id < SECTIONS)
			add_section(l, n, (enum conf_section_id)id);
		else
			conf_unknown(l, n, n->key, conf_section_names, SECTIONS);
	}
}

struct entry {
	struct node *node;
	size_t order;
};

static int by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int d = strcmp(x->node->key, y->node->key);
	return d ? d : (x->order > y->order) - (x->order < y->order);
}

static void keep_first(struct conf_loader *l, struct conf_section *sec, const char *name, struct entry *v)
{
	size_t first = 0, kept = 0;
	for (size_t i = 1; i < sec->n; i++) {
		if (strcmp(v[first].node->key, v[i].node->key) != 0) {
			first = i;
			continue;
		}
		const struct mark *at = &v[first].node->key_at;
		complaint_add(l->c, &v[i].node->key_at, conf_item(l, "%s.%s", name, v[i].node->key), NULL,
			      "is given twice; the first is at %s:%d:%d", at->file, at->line, at->column);
		sec->v[v[i].order] = NULL;
	}
	for (size_t i = 0; i < sec->n; i++)
		if (sec->v[i])
			sec->v[kept++] = sec->v[i];
	sec->n = kept;
}

/* Of a name that several files give, the first stays and each other is said with both places. */
static void merge(struct conf_loader *l, enum conf_section_id id)
{
	struct conf_section *sec = &l->sections[id];
	if (sec->n < 2)
		return;
	struct entry *v = calloc(sec->n, sizeof(*v));
	if (!v) {
		complaint_add(l->c, &sec->at, conf_section_names[id], NULL, "out of memory");
		return;
	}
	for (size_t i = 0; i < sec->n; i++)
		v[i] = (struct entry){sec->v[i], i};
	qsort(v, sec->n, sizeof(*v), by_key);
	keep_first(l, sec, conf_section_names[id], v);
	free(v);
}

static void parse_files(struct conf_loader *l, struct conf_files *files)
{
	l->broken = files->broken;
	for (size_t i = 0; i < files->n; i++) {
		struct conf_file *f = &files->v[i];
		if (!f->unread)
			f->root = tree_parse(f->path, buf_str(&f->bytes), f->bytes.len, l->c);
		if (f->root)
			take_root(l, f->root);
		else
			l->broken = true;
	}
	for (int i = 0; i < SECTIONS; i++)
		merge(l, (enum conf_section_id)i);
}

static void loader_fini(struct conf_loader *l)
{
	for (int i = 0; i < SECTIONS; i++)
		free(l->sections[i].v);
	for (size_t i = 0; i < l->nnotifiers; i++)
		cJSON_Delete(l->notifiers[i].description);
	cJSON_Delete(l->prober);
	conf_made_free(l);
	free(l->probe_names);
	free(l->check_origins);
	free(l->line_origins);
	free(l->contact_origins);
	free(l);
}

/* --- the order of complaints --- */

struct placed {
	struct complaint c;
	size_t file, order;
};

static int by_place(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->c.line != y->c.line)
		return x->c.line < y->c.line ? -1 : 1;
	if (x->c.column != y->c.column)
		return x->c.column < y->c.column ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

/* They are found step by step; people mend a file from its top. Those without a place come last. */
static void sort_complaints(struct complaints *c, size_t from, const struct conf_files *files)
{
	size_t n = c->n > from ? c->n - from : 0;
	struct placed *v = calloc(n + 1, sizeof(*v));
	for (size_t i = 0; v && i < n; i++) {
		v[i] = (struct placed){c->v[from + i], 0, i};
		while (v[i].file < files->n &&
		       (!v[i].c.file || strcmp(files->v[v[i].file].path, v[i].c.file) != 0))
			v[i].file++;
	}
	if (v)
		qsort(v, n, sizeof(*v), by_place);
	for (size_t i = 0; v && i < n; i++)
		c->v[from + i] = v[i].c;
	free(v);
}

/* --- loading --- */

static void set_libexec(struct config *conf, const char *given, struct complaints *c)
{
	char *dir = file_libexec(given ? given : conf->libexec);
	free(conf->libexec);
	conf->libexec = dir;
	if (!dir)
		complaint_add(c, NULL, "paths.libexec", NULL, "out of memory");
}

static bool is_missing(const struct complaint *c)
{
	return strncmp(c->reason ? c->reason : "", "there is no such check", 22) == 0;
}

/* While lists are unknown, so are the checks they would make: who names one names no mistake. */
static void prove(struct conf_loader *l)
{
	void (*proof)(const struct config *, struct complaints *) = l->programs->unproved ? config_prove_names : config_prove;
	struct complaints said;
	if (!l->unknown_lists) {
		proof(l->conf, l->c);
		return;
	}
	complaints_init(&said);
	proof(l->conf, &said);
	for (size_t i = 0; i < said.n; i++) {
		const struct complaint *k = &said.v[i];
		const struct mark at = {k->file, k->line, k->column};
		if (!is_missing(k))
			complaint_add(l->c, &at, k->item, k->value, "%s", k->reason);
	}
	complaints_fini(&said);
}

static void read_all(struct conf_loader *l, struct conf_files *files, const char *libexec)
{
	parse_files(l, files);
	conf_read_settings(l);
	conf_read_lists_section(l);
	set_libexec(l->conf, libexec, l->c);
	if (!l->conf->libexec)
		return;
	conf_read_periods(l);
	conf_read_oncall(l);
	conf_read_lists(l, files);
	conf_read_remotes(l);
	conf_expand_checks(l);
	merge(l, SEC_CHECKS);
	conf_read_checks(l);
	conf_read_peer(l);
	conf_read_downtimes(l);
	conf_read_incidents(l);
	conf_read_lines(l);
	conf_read_groups(l);
	conf_read_rotas(l);
	conf_read_ladders(l);
	conf_read_sources(l);
	conf_make_index(l->conf);
	conf_validate(l);
	/* what a broken file defines is unknown, not missing: said once, not at every use */
	if (l->broken)
		return;
	conf_expand_members(l);
	conf_check_references(l);
	prove(l);
}

struct config *config_build(struct conf_files *files, const char *libexec,
			    const struct conf_programs *programs, struct complaints *c)
{
	size_t before = c->n + c->dropped, first = c->n;
	struct conf_loader *l = calloc(1, sizeof(*l));
	struct config *conf = calloc(1, sizeof(*conf));
	if (!l || !conf || !files->n) {
		complaint_add(c, NULL, NULL, NULL, "out of memory");
		conf_files_free(files);
		free(l);
		free(conf);
		return NULL;
	}
	l->conf = conf;
	l->c = c;
	l->programs = programs;
	conf->trees = files;
	conf->warnings = files->warnings;
	files->warnings = (struct complaints){.v = NULL};
	conf->source = strdup(files->v[0].path);
	read_all(l, files, libexec);
	conf_files_digest(files, conf->digest, sizeof(conf->digest));
	bool whole = !l->broken && conf->source;
	loader_fini(l);
	sort_complaints(c, first, files);
	sort_complaints(&conf->warnings, 0, files);
	if (whole && c->n + c->dropped == before) {
		for (size_t i = 0; i < files->n; i++)
			if (files->v[i].root) /* a list of hosts has none */
				tree_strip(files->v[i].root);
		return conf;
	}
	config_free(conf);
	return NULL;
}

static bool run_program(void *arg, const char *libexec, const char *program, const char *option,
			const struct buf *input, struct buf *out, char *why, size_t size)
{
	(void)arg;
	char *path = file_join(libexec, program);
	/* 10,000 checks under a slow emulator still fit: 1 ms each is a hundred times what one takes */
	int timeout = PROGRAM_TIMEOUT_MS + (input ? (int)(input->len / 512) : 0);
	bool ok = path && config_run(path, option, input, timeout, out, why, size);
	if (!path)
		snprintf(why, size, "out of memory");
	free(path);
	return ok;
}

static void run_lists(void *arg, const struct config *conf, struct conf_listed *got)
{
	conf_lists_load(conf, *(enum config_lists *)arg, got);
}

static struct config *load(const char *main_file, const char *libexec, enum config_lists how, bool unproved,
			   struct complaints *c)
{
	const struct conf_programs programs = {
	    .run = run_program, .arg = &how, .unproved = unproved, .lists = run_lists};
	struct conf_files *files = conf_files_read(main_file, c);
	return files ? config_build(files, libexec, &programs, c) : NULL;
}

struct config *config_load(const char *main_file, const char *libexec, struct complaints *c)
{
	return load(main_file, libexec, LISTS_KNOWN, false, c);
}

struct config *config_load_lists(const char *main_file, const char *libexec, enum config_lists how, struct complaints *c)
{
	return load(main_file, libexec, how, false, c);
}

struct config *config_load_unproved(const char *main_file, const char *libexec, struct complaints *c)
{
	return load(main_file, libexec, LISTS_KNOWN, true, c);
}
