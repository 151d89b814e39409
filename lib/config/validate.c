/*
 * Rules that no option table can say: `prober --validate` once for all checks, `notify_X --validate`
 * once per notifier with its lines and every address that is used on them. Only what passed
 * its table is shown, so that nothing is complained about twice.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 32 << 20, ANSWERS_MAX = 8 << 20, ADDRESSES_A_LINE = 100 };

/* One asked question: who is asked about, to place the answer. */
struct question {
	const struct conf_check *check;
	const struct conf_line *line;
	const struct conf_origin *origin;
};

struct questions {
	struct buf input;
	struct question *v;
	size_t n, cap;
};

static bool ask(struct questions *q, const cJSON *json, struct question who)
{
	if (q->n == q->cap) {
		size_t cap = q->cap ? q->cap * 2 : 64;
		struct question *v = realloc(q->v, cap * sizeof(*v));
		if (!v)
			return false;
		q->v = v;
		q->cap = cap;
	}
	size_t before = q->input.len;
	if (!json_line(json, &q->input) || q->input.len - before > JSON_LINE_MAX) {
		q->input.len = before; /* a half line must not be sent */
		return false;
	}
	q->v[q->n++] = who;
	return true;
}

/* --- placing an answer --- */

static void item_of(const struct question *who, const char *option, char *out, size_t size)
{
	snprintf(out, size, "%s.%s%s%s", who->check ? "checks" : "lines",
		 who->check ? who->check->name : who->line->name, *option ? "." : "", option);
}

/* An address that the notifier refused: at every route that uses it. */
static bool place_address(struct conf_loader *l, const struct conf_line *line, const char *value,
			  const char *reason)
{
	const struct config *conf = l->conf;
	bool placed = false;
	for (size_t i = 0; i < conf->ncontacts; i++)
		for (size_t j = 0; j < conf->contacts[i].nroutes; j++) {
			const struct conf_route *r = &conf->contacts[i].routes[j];
			if (strcmp(r->line, line->name) != 0 || strcmp(r->to, value) != 0)
				continue;
			complaint_add(
				l->c, &r->at,
				conf_item(l, "contacts.%s.routes[%u].to", conf->contacts[i].name,
					  conf->contacts[i].routes[j].number),
				value, "%s", reason);
			placed = true;
		}
	if (conf->has_last_resort && strcmp(conf->last_resort.line, line->name) == 0 &&
	    strcmp(conf->last_resort.to, value) == 0) {
		complaint_add(l->c, &conf->last_resort.at, "last_resort.to", value, "%s", reason);
		placed = true;
	}
	return placed;
}

static void place(struct conf_loader *l, const struct question *who, const cJSON *said)
{
	const char *option = json_str(said, "item", ""), *value = json_str(said, "value", NULL);
	const char *reason = json_str(said, "reason", "refused without a reason");
	char item[CONF_ITEM_BYTES];

	if (who->line && value && strcmp(option, "to") == 0 && place_address(l, who->line, value, reason))
		return;
	const struct node *n = tree_get(who->origin->node, option);
	if (conf_option_is_secret(who->origin->options, option))
		value = NULL;
	item_of(who, option, item, sizeof(item));
	complaint_add(l->c, n ? &n->at : &who->origin->node->key_at, item, value, "%s", reason);
}

/* False: the answer is none. */
static bool take_answer(struct conf_loader *l, const struct question *who, const char *text, size_t len)
{
	cJSON *v = json_parse(text, len, ANSWERS_MAX, NULL);
	const cJSON *ok = cJSON_GetObjectItemCaseSensitive(v, "ok"), *said;
	size_t before = conf_count(l);
	bool good = cJSON_IsBool(ok);

	if (good && !cJSON_IsTrue(ok)) {
		cJSON_ArrayForEach(said, cJSON_GetObjectItemCaseSensitive(v, "complaints"))
			place(l, who, said);
		if (conf_count(l) == before)
			place(l, who, NULL);
	}
	cJSON_Delete(v);
	return good;
}

/* The programs answer in the order they were asked. */
static void take_answers(struct conf_loader *l, const struct questions *q, const struct buf *out,
			 const char *program)
{
	const char *p = buf_str(out), *end = p + out->len;
	size_t i = 0;
	for (; i < q->n && p < end; i++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl || !take_answer(l, &q->v[i], p, (size_t)(nl - p)))
			break;
		p = nl + 1;
	}
	if (i == q->n)
		return;
	char item[CONF_ITEM_BYTES];
	item_of(&q->v[i], "", item, sizeof(item));
	complaint_add(l->c, &q->v[i].origin->node->key_at, item, NULL,
		      "%s --validate gave no usable answer to this", program);
}

