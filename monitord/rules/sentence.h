/* An incident in words: the page's sentence with the facts in it. Pure. Called by diagnose.c. */
#ifndef MONITORD_RULES_SENTENCE_H
#define MONITORD_RULES_SENTENCE_H

#include "diagnose.h"

/* A name longer than this is cut in a sentence: what to do about it must still fit a text message. */
enum { SENTENCE_NAME_MAX = 80 };

/* The sentence with the facts in it; optional parts whose facts are unknown are left out. */
void diag_sentence(const char *text, const struct diag_name *d, char *out, size_t size);
/* Adds text, as much as fits, and no half character. */
void sentence_add(char *out, size_t size, const char *text);

#endif
