/*
 * The diagnosis at work: what monitord holds of its checks, as monitord/rules/diagnose.h wants it. Called
 * when a problem is said (say.c) and when somebody asks (snapshot.c).
 */
#ifndef MONITORD_DIAGNOSIS_H
#define MONITORD_DIAGNOSIS_H

#include <stdbool.h>

struct check;
struct cJSON;
struct super;

/* Remembers of the facts that just came what a later day is measured by. */
void diagnosis_learn(struct check *c);
/* Names the problem of c, in c->named and c->named_ja. What it was told as stays, unless something is
 * recognised now; when nothing is said now (saying false) it gives way only to a cause that ranks higher, and
 * not often. True: it has a name of another row than before. */
bool diagnosis_name(struct super *s, struct check *c, bool saying);
/* Its problem is over: takes the name out. */
void diagnosis_over(struct check *c);
/* The array "diagnosis" of the snapshot: what is recognised now, the likeliest cause first. */
void diagnosis_to_json(const struct super *s, struct cJSON *o);

#endif
