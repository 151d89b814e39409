/*
 * The diagnosis: from the latest results of all checks (state, layer, facts) the name of the incident, with
 * its evidence and the first aid. Pure. The built-in table is incidents.c; what a configuration gives is laid
 * over it. doc/diagnosis.md says what each row asks for and why.
 *
 * A rule is a list of conditions that must all hold. Each speaks of a probe's fact; within a rule a probe is
 * one check, and all checks of a rule are related: the same host, a parent or a depends_on, unless the rule
 * is of the whole site.
 */
#ifndef MONITORD_RULES_DIAGNOSE_H
#define MONITORD_RULES_DIAGNOSE_H

#include "lib/config/terms.h"
#include "lib/contract/result.h"

struct cJSON;

enum { DIAG_CONDITIONS = 8, DIAG_BOUND = 8, DIAG_TEXT = 400, DIAG_NAMES_MAX = 4, DIAG_FOUND_MAX = 8, DIAG_RULES_MAX = 64 };

/* A row of the table. */
struct diag_rule {
	const char *name;
	int rank;	      /* of several that hold the higher is the cause, the lower its consequence */
	bool site;	      /* its checks need not be related */
	const char *explains; /* probes whose problems it explains without being evidence: "smtp queue" */
	const char *when[DIAG_CONDITIONS]; /* ends with NULL */
	const char *text, *ja;		   /* the page's sentence: what, where, numbers; first aid */
};
extern const struct diag_rule diag_builtin[];
extern const size_t diag_nbuiltin;

/* What a check's history says beside its facts; it goes before a fact of the same name. */
struct diag_past {
	const char *name;
	double value;
	char text[64]; /* "": value counts */
};

/* A check as the rules see it. */
struct diag_check {
	const char *name, *host, *probe, *layer;
	enum nag_state state;
	const struct cJSON *facts; /* NULL: none */
	const char *const *kin;	   /* its parents and what it depends on */
	size_t nkin;
	const struct diag_past *past;
	size_t npast;
	int64_t since_ms; /* wall: since when its state is what it is; 0: not known */
};

struct diag_table {
	struct {
		struct diag_rule rule;
		size_t n;
		struct condition when[DIAG_CONDITIONS];
	} v[DIAG_RULES_MAX];
	size_t n;
};

struct diag_name {
	const struct diag_rule *rule;
	size_t nbound;
	const struct diag_check *bound[DIAG_BOUND]; /* whose facts are the evidence */
	char text[DIAG_TEXT], ja[DIAG_TEXT];
	char because[DIAG_TEXT]; /* the conditions with what was found */
	size_t troubled, explained; /* checks that are not OK; those of them it is evidence of or explains */
	int64_t began_ms;	    /* wall: the first of its evidence; 0: not known */
	char why[DIAG_TEXT / 2];    /* its place among the others: why */
};

/* Adds a rule, or replaces the one of its name. The strings are borrowed. False: it cannot be read (why), or
 * the table is full. */
bool diag_add(struct diag_table *t, const struct diag_rule *r, char *why, size_t size);
bool diag_init(struct diag_table *t); /* the built-in ones */
/* Takes one away; false: there is none. */
bool diag_remove(struct diag_table *t, const char *name);
/* What the problem of about is, or with NULL whatever there is; the likeliest cause first (ranking.h). 0: not
 * recognised. */
size_t diagnose(const struct diag_table *t, const struct diag_check *v, size_t n,
		const struct diag_check *about, struct diag_name *out, size_t max);
#endif
