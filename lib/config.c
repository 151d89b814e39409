/*
 * The configuration loader: the only entry for daemons, tests and tools. Files become trees, trees
 * become sections that are merged over all files, sections become struct config; what is then
 * left to ask is asked from the programs (config_validate.c) and proved (config_prove.c).
 */
#include "config_internal.h"

#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "units.h"

enum { PROGRAM_TIMEOUT_MS = 10000 };

const char *const conf_section_names[SECTIONS] = {"paths",  "probers", "deadman",  "history",    "defaults",
						  "checks", "lines",   "contacts", "last_resort"};

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

/* --- looking up --- */

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct conf_check *const *)a)->name,
		      (*(const struct conf_check *const *)b)->name);
}

/* With 10,000 checks a search along the list would be felt. */
static void make_index(struct config *conf)
{
	const struct conf_check **v = calloc(conf->nchecks + 1, sizeof(*v));
	if (!v)
		return;
	for (size_t i = 0; i < conf->nchecks; i++)
		v[i] = &conf->checks[i];
	qsort(v, conf->nchecks, sizeof(*v), by_name);
	conf->index = v;
}

const struct conf_check *config_check(const struct config *conf, const char *name)
{
	if (!conf->index) {
		for (size_t i = 0; i < conf->nchecks; i++)
			if (strcmp(conf->checks[i].name, name) == 0)
				return &conf->checks[i];
		return NULL;
	}
	const struct conf_check *const *v = conf->index;
	for (size_t low = 0, high = conf->nchecks; low < high;) {
		size_t mid = (low + high) / 2;
		int d = strcmp(name, v[mid]->name);
		if (d == 0)
			return v[mid];
		if (d < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const struct conf_line *config_line(const struct config *conf, const char *name)
{
	for (size_t i = 0; i < conf->nlines; i++)
		if (strcmp(conf->lines[i].name, name) == 0)
			return &conf->lines[i];
	return NULL;
}

const struct conf_contact *config_contact(const struct config *conf, const char *name)
{
	for (size_t i = 0; i < conf->ncontacts; i++)
		if (strcmp(conf->contacts[i].name, name) == 0)
			return &conf->contacts[i];
	return NULL;
}

/* --- the end of things --- */

static void free_names(char **v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i]);
	free(v);
}

static void free_check(struct conf_check *k)
{
	free_names(k->parents, k->nparents);
	free_names(k->contacts, k->ncontacts);
	cJSON_Delete(k->options);
}

static void free_paths(struct config *conf)
{
	free(conf->spool);
	free(conf->spool_twin);
	free(conf->monitord_state);
	free(conf->pagerd_state);
	free(conf->monitord_run);
	free(conf->pagerd_run);
	free(conf->libexec);
	free(conf->prober_net_socket);
	free(conf->prober_local_socket);
	free(conf->source);
}

void config_free(struct config *conf)
{
	if (!conf)
		return;
	free_paths(conf);
	for (size_t i = 0; i < conf->nchecks; i++)
		free_check(&conf->checks[i]);
	for (size_t i = 0; i < conf->nlines; i++) {
		cJSON_Delete(conf->lines[i].options);
		free_names(conf->lines[i].needs, conf->lines[i].nneeds);
	}
	for (size_t i = 0; i < conf->ncontacts; i++) {
		struct conf_contact *k = &conf->contacts[i];
		for (size_t j = 0; j < k->nroutes; j++)
			free_names(k->routes[j].needs, k->routes[j].nneeds);
		free(k->routes);
	}
	free_names(conf->last_resort.needs, conf->last_resort.nneeds);
	free_names(conf->default_contacts, conf->ndefault_contacts);
	free(conf->checks);
	free(conf->lines);
	free(conf->contacts);
	complaints_fini(&conf->warnings);
	conf_files_free(conf->trees);
	free(conf->index);
	free(conf);
}

static void loader_fini(struct conf_loader *l)
{
	for (int i = 0; i < SECTIONS; i++)
		free(l->sections[i].v);
	for (size_t i = 0; i < l->nnotifiers; i++)
		cJSON_Delete(l->notifiers[i].description);
	cJSON_Delete(l->prober);
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

static void read_all(struct conf_loader *l, struct conf_files *files, const char *libexec)
{
	parse_files(l, files);
	conf_read_settings(l);
	set_libexec(l->conf, libexec, l->c);
	if (!l->conf->libexec)
		return;
	conf_read_checks(l);
	conf_read_lines(l);
	make_index(l->conf);
	conf_validate(l);
	/* what a broken file defines is unknown, not missing: said once, not at every use */
	if (l->broken)
		return;
	conf_check_references(l);
	config_prove(l->conf, l->c);
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
	conf_files_digest(files, conf->digest, sizeof(conf->digest));
	read_all(l, files, libexec);
	bool whole = !l->broken && conf->source;
	loader_fini(l);
	sort_complaints(c, first, files);
	sort_complaints(&conf->warnings, 0, files);
	if (whole && c->n + c->dropped == before) {
		for (size_t i = 0; i < files->n; i++)
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

struct config *config_load(const char *main_file, const char *libexec, struct complaints *c)
{
	static const struct conf_programs programs = {.run = run_program};
	struct conf_files *files = conf_files_read(main_file, c);
	return files ? config_build(files, libexec, &programs, c) : NULL;
}
