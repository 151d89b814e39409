/*
 * The conditions of an incident's rule, as they are written: "queue.growth_per_min >= 600", alternatives
 * joined by " or ", and "not " before the whole. A number may be a multiple of another fact: "load.load1 >= 2
 * * load.cores". Read by the loader (incidents.c) for what a user wrote and by monitord/rules for the
 * built-in table. Pure.
 */
#ifndef LIB_CONFIG_TERMS_H
#define LIB_CONFIG_TERMS_H

#include <stdbool.h>
#include <stddef.h>

enum { TERM_WORD = 40, TERM_ALTERNATIVES = 10 };
enum term_op { TERM_GE, TERM_LE, TERM_GT, TERM_LT, TERM_EQ, TERM_NE };

struct term {
	char probe[TERM_WORD], fact[TERM_WORD];
	enum term_op op;
	bool is_word;
	char word[TERM_WORD]; /* is_word */
	double value;
	char by_probe[TERM_WORD], by_fact[TERM_WORD]; /* value is times this fact; "": as it stands */
};

struct condition {
	bool negated;
	size_t n;
	struct term alt[TERM_ALTERNATIVES];
};

/* False, and a reason in why. */
bool condition_parse(const char *text, struct condition *c, char *why, size_t size);
const char *term_op_name(enum term_op op);
/* Whether a sentence's placeholders and brackets are well-formed: "{queue|log.top_client}", "{queue.share%}",
 * "[, optional]". */
bool sentence_check(const char *text, char *why, size_t size);

#endif
