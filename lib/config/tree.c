/*
 * YAML bytes into a tree of nodes, through libyaml's event interface; called by the configuration
 * loader. It promises that whatever the bytes are it ends, stays within the limits of tree.h, and
 * says each thing it does not take with file, line and column. What YAML has and an administrator's
 * file does not need (anchors, aliases, tags, several documents) is refused, not half understood.
 */
#include "tree.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { TREE_BYTES_MAX = 4 << 20, TREE_DEPTH_MAX = 32, TREE_NODES_MAX = 200000, TREE_KEY_MAX = 255 };

struct level {
	struct node *node;
	char *key; /* read, its value not yet */
	struct mark key_at;
	size_t cap;
};

struct reader {
	yaml_parser_t yaml;
	const char *bytes;
	size_t len;
	struct complaints *c;
	char *file;
	struct node *root;
	struct level stack[TREE_DEPTH_MAX];
	int depth;
	size_t nodes;
	int documents;
	bool dead; /* nothing after this can be trusted */
};

static struct mark mark_of(const struct reader *r, const yaml_mark_t *m)
{
	return (struct mark){r->file, (int)m->line + 1, (int)m->column + 1};
}

static void node_free(struct node *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->nkids; i++)
		node_free(n->kids[i]);
	free(n->kids);
	free(n->key);
	free(n->scalar);
	free(n);
}

void tree_free(struct node *root)
{
	if (!root)
		return;
	free((char *)root->at.file);
	node_free(root);
}

void tree_strip(struct node *root)
{
	for (size_t i = 0; i < root->nkids; i++)
		node_free(root->kids[i]);
	free(root->kids);
	root->kids = NULL;
	root->nkids = 0;
}

struct node *tree_get(const struct node *map, const char *key)
{
	if (!map || map->kind != NODE_MAP)
		return NULL;
	for (size_t i = 0; i < map->nkids; i++)
		if (strcmp(map->kids[i]->key, key) == 0)
			return map->kids[i];
	return NULL;
}

static void die(struct reader *r, const struct mark *at, const char *reason)
{
	if (!r->dead)
		complaint_add(r->c, at, NULL, NULL, "%s", reason);
	r->dead = true;
}

/* Line and column of a byte, for the errors that libyaml reports by offset only. */
static struct mark mark_of_byte(const struct reader *r, size_t offset)
{
	struct mark at = {r->file, 1, 1};
	for (size_t i = 0; i < offset && i < r->len; i++) {
		at.column++;
		if (r->bytes[i] == '\n') {
			at.line++;
			at.column = 1;
		}
	}
	return at;
}

/* The usual mistake behind "found character that cannot start any token". */
static bool line_starts_with_tab(const struct reader *r, size_t line)
{
	const char *p = r->bytes, *end = p + r->len;
	for (; line && p < end; line--) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl)
			return false;
		p = nl + 1;
	}
	while (p < end && *p == ' ')
		p++;
	return p < end && *p == '\t';
}

static void yaml_failed(struct reader *r)
{
	const yaml_parser_t *y = &r->yaml;
	struct mark at = mark_of(r, &y->problem_mark);
	const char *problem = y->problem ? y->problem : "unreadable";

	r->dead = true;
	if (y->error == YAML_MEMORY_ERROR) {
		complaint_add(r->c, NULL, NULL, NULL, "out of memory");
		return;
	}
	if (y->error == YAML_READER_ERROR) {
		at = mark_of_byte(r, y->problem_offset);
		complaint_add(r->c, &at, NULL, NULL, "not UTF-8 text: %s", problem);
		return;
	}
	if (line_starts_with_tab(r, y->problem_mark.line))
		complaint_add(r->c, &at, NULL, NULL, "not YAML: a tab stands where only spaces may indent");
	else if (y->context)
		complaint_add(r->c, &at, NULL, NULL, "not YAML: %s (%s that began at line %d)", problem,
			      y->context, (int)y->context_mark.line + 1);
	else
		complaint_add(r->c, &at, NULL, NULL, "not YAML: %s", problem);
}

static bool add_kid(struct level *parent, struct node *n)
{
	struct node *p = parent->node;
	if (p->nkids == parent->cap) {
		size_t cap = parent->cap ? parent->cap * 2 : 8;
		struct node **kids = realloc(p->kids, cap * sizeof(*kids));
		if (!kids)
			return false;
		p->kids = kids;
		parent->cap = cap;
	}
	p->kids[p->nkids++] = n;
	return true;
}

