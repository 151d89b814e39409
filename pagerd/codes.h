/*
 * The short codes in pages: who answers with one acknowledges what it stands for. One per incident and contact, or one for all that a
 * digest told; used once, a new one when the incident got worse. Called by sending.c (pages), answers.c (messages).
 */
#ifndef PAGERD_CODES_H
#define PAGERD_CODES_H

#include "state.h"

/* The code that a page of this incident to this contact carries: made when there is none, or a used one. ""
 * for who may not acknowledge by a message. */
void codes_for(struct pager *p, struct incident *i, const char *contact, char out[8]);
/* The code that this contact has for this incident, "" when there is none. */
const char *codes_of(struct incident *i, const char *contact);
/* Gives an incident that has none the code of a digest: whoever uses it acknowledges all that share it. */
void codes_share(struct incident *i, const char *contact, const char *code);
/* The incident's record of a contact, or NULL. */
struct inc_contact *codes_contact(struct incident *i, const char *name);

#endif
