/* preview; see preview.h. Called by monitorctl.c. */
#include "preview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/config/config.h"
#include "lib/config/run.h"
#include "lib/contract/line.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/oncall/who.h"
#include "ask.h"

enum { PREVIEW_MS = 20000, SINCE_AGO_MS = 5 * 60000 };

static struct config *load(const struct ctl *ctl)
{
	struct complaints c;
	complaints_init(&c);
	struct config *conf = config_load(ctl->config, NULL, &c);
	if (!conf) {
		complaints_print(&c, stderr);
		fprintf(stderr, "monitorctl: %s does not load\n", ctl->config);
	}
	complaints_fini(&c);
	return conf;
}

/* --- the page --- */

/* The example that is shown. False: the command line asks for what there is not. */
static bool make_page(const struct ctl *ctl, const struct conf_check *check, struct page *p)
{
	enum nag_state state = NAG_CRITICAL;
	int64_t now = clock_wall_ms();
	*p = (struct page){.id = "preview", .kind = PAGE_NEW, .incident = "K7Q2M", .deadline_ms = 60000};
	/* as an event's kind is called */
	const char *kind = ctl->kind && strcmp(ctl->kind, "recovery") == 0 ? "recovered" : ctl->kind;
	if (kind && !page_kind_from_name(kind, &p->kind)) {
		fprintf(stderr,
			"monitorctl: --kind \"%s\": must be new, repeat, ack, recovered, notice, test or "
			"digest\n",
			ctl->kind);
		return false;
	}
	if (p->kind == PAGE_RECOVERED)
		state = NAG_OK;
	if (ctl->state && !nag_from_name(ctl->state, &state)) {
		fprintf(stderr, "monitorctl: --state \"%s\": must be OK, WARNING, CRITICAL or UNKNOWN\n",
			ctl->state);
		return false;
	}
	p->state = nag_name(state);
	p->check = check ? check->name : "mx1 smtp";
	p->host = check ? check->host : "mx1.example.org";
	p->text = ctl->text ? ctl->text : "refuses the connection";
	p->more = "";
	p->at_wall_ms = now;
	p->since_wall_ms = now - SINCE_AGO_MS;
	p->number = check ? check->number : 0;
	return true;
}

/* With a code where the real one has one: it takes room. */
static cJSON *question(const struct config *conf, const struct conf_line *line, const struct conf_contact *contact,
		       const char *to, const struct page *example)
{
	struct page p = *example;
	p.to = to;
	p.lang = contact ? contact->lang : "";
	p.template = contact && contact->template[0] ? contact->template : NULL;
	if (contact && config_can_ack(conf, contact) &&
	    (p.kind == PAGE_NEW || p.kind == PAGE_REPEAT || p.kind == PAGE_DIGEST))
		p.code = "4711";
	cJSON *q = page_to_json(&p);
	cJSON_AddItemToObject(q, "options", cJSON_Duplicate(line->options, true));
	return q;
}

/* Asks the line's notifier; an object with "shows" or "error". */
static cJSON *ask_notifier(const struct config *conf, const struct conf_line *line, const cJSON *q)
{
	struct buf in, out;
	char program[80], why[512] = "gave no answer";
	cJSON *a = NULL;
	snprintf(program, sizeof program, "notify_%s", line->notifier);
	char *path = file_join(conf->libexec, program);
	buf_init(&in, JSON_LINE_MAX);
	buf_init(&out, JSON_LINE_MAX);
	if (path && json_line(q, &in) &&
	    config_run(path, "--preview", &in, PREVIEW_MS, &out, why, sizeof why))
		a = json_parse(buf_str(&out), strcspn(buf_str(&out), "\n"), JSON_LINE_MAX, NULL);
	if (!a) {
		a = cJSON_CreateObject();
		cJSON_AddStringToObject(a, "error", why);
	}
	free(path);
	buf_fini(&in);
	buf_fini(&out);
	return a;
}

/* --- showing it --- */

static void show_answer(const struct ctl *ctl, const struct conf_line *line, const char *to, const cJSON *a,
			struct buf *out)
{
	int64_t units = json_int(a, "units", 0), max = json_int(a, "max", 0), parts = json_int(a, "parts", 0);
	buf_printf(out, "  %s (%s) to %s", line->name, line->notifier, to);
	if (json_str(a, "error", NULL)) {
		buf_printf(out, ": %s\n", json_str(a, "error", ""));
		return;
	}
	buf_printf(out, ": %lld", (long long)units);
	if (max)
		buf_printf(out, " of %lld", (long long)max);
	if (*json_str(a, "note", ""))
		buf_printf(out, " %s", json_str(a, "note", ""));
	else
		buf_puts(out, " characters");
	if (parts > 1 || (parts == 1 && max))
		buf_printf(out, ", %lld message%s", (long long)parts, parts == 1 ? "" : "s");
	buf_puts(out, "\n    ");
	ctl_wrap(out, json_str(a, "shows", ""), 4, 4, 0, &ctl->style);
}