/* Makes a node and hangs it where the reader stands. NULL: the reader is dead. */
static struct node *hang(struct reader *r, enum node_kind kind, const yaml_mark_t *m)
{
	struct mark at = mark_of(r, m);
	if (++r->nodes > TREE_NODES_MAX) {
		die(r, &at, "more than 200,000 values in one file");
		return NULL;
	}
	struct node *n = calloc(1, sizeof(*n));
	if (!n) {
		die(r, &at, "out of memory");
		return NULL;
	}
	n->kind = kind;
	n->at = n->key_at = at;
	if (r->depth == 0) {
		r->root = n;
		return n;
	}
	struct level *up = &r->stack[r->depth - 1];
	if (up->node->kind == NODE_MAP) {
		n->key = up->key;
		n->key_at = up->key_at;
		up->key = NULL;
	}
	if (!add_kid(up, n)) {
		node_free(n);
		die(r, &at, "out of memory");
		return NULL;
	}
	return n;
}

static bool wants_key(const struct reader *r)
{
	return r->depth > 0 && r->stack[r->depth - 1].node->kind == NODE_MAP && !r->stack[r->depth - 1].key;
}

static void open_node(struct reader *r, enum node_kind kind, const yaml_event_t *e)
{
	struct mark at = mark_of(r, &e->start_mark);
	if (wants_key(r)) {
		die(r, &at, "a key must be plain text, not a list or a map");
		return;
	}
	if (r->depth == TREE_DEPTH_MAX) {
		die(r, &at, "nested deeper than 32 levels");
		return;
	}
	struct node *n = hang(r, kind, &e->start_mark);
	if (n)
		r->stack[r->depth++] = (struct level){.node = n};
}

static int by_key(const void *a, const void *b)
{
	const struct node *x = *(struct node *const *)a, *y = *(struct node *const *)b;
	int d = strcmp(x->key, y->key);
	if (d)
		return d;
	if (x->key_at.line != y->key_at.line)
		return x->key_at.line < y->key_at.line ? -1 : 1;
	return (x->key_at.column > y->key_at.column) - (x->key_at.column < y->key_at.column);
}

/* Says and removes each later entry of a key that the map already has. */
static void drop_duplicates(struct reader *r, struct node *map)
{
	if (map->nkids < 2)
		return;
	struct node **sorted = malloc(map->nkids * sizeof(struct node *));
	if (!sorted) {
		die(r, &map->at, "out of memory");
		return;
	}
	memcpy(sorted, map->kids, map->nkids * sizeof(struct node *));
	qsort(sorted, map->nkids, sizeof(struct node *), by_key);
	size_t first = 0, dups = 0;
	for (size_t i = 1; i < map->nkids; i++) {
		if (strcmp(sorted[first]->key, sorted[i]->key) != 0) {
			first = i;
			continue;
		}
		complaint_add(r->c, &sorted[i]->key_at, sorted[i]->key, NULL,
			      "is given twice in the same map; the first is at line %d",
			      sorted[first]->key_at.line);
		sorted[i]->at.line = -1; /* for the sweep below */
		dups++;
	}
	free(sorted);
	if (!dups)
		return;
	size_t kept = 0;
	for (size_t i = 0; i < map->nkids; i++) {
		if (map->kids[i]->at.line == -1)
			node_free(map->kids[i]);
		else
			map->kids[kept++] = map->kids[i];
	}
	map->nkids = kept;
}

static void close_node(struct reader *r)
{
	struct level *l = &r->stack[--r->depth];
	if (l->node->kind == NODE_MAP)
		drop_duplicates(r, l->node);
}

/* Control characters have no use in a setting, and some end up in a dialogue with a modem or a server. */
static bool has_control(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char ch = (unsigned char)s[i];
		if ((ch < 32 && ch != '\n' && ch != '\t') || ch == 127)
			return true;
	}
	return false;
}

static bool is_null(const yaml_event_t *e)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};
	const char *s = (const char *)e->data.scalar.value;
	if (e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(s, words[i]) == 0)
			return true;
	return false;
}

static void take_key(struct reader *r, const char *s, size_t len, const struct mark *at)
{
	struct level *l = &r->stack[r->depth - 1];
	if (len > TREE_KEY_MAX) {
		die(r, at, "a key is longer than 255 bytes");
		return;
	}
	l->key = strdup(s);
	l->key_at = *at;
	if (!l->key)
		die(r, at, "out of memory");
}

