/* coverage; see coverage.h. Called by monitorctl.c. Every check can become CRITICAL, so every check counts.
 */
#include "coverage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/oncall/who.h"
#include "people.h"

enum { TO_COLUMNS = 40 };

struct cover {
	const struct ctl *ctl;
	struct people p;
	uint32_t **lost; /* by contact, then by check; then "self", then the remotes */
	struct stamp now;
	size_t bare; /* pairs without a route */
};

/* Checks, "self", and what stands for each remote's connection. */
static size_t all_checks(const struct cover *v)
{
	return v->p.conf->nchecks + 1 + v->p.conf->nremotes;
}

/* out: EVENT_NAME_MAX, for names that are made. */
static const char *plain_name(const struct cover *v, size_t i, char *out)
{
	const struct config *conf = v->p.conf;
	if (i < conf->nchecks)
		return conf->checks[i].name;
	return i == conf->nchecks ? "self" : conf_remote_check(&conf->remotes[i - conf->nchecks - 1], out, EVENT_NAME_MAX);
}

static const char *check_name(const struct cover *v, size_t i, char *out)
{
	return i == v->p.conf->nchecks ? "self (this host's own link)" : plain_name(v, i, out);
}

static bool concerned(const struct cover *v, size_t check, size_t contact)
{
	const struct config *conf = v->p.conf;
	size_t n;
	char *const *names = people_names(conf, check < conf->nchecks ? &conf->checks[check] : NULL, &n);
	return who_concerns(conf, names, n, contact);
}

static bool same(const struct cover *v, size_t a, size_t b)
{
	const struct config *conf = v->p.conf;
	for (size_t k = 0; k < conf->ncontacts; k++) {
		bool ca = concerned(v, a, k);
		if (ca != concerned(v, b, k) || (ca && v->lost[k][a] != v->lost[k][b]))
			return false;
	}
	return true;
}

static bool remains(const struct cover *v, size_t check, size_t contact, size_t route)
{
	return !(v->lost[contact][check] & 1u << route);
}

static size_t remaining(const struct cover *v, size_t check, size_t contact)
{
	size_t n = 0;
	for (size_t i = 0; i < v->p.conf->contacts[contact].nroutes; i++)
		n += remains(v, check, contact, i);
	return n;
}

/* --- for people --- */

static void show_route(const struct cover *v, const struct conf_route *r, bool good, struct buf *out)
{
	char where[160];
	const char *trouble = people_line_trouble(&v->p, r->line);
	const struct conf_line *line = config_line(v->p.conf, r->line);
	snprintf(where, sizeof where, "%.60s %.90s", r->line, r->to);
	struct buf proof;
	buf_init(&proof, 200);
	if (good)
		people_proof(&v->p, r, &v->now, &proof);
	if (good && line && line->blind)
		buf_printf(&proof, "%snobody knows whether it is got", proof.len ? "; " : "");
	buf_printf(out, "    %s ", good ? "remains" : "lost   ");
	if (good && !proof.len)
		buf_puts(out, where);
	else
		ctl_pad(out, where, TO_COLUMNS);
	buf_printf(out, "%s%s\n", good ? proof.len ? "  " : "" : "  it needs this check, or one below it",
		   buf_str(&proof));
	buf_fini(&proof);
	if (good && trouble) {
		buf_puts(out, "            just now: ");
		ctl_wrap(out, trouble, 22, 22, 2, &v->ctl->style);
	}
}

static void show_contact(const struct cover *v, size_t check, size_t contact, struct buf *out)
{
	const struct conf_contact *k = &v->p.conf->contacts[contact];
	bool none = !remaining(v, check, contact);
	buf_printf(out, "  %s%s\n", k->name, none ? ": NO ROUTE REMAINS" : "");
	for (size_t i = 0; i < k->nroutes; i++)
		show_route(v, &k->routes[i], remains(v, check, contact, i), out);
}

/* "when down: mx1 smtp, mx2 smtp" and what then remains. */
static void show_group(const struct cover *v, const size_t *checks, size_t n, struct buf *out)
{
	struct buf names;
	char made[EVENT_NAME_MAX];
	buf_init(&names, 4 << 20);
	for (size_t i = 0; i < n; i++)
		buf_printf(&names, "%s%s", i ? ", " : "", check_name(v, checks[i], made));
	buf_puts(out, "when down: ");
	ctl_wrap(out, buf_str(&names), 11, 11, 0, &v->ctl->style);
	for (size_t k = 0; k < v->p.conf->ncontacts; k++)
		if (concerned(v, checks[0], k))
			show_contact(v, checks[0], k, out);
	buf_fini(&names);
}