static void run(struct conf_loader *l, struct questions *q, const char *program)
{
	struct buf out;
	char why[512];
	if (q->n) {
		buf_init(&out, ANSWERS_MAX);
		if (l->programs->run(l->programs->arg, l->conf->libexec, program, "--validate", &q->input,
				     &out, why, sizeof(why)))
			take_answers(l, q, &out, program);
		else
			complaint_add(l->c, NULL, program, NULL, "%s/%s --validate: %s", l->conf->libexec,
				      program, why);
		buf_fini(&out);
	}
	buf_fini(&q->input);
	free(q->v);
}

/* --- checks --- */

static cJSON *job(const struct conf_check *k, size_t i)
{
	char id[32];
	cJSON *v = cJSON_CreateObject();
	snprintf(id, sizeof(id), "%zu", i);
	json_add_int(v, "v", 1);
	cJSON_AddStringToObject(v, "run", id);
	cJSON_AddStringToObject(v, "check", k->name);
	cJSON_AddStringToObject(v, "probe", k->probe);
	cJSON_AddItemReferenceToObject(v, "options", k->options);
	json_add_int(v, "timeout_ms", k->timeout_ms);
	return v;
}

static void validate_checks(struct conf_loader *l)
{
	struct questions q = {.v = NULL};
	buf_init(&q.input, INPUT_MAX);
	for (size_t i = 0; i < l->conf->nchecks; i++) {
		const struct conf_check *k = &l->conf->checks[i];
		const struct conf_origin *o = &l->check_origins[i];
		if (!o->clean || k->place == PLACE_OUTSIDE)
			continue;
		cJSON *v = job(k, i);
		if (!ask(&q, v, (struct question){.check = k, .origin = o}))
			complaint_add(
				l->c, &k->at, conf_item(l, "checks.%s", k->name), NULL,
				"its options take more than 64 KiB, or those of all checks more than 32 MiB");
		cJSON_Delete(v);
	}
	run(l, &q, "prober");
}

/* --- lines --- */

struct addresses {
	const char **v;
	size_t n;
};

static void addresses_on(const struct config *conf, const char *line, struct addresses *a)
{
	a->n = 0;
	for (size_t i = 0; i < conf->ncontacts; i++)
		for (size_t j = 0; j < conf->contacts[i].nroutes; j++) {
			const struct conf_route *r = &conf->contacts[i].routes[j];
			if (strcmp(r->line, line) == 0 && r->to[0])
				a->v[a->n++] = r->to;
		}
	if (conf->has_last_resort && strcmp(conf->last_resort.line, line) == 0 && conf->last_resort.to[0])
		a->v[a->n++] = conf->last_resort.to;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void drop_same(struct addresses *a)
{
	size_t kept = 0;
	qsort(a->v, a->n, sizeof(*a->v), by_text);
	for (size_t i = 0; i < a->n; i++)
		if (!kept || strcmp(a->v[kept - 1], a->v[i]) != 0)
			a->v[kept++] = a->v[i];
	a->n = kept;
}

/* Asks about one line; with many addresses in several questions, so that a JSON line stays a line. */
static void ask_line(struct conf_loader *l, struct questions *q, size_t i, struct addresses *a)
{
	const struct conf_line *k = &l->conf->lines[i];
	size_t done = 0;
	addresses_on(l->conf, k->name, a);
	drop_same(a);
	do {
		cJSON *v = cJSON_CreateObject(), *to;
		cJSON_AddItemReferenceToObject(v, "options", k->options);
		to = cJSON_AddArrayToObject(v, "to");
		for (size_t n = 0; done < a->n && n < ADDRESSES_A_LINE; n++, done++)
			cJSON_AddItemToArray(to, cJSON_CreateString(a->v[done]));
		if (!ask(q, v, (struct question){.line = k, .origin = &l->line_origins[i]}))
			complaint_add(l->c, &k->at, conf_item(l, "lines.%s", k->name), NULL,
				      "its options take more than 64 KiB");
		cJSON_Delete(v);
	} while (done < a->n);
}

static void validate_notifier(struct conf_loader *l, const char *name, struct addresses *a)
{
	struct questions q = {.v = NULL};
	char program[80];
	buf_init(&q.input, INPUT_MAX);
	for (size_t i = 0; i < l->conf->nlines; i++)
		if (l->line_origins[i].clean && strcmp(l->conf->lines[i].notifier, name) == 0)
			ask_line(l, &q, i, a);
	snprintf(program, sizeof(program), "notify_%s", name);
	run(l, &q, program);
}

void conf_validate(struct conf_loader *l)
{
	struct addresses a = {.v = NULL};
	size_t routes = 1;
	for (size_t i = 0; i < l->conf->ncontacts; i++)
		routes += l->conf->contacts[i].nroutes;
	a.v = calloc(routes, sizeof(*a.v));
	if (!a.v) {
		complaint_add(l->c, NULL, NULL, NULL, "out of memory");
		return;
	}
	validate_checks(l);
	for (size_t i = 0; i < l->nnotifiers; i++)
		validate_notifier(l, l->notifiers[i].name, &a);
	free(a.v);
}