static void take_scalar(struct reader *r, const yaml_event_t *e)
{
	const char *s = (const char *)e->data.scalar.value;
	struct mark at = mark_of(r, &e->start_mark);
	bool key = wants_key(r);

	if (has_control(s, e->data.scalar.length))
		complaint_add(r->c, &at, key || r->depth == 0 ? NULL : r->stack[r->depth - 1].key, NULL,
			      "holds a control character");
	if (key) {
		take_key(r, s, strlen(s), &at);
		return;
	}
	struct node *n = hang(r, NODE_SCALAR, &e->start_mark);
	if (!n)
		return;
	n->null = is_null(e);
	n->scalar = strdup(s);
	if (!n->scalar)
		die(r, &at, "out of memory");
}

/* An alias brings no value, so its entry is left out; the complaint is enough. */
static void take_alias(struct reader *r, const yaml_event_t *e)
{
	struct mark at = mark_of(r, &e->start_mark);
	if (wants_key(r)) {
		die(r, &at, "aliases (*name) are not taken: write the key out");
		return;
	}
	struct level *l = r->depth ? &r->stack[r->depth - 1] : NULL;
	complaint_add(r->c, &at, l ? l->key : NULL, (const char *)e->data.alias.anchor,
		      "aliases (*name) are not taken: write the value out");
	if (l) {
		free(l->key);
		l->key = NULL;
	}
}

static void refuse_ornaments(struct reader *r, const yaml_event_t *e, const yaml_char_t *anchor,
			     const yaml_char_t *tag)
{
	struct mark at = mark_of(r, &e->start_mark);
	if (anchor)
		complaint_add(r->c, &at, NULL, (const char *)anchor, "anchors (&name) are not taken");
	if (tag)
		complaint_add(r->c, &at, NULL, (const char *)tag, "tags (!name) are not taken");
}

static void take(struct reader *r, const yaml_event_t *e)
{
	struct mark at = mark_of(r, &e->start_mark);
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++r->documents > 1)
			die(r, &at, "a second document (---) begins here; a file holds one");
		break;
	case YAML_ALIAS_EVENT:
		take_alias(r, e);
		break;
	case YAML_SCALAR_EVENT:
		refuse_ornaments(r, e, e->data.scalar.anchor, e->data.scalar.tag);
		take_scalar(r, e);
		break;
	case YAML_SEQUENCE_START_EVENT:
		refuse_ornaments(r, e, e->data.sequence_start.anchor, e->data.sequence_start.tag);
		open_node(r, NODE_SEQ, e);
		break;
	case YAML_MAPPING_START_EVENT:
		refuse_ornaments(r, e, e->data.mapping_start.anchor, e->data.mapping_start.tag);
		open_node(r, NODE_MAP, e);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		close_node(r);
		break;
	default:
		break;
	}
}

static void read_all(struct reader *r)
{
	for (bool end = false; !end && !r->dead;) {
		yaml_event_t e;
		if (!yaml_parser_parse(&r->yaml, &e)) {
			yaml_failed(r);
			return;
		}
		end = e.type == YAML_STREAM_END_EVENT;
		take(r, &e);
		yaml_event_delete(&e);
	}
}

/* What an empty file or a lone null stands for. */
static void root_or_empty_map(struct reader *r)
{
	if (r->root && !(r->root->kind == NODE_SCALAR && r->root->null))
		return;
	node_free(r->root);
	r->root = calloc(1, sizeof(*r->root));
	if (!r->root) {
		r->dead = true;
		return;
	}
	r->root->kind = NODE_MAP;
	r->root->at = r->root->key_at = (struct mark){r->file, 1, 1};
}

struct node *tree_parse(const char *file, const char *bytes, size_t len, struct complaints *c)
{
	struct reader r = {.bytes = bytes, .len = len, .c = c};
	struct mark whole = {file, 0, 0};

	if (len > TREE_BYTES_MAX) {
		complaint_add(c, &whole, NULL, NULL, "larger than 4 MiB");
		return NULL;
	}
	r.file = strdup(file);
	if (!r.file || !yaml_parser_initialize(&r.yaml)) {
		complaint_add(c, &whole, NULL, NULL, "out of memory");
		free(r.file);
		return NULL;
	}
	yaml_parser_set_encoding(&r.yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.yaml, (const unsigned char *)bytes, len);
	read_all(&r);
	yaml_parser_delete(&r.yaml);
	for (int i = 0; i < r.depth; i++)
		free(r.stack[i].key);
	if (!r.dead)
		root_or_empty_map(&r);
	if (r.dead) {
		node_free(r.root);
		free(r.file);
		return NULL;
	}
	r.root->at.file = r.file; /* tree_free frees it through the root */
	return r.root;
}