static void show(const struct cover *v, struct buf *out)
{
	size_t n = all_checks(v), k;
	size_t *group = calloc(n, sizeof *group);
	bool *done = calloc(n, sizeof *done);
	for (size_t i = 0; group && done && i < n; i++) {
		if (done[i])
			continue;
		k = 0;
		for (size_t j = i; j < n; j++)
			if (!done[j] && same(v, i, j)) {
				done[j] = true;
				group[k++] = j;
			}
		show_group(v, group, k, out);
	}
	free(group);
	free(done);
	if (!v->p.pagerd)
		buf_printf(out, "when a route was last proved is not known: %s\n", v->p.why);
	else if (strcmp(json_str(v->p.pagerd, "digest", ""), v->p.conf->digest) != 0)
		buf_puts(out, "pagerd runs another configuration than these files: monitorctl reload\n");
	if (v->bare)
		buf_printf(out, "%zu times a check can take every route of a contact with it\n", v->bare);
}

/* --- for programs --- */

static cJSON *route_json(const struct cover *v, const struct conf_route *r, bool good)
{
	struct buf proof;
	cJSON *o = cJSON_CreateObject();
	buf_init(&proof, 200);
	people_proof(&v->p, r, &v->now, &proof);
	cJSON_AddStringToObject(o, "line", r->line);
	cJSON_AddStringToObject(o, "to", r->to);
	cJSON_AddBoolToObject(o, "remains", good);
	cJSON_AddStringToObject(o, "proof", buf_str(&proof));
	buf_fini(&proof);
	return o;
}

static void print_json(const struct cover *v)
{
	cJSON *all = cJSON_CreateArray();
	char made[EVENT_NAME_MAX];
	for (size_t c = 0; c < all_checks(v); c++)
		for (size_t k = 0; k < v->p.conf->ncontacts; k++) {
			const struct conf_contact *contact = &v->p.conf->contacts[k];
			if (!concerned(v, c, k))
				continue;
			cJSON *o = cJSON_CreateObject();
			cJSON_AddItemToArray(all, o);
			cJSON_AddStringToObject(o, "check", plain_name(v, c, made));
			cJSON_AddStringToObject(o, "contact", contact->name);
			cJSON *routes = cJSON_AddArrayToObject(o, "routes");
			for (size_t i = 0; i < contact->nroutes; i++)
				cJSON_AddItemToArray(routes,
						     route_json(v, &contact->routes[i], remains(v, c, k, i)));
		}
	ctl_print_json(all);
	cJSON_Delete(all);
}

/* --- all of it --- */

static bool prove(struct cover *v)
{
	const struct config *conf = v->p.conf;
	v->lost = calloc(conf->ncontacts + 1, sizeof(uint32_t *));
	for (size_t k = 0; v->lost && k < conf->ncontacts; k++) {
		v->lost[k] = calloc(all_checks(v), sizeof(uint32_t));
		if (!v->lost[k] || !config_lost(conf, k, v->lost[k]))
			return false;
		for (size_t c = 0; c < all_checks(v); c++)
			v->bare += concerned(v, c, k) && !remaining(v, c, k);
	}
	return v->lost != NULL;
}

int ctl_do_coverage(struct ctl *ctl)
{
	struct cover v = {.ctl = ctl, .now = clock_stamp()};
	struct buf out;
	int rc = EXIT_REFUSED;
	if (!people_load(ctl, true, &v.p))
		return rc;
	buf_init(&out, ANSWER_MAX);
	if (!prove(&v)) {
		fprintf(stderr, "monitorctl: out of memory\n");
	} else {
		rc = v.bare ? EXIT_REFUSED : EXIT_DONE;
		if (ctl->json)
			print_json(&v);
		else
			show(&v, &out);
	}
	fputs(buf_str(&out), stdout);
	buf_fini(&out);
	for (size_t k = 0; v.lost && k < v.p.conf->ncontacts; k++)
		free(v.lost[k]);
	free(v.lost);
	people_free(&v.p);
	return rc;
}