static void preview_route(const struct ctl *ctl, const struct config *conf,
			  const struct conf_contact *contact, const struct conf_route *r,
			  const struct page *p, cJSON *all, struct buf *out)
{
	const struct conf_line *line = config_line(conf, r->line);
	if (!line)
		return;
	cJSON *q = question(conf, line, contact, r->to, p), *a = ask_notifier(conf, line, q);
	show_answer(ctl, line, r->to, a, out);
	cJSON_AddStringToObject(a, "contact", contact ? contact->name : "");
	cJSON_AddStringToObject(a, "line", line->name);
	cJSON_AddStringToObject(a, "to", r->to);
	cJSON_AddItemToArray(all, a);
	cJSON_Delete(q);
}

static void preview_contact(const struct ctl *ctl, const struct config *conf,
			    const struct conf_contact *contact, const struct page *p, cJSON *all,
			    struct buf *out)
{
	buf_printf(out, "%s\n", contact->name);
	for (size_t i = 0; i < contact->nroutes; i++)
		preview_route(ctl, conf, contact, &contact->routes[i], p, all, out);
}

/* --- whom it concerns --- */

static bool concerns(const struct ctl *ctl, const struct config *conf, const struct conf_check *check,
		     const struct conf_contact *c)
{
	if (ctl->contact)
		return strcmp(ctl->contact, c->name) == 0;
	if (!check)
		return true;
	size_t k = (size_t)(c - conf->contacts);
	return check->ncontacts ? who_concerns(conf, check->contacts, check->ncontacts, k)
				: who_concerns(conf, conf->default_contacts, conf->ndefault_contacts, k);
}

static bool known(const struct ctl *ctl, const struct config *conf, const struct conf_check *check)
{
	bool contact = !ctl->contact || config_contact(conf, ctl->contact);
	const char **names = calloc(conf->nchecks + conf->ncontacts + 1, sizeof *names);
	size_t n = 0;
	if (contact && (!ctl->name || check)) {
		free(names);
		return true;
	}
	for (size_t i = 0; names && !contact && i < conf->ncontacts; i++)
		names[n++] = conf->contacts[i].name;
	for (size_t i = 0; names && contact && i < conf->nchecks; i++)
		names[n++] = conf->checks[i].name;
	const char *meant = contact ? ctl->name : ctl->contact,
		   *near = names ? ctl_nearest(meant, names, n) : NULL;
	fprintf(stderr, "monitorctl: there is no %s \"%s\"", contact ? "check" : "contact", meant);
	if (near)
		fprintf(stderr, "; did you mean \"%s\"?", near);
	fputs("\n", stderr);
	free(names);
	return false;
}

static void preview_all(const struct ctl *ctl, const struct config *conf, const struct conf_check *check,
			const struct page *p)
{
	struct buf out;
	cJSON *all = cJSON_CreateArray();
	buf_init(&out, ANSWER_MAX);
	for (size_t i = 0; i < conf->ncontacts; i++)
		if (concerns(ctl, conf, check, &conf->contacts[i]))
			preview_contact(ctl, conf, &conf->contacts[i], p, all, &out);
	if (conf->has_last_resort && !ctl->contact) {
		buf_puts(&out, "the last resort\n");
		preview_route(ctl, conf, NULL, &conf->last_resort, p, all, &out);
	}
	if (ctl->json)
		ctl_print_json(all);
	else
		fputs(buf_str(&out), stdout);
	cJSON_Delete(all);
	buf_fini(&out);
}

int ctl_do_preview(struct ctl *ctl)
{
	struct config *conf = load(ctl);
	const struct conf_check *check;
	struct page p;
	int rc = EXIT_USAGE;
	if (!conf)
		return EXIT_REFUSED;
	check = ctl->name ? config_check(conf, ctl->name) : conf->nchecks ? &conf->checks[0] : NULL;
	if (!known(ctl, conf, check)) {
		rc = EXIT_REFUSED;
	} else if (make_page(ctl, check, &p)) {
		preview_all(ctl, conf, ctl->name ? check : NULL, &p);
		rc = EXIT_DONE;
	}
	config_free(conf);
	return rc;
}
