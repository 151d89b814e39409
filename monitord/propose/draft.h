/*
 * A check that may be proposed: its name, its probe, its options in one or several variants (the strictest
 * first), and what it found today. Made by domain.c, services.c and local.c, tried here, written by write.c.
 */
#ifndef MONITORD_PROPOSE_DRAFT_H
#define MONITORD_PROPOSE_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;
struct wish;

enum { DRAFTS_MAX = 256, DRAFT_VARIANTS = 4, DRAFT_NAME_MAX = 100, DRAFT_NOTE_MAX = 400 };

/* What stands in the file. */
enum draft_fate {
	DRAFT_CHECK,	  /* a check */
	DRAFT_SUGGESTION, /* a check, commented out */
	DRAFT_NOTE,	  /* only what is said of it */
	DRAFT_GONE	  /* nothing */
};

struct draft {
	char name[DRAFT_NAME_MAX + 1];
	const char *probe, *interval; /* interval: NULL, the default */
	struct cJSON *variants[DRAFT_VARIANTS], *results[DRAFT_VARIANTS];
	size_t nvariants;
	size_t chosen;	/* the variant that stands in the file */
	size_t parent;	/* 1 + the draft that is its parent; 0: none */
	size_t section; /* 1 + the host it belongs to; 0: the domain; DRAFT_LOCAL: this host */
	enum draft_fate fate;
	bool untried;		   /* it is not run now */
	bool dead;		   /* nobody is there */
	int service;		   /* its number; -1: none */
	bool optional;		   /* only proposed when somebody listens at one of these addresses */
	const char *doors[2];	   /* owned by the site; may be NULL */
	char note[DRAFT_NOTE_MAX]; /* beside what it found; may be "" */
};

enum { DRAFT_LOCAL = 1000 };

struct drafts {
	struct draft v[DRAFTS_MAX];
	size_t n, left_out;
};

/* A new one with one empty variant; NULL: there are too many, which is counted. what: "smtp" makes the name
 * "HOST smtp". */
struct draft *draft_add(struct drafts *d, const char *whose, const char *what, const char *probe,
			const char *interval);
/* A variant more, with a copy of the options of the one before. */
void draft_variant(struct draft *one);
/* Options of the newest variant. */
void draft_set(struct draft *one, const char *option, const char *value);
void draft_set_int(struct draft *one, const char *option, int value);
void draft_set_list(struct draft *one, const char *option, char *const *values, size_t n);
void draft_append(struct draft *one, const char *option, const char *value);
void draft_unset(struct draft *one, const char *option);
/* The resolvers that were wished, under the option's name in this probe. */
void draft_resolvers(struct draft *one, const char *option, const struct wish *w);
void draft_note(struct draft *one, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What the chosen variant found, else what the strictest did; NULL: nothing. */
const struct cJSON *draft_result(const struct draft *one);

/* Tries those from the first-th on: variant after variant until one is OK, each only where the one before was
 * not. False: the prober does not work; why says it. */
bool drafts_try(struct drafts *d, size_t first, const struct wish *w, const char *prober, char *why,
		size_t size);
void drafts_fini(struct drafts *d);

#endif
