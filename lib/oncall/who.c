/* Names and people; see who.h. */
#include "who.h"

#include <string.h>

/* --- names --- */

static bool find_in(const char *name, const void *things, size_t n, size_t size, enum who_kind kind,
		    struct who_ref *ref)
{
	/* each of them begins with its name */
	for (size_t i = 0; i < n; i++)
		if (strcmp((const char *)things + i * size, name) == 0) {
			*ref = (struct who_ref){kind, i};
			return true;
		}
	return false;
}

static bool find_several(const struct config *conf, const char *name, struct who_ref *ref)
{
	return find_in(name, conf->ladders, conf->nladders, sizeof *conf->ladders, WHO_LADDER, ref) ||
	       find_in(name, conf->rotas, conf->nrotas, sizeof *conf->rotas, WHO_ROTA, ref) ||
	       find_in(name, conf->groups, conf->ngroups, sizeof *conf->groups, WHO_GROUP, ref);
}

bool who_find(const struct config *conf, const char *name, struct who_ref *ref)
{
	return find_in(name, conf->contacts, conf->ncontacts, sizeof *conf->contacts, WHO_CONTACT, ref) ||
	       find_several(conf, name, ref);
}

const char *who_name(const struct config *conf, const struct who_ref *ref)
{
	switch (ref->kind) {
	case WHO_GROUP:
		return conf->groups[ref->n].name;
	case WHO_ROTA:
		return conf->rotas[ref->n].name;
	case WHO_LADDER:
		return conf->ladders[ref->n].name;
	default:
		return conf->contacts[ref->n].name;
	}
}

/* --- at any time --- */

static bool any_reaches(const struct config *conf, const struct who_ref *v, size_t n, size_t contact)
{
	for (size_t i = 0; i < n; i++)
		if (who_reaches(conf, &v[i], contact))
			return true;
	return false;
}

static bool rota_reaches(const struct config *conf, const struct rota *r, size_t contact)
{
	for (size_t i = 0; i < r->noverrides; i++)
		if (any_reaches(conf, r->overrides[i].who, r->overrides[i].nwho, contact))
			return true;
	for (size_t i = 0; i < r->nshifts; i++)
		if (any_reaches(conf, r->shifts[i].who, r->shifts[i].nwho, contact))
			return true;
	return false;
}

/* A ladder names rotas, a rota groups, a group contacts: it ends. */
bool who_reaches(const struct config *conf, const struct who_ref *ref, size_t contact)
{
	const struct ladder *l;
	switch (ref->kind) {
	case WHO_CONTACT:
		return ref->n == contact;
	case WHO_GROUP:
		for (size_t i = 0; i < conf->groups[ref->n].nmembers; i++)
			if (conf->groups[ref->n].members[i].n == contact)
				return true;
		return false;
	case WHO_ROTA:
		return rota_reaches(conf, &conf->rotas[ref->n].rota, contact);
	default:
		l = &conf->ladders[ref->n].ladder;
		for (size_t i = 0; i < l->nsteps; i++)
			if (any_reaches(conf, l->steps[i].who, l->steps[i].nwho, contact))
				return true;
		return false;
	}
}

bool who_concerns(const struct config *conf, char *const *names, size_t n, size_t contact)
{
	bool several = conf->ngroups || conf->nrotas || conf->nladders;
	struct who_ref ref;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(names[i], conf->contacts[contact].name) == 0)
			return true;
		if (several && find_several(conf, names[i], &ref) && who_reaches(conf, &ref, contact))
			return true;
	}
	return false;
}

/* --- now --- */

const struct who_one *who_in(const struct audience *a, size_t contact)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].contact == contact)
			return &a->v[i];
	return NULL;
}

static void add_contact(struct audience *a, size_t contact, const struct who_one *how)
{
	for (size_t i = 0; i < a->n; i++) {
		if (a->v[i].contact != contact)
			continue;
		if (how->again && !a->v[i].again) { /* the step that tells them now is why */
			a->v[i] = *how;
			a->v[i].contact = contact;
		}
		return;
	}
	if (a->n == WHO_MAX) {
		a->cut = true;
		return;
	}
	a->v[a->n] = *how;
	a->v[a->n++].contact = contact;
}

static void add_ref(const struct config *conf, const struct who_ref *ref, int64_t utc_s, struct who_one how,
		    struct audience *a)
{
	const struct who_ref *who;
	if (ref->kind == WHO_CONTACT) {
		add_contact(a, ref->n, &how);
	} else if (ref->kind == WHO_GROUP) {
		how.group = (int)ref->n;
		for (size_t i = 0; i < conf->groups[ref->n].nmembers; i++)
			add_contact(a, conf->groups[ref->n].members[i].n, &how);
	} else if (ref->kind == WHO_ROTA) {
		const struct rota *r = &conf->rotas[ref->n].rota;
		struct duty d = rota_at(r, utc_s);
		how.rota = (int)ref->n;
		size_t n = rota_names(r, &d, &who);
		for (size_t i = 0; i < n; i++)
			add_ref(conf, &who[i], utc_s, how, a);
	}
}

/* A step for all brings in those of the steps after it too. */
static size_t steps_told(const struct ladder *l, const struct rung *at)
{
	size_t begun = ladder_begun(l, at);
	for (size_t i = 0; i < begun; i++)
		if (l->steps[i].all)
			return l->nsteps;
	return begun;
}

static void add_ladder(const struct config *conf, const struct ladder *l, const struct target *t,
		       int64_t utc_s, struct who_one how, struct audience *a)
{
	size_t told = steps_told(l, &t->rung);
	bool all = t->rung.step < l->nsteps && l->steps[t->rung.step].all;
	for (size_t i = 0; i < told; i++) {
		const struct ladder_step *s = &l->steps[i];
		how.step = all && t->begins ? (int)t->rung.step : (int)i;
		how.again = t->begins && (all || i == t->rung.step);
		for (size_t k = 0; k < s->nwho; k++)
			add_ref(conf, &s->who[k], utc_s, how, a);
	}
}

void who_audience(const struct config *conf, const struct target *targets, size_t n, int64_t utc_s,
		  struct audience *out)
{
	struct who_ref ref;
	out->n = 0;
	out->cut = false;
	for (size_t i = 0; i < n; i++) {
		struct who_one how = {.target = (int)i, .step = -1, .rota = -1, .group = -1};
		if (!who_find(conf, targets[i].name, &ref))
			continue;
		if (ref.kind == WHO_LADDER)
			add_ladder(conf, &conf->ladders[ref.n].ladder, &targets[i], utc_s, how, out);
		else
			add_ref(conf, &ref, utc_s, how, out);
	}
}
