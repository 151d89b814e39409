/*
 * A configuration as it is held: its checks, lines and contacts by name, and its end. Below the loader
 * (config.c) and all of its parts; daemons and tools ask here.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

const char *const conf_section_names[SECTIONS] = {"periods", "oncall",	  "groups",  "rotas",	"ladders",
						  "paths",	  "probers", "deadman", "history", "replies",	 "proof",
						  "defaults", "lists", "templates", "remotes", "checks",	 "lines",   "contacts", "last_resort",
						  "sources", "peer", "downtimes", "incidents"};

/* --- looking up --- */

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct conf_check *const *)a)->name,
		      (*(const struct conf_check *const *)b)->name);
}

/* With 10,000 checks a search along the list would be felt. */
void conf_make_index(struct config *conf)
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

const struct conf_source *config_source(const struct config *conf, const char *name)
{
	for (size_t i = 0; i < conf->nsources; i++)
		if (strcmp(conf->sources[i].name, name) == 0)
			return &conf->sources[i];
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
	free(k->depends);
	free_names(k->contacts, k->ncontacts);
	free_names(k->groups, k->ngroups);
	free(k->when);
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
	free(conf->country);
}

static void free_lists(struct config *conf)
{
	for (size_t i = 0; i < conf->nlists; i++) {
		free(conf->lists[i].source);
		free(conf->lists[i].path);
		conf_hosts_fini(&conf->lists[i].hosts);
	}
	free(conf->lists);
	free_names(conf->resolvers, conf->nresolvers);
}

static void free_oncall(struct config *conf)
{
	for (size_t i = 0; i < conf->ngroups; i++) {
		free(conf->groups[i].members);
		quiet_free(conf->groups[i].quiet);
	}
	for (size_t i = 0; i < conf->nrotas; i++)
		rota_fini(&conf->rotas[i].rota);
	for (size_t i = 0; i < conf->nladders; i++)
		ladder_fini(&conf->ladders[i].ladder);
	free(conf->groups);
	free(conf->rotas);
	free(conf->ladders);
	tz_free(conf->zone);
	tz_free(conf->period_zone);
	free(conf->holidays.days);
}

void config_free(struct config *conf)
{
	if (!conf)
		return;
	free_paths(conf);
	for (size_t i = 0; i < conf->nchecks; i++)
		free_check(&conf->checks[i]);
	for (size_t i = 0; i < conf->ndowntimes; i++) {
		free_names(conf->downtimes[i].checks, conf->downtimes[i].nchecks);
		free_names(conf->downtimes[i].hosts, conf->downtimes[i].nhosts);
		free_names(conf->downtimes[i].groups, conf->downtimes[i].ngroups);
		tz_free(conf->downtimes[i].zone);
	}
	free(conf->downtimes);
	conf_incidents_free(conf);
	for (size_t i = 0; i < conf->nlines; i++) {
		cJSON_Delete(conf->lines[i].options);
		free_names(conf->lines[i].needs, conf->lines[i].nneeds);
	}
	for (size_t i = 0; i < conf->npools; i++)
		free_names(conf->pools[i].lines, conf->pools[i].nlines);
	free(conf->pools);
	for (size_t i = 0; i < conf->ncontacts; i++) {
		struct conf_contact *k = &conf->contacts[i];
		for (size_t j = 0; j < k->nroutes; j++)
			free_names(k->routes[j].needs, k->routes[j].nneeds);
		free(k->routes);
		free_names(k->reply.from, k->reply.nfrom);
		quiet_free(k->own_quiet);
	}
	for (size_t i = 0; i < conf->nsources; i++)
		free_names(conf->sources[i].contacts, conf->sources[i].ncontacts);
	free(conf->sources);
	free_oncall(conf);
	free_lists(conf);
	free_names(conf->last_resort.needs, conf->last_resort.nneeds);
	free_names(conf->default_contacts, conf->ndefault_contacts);
	free(conf->checks);
	free(conf->remotes);
	free(conf->lines);
	free(conf->contacts);
	complaints_fini(&conf->warnings);
	conf_files_free(conf->trees);
	free(conf->index);
	free(conf);
}

char *conf_remote_check(const struct conf_remote *r, char *out, size_t size)
{
	snprintf(out, size, "self.remote.%.80s", r->name);
	return out;
}

const struct conf_remote *config_remote(const struct config *conf, const struct conf_check *k)
{
	return k->on ? &conf->remotes[k->on - 1] : NULL;
}
