/* The configuration in force; see reload.h. Called by pagerd.c and control_cmds.c. */
#include "reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/contract/control.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/sdnotify.h"
#include "deadman.h"
#include "lines.h"
#include "needs.h"
#include "pager.h"

#define DEFAULT_STATE "/var/lib/monitord-pagerd"

static void first_complaint(const struct complaints *c, char *out, size_t size)
{
	struct buf b;
	buf_init(&b, 600);
	if (c->n)
		complaint_format(&c->v[0], &b);
	snprintf(out, size, "%s%s", buf_str(&b), c->n + c->dropped > 1 ? " (and more)" : "");
	buf_fini(&b);
}

/* --- the start ------------------------------------------------------------------------------------- */

static char *kept_copy(const char *conf_path)
{
	char *state = config_path_in_text(conf_path, "pagerd_state");
	const char *given = getenv("STATE_DIRECTORY");
	char *copy = config_kept(state ? state : given && *given ? given : DEFAULT_STATE);
	free(state);
	return copy;
}

bool reload_first(struct pager *p)
{
	struct complaints c, again;
	complaints_init(&c);
	p->conf = config_load(p->conf_path, NULL, &c);
	if (!p->conf) {
		complaints_print(&c, stderr);
		first_complaint(&c, p->config_error, sizeof p->config_error);
		char *copy = kept_copy(p->conf_path);
		complaints_init(&again);
		if (copy)
			p->conf = config_load(copy, NULL, &again);
		if (p->conf)
			p->conf->from_copy = true;
		else if (copy)
			complaints_print(&again, stderr);
		log_err("%s: not usable; %s", p->conf_path,
			p->conf ? "the last good copy is in force"
				: "and there is no last good copy that is");
		complaints_fini(&again);
		free(copy);
	}
	complaints_fini(&c);
	p->reload_at = clock_stamp();
	return p->conf != NULL;
}

static void page_bad(struct pager *p)
{
	char text[900];
	snprintf(text, sizeof text, "%s is not usable, the pager runs the %s: %.600s", p->conf_path,
		 p->conf->from_copy ? "last good copy of it" : "one before it", p->config_error);
	pager_self_problem(p, "self.pagerd-config", NAG_WARNING, text);
}

static void keep_copy(struct pager *p)
{
	char why[256];
	if (!config_keep(p->conf, p->conf->pagerd_state, why, sizeof why))
		log_warn("the last good copy of the configuration could not be kept: %s", why);
}

void reload_tell(struct pager *p)
{
	if (p->config_error[0]) {
		page_bad(p);
		return;
	}
	keep_copy(p);
	pager_self_over(p, "self.pagerd-config", "the configuration is good again");
}

/* --- later ----------------------------------------------------------------------------------------- */

static bool same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Directories and sockets are taken once. */
static void note_restart(const struct config *old, const struct config *new)
{
	if (!same(old->spool, new->spool) || !same(old->spool_twin, new->spool_twin) ||
	    !same(old->pagerd_state, new->pagerd_state) || !same(old->pagerd_run, new->pagerd_run))
		log_warn("paths changed: the pager uses the new ones after a restart only");
}

static void put_in_force(struct pager *p, struct config *conf)
{
	struct config *old = p->conf;
	note_restart(old, conf);
	p->conf = conf;
	pager_use_conf(p);
	needs_use_conf(p->needs, conf);
	lines_sync(p->lines, conf);
	deadman_use_conf(p->deadman, conf);
	config_free(old);
	p->config_error[0] = '\0';
	log_notice("configuration %s is in force", conf->digest);
}

static cJSON *answer(struct pager *p, const struct complaints *c)
{
	cJSON *o = cJSON_CreateObject();
	cJSON_AddBoolToObject(o, "ok", c->n == 0);
	cJSON_AddStringToObject(o, "digest", p->conf->digest);
	cJSON *v = cJSON_AddArrayToObject(o, "complaints");
	for (size_t k = 0; k < c->n; k++) {
		struct buf b;
		buf_init(&b, 4096);
		complaint_format(&c->v[k], &b);
		log_err("%s", buf_str(&b));
		cJSON_AddItemToArray(v, cJSON_CreateString(buf_str(&b)));
		buf_fini(&b);
	}
	if (c->n)
		cJSON_AddStringToObject(o, "error", p->config_error);
	return o;
}

cJSON *reload_again(struct pager *p)
{
	struct complaints c;
	complaints_init(&c);
	sdnotify("RELOADING=1");
	struct config *conf = config_load(p->conf_path, NULL, &c);
	p->reload_at = clock_stamp();
	if (conf)
		put_in_force(p, conf);
	else
		first_complaint(&c, p->config_error, sizeof p->config_error);
	reload_tell(p);
	cJSON *o = answer(p, &c);
	complaints_fini(&c);
	sdnotify("READY=1\nSTATUS=%s",
		 p->config_error[0] ? "the new configuration is bad, the old one runs" : "running");
	p->changed = true;
	pager_soon(p, 0);
	return o;
}
