/* Who pages; see standin.h. Called before a shared check's problem is said (settle.c). */
#include "standin.h"

#include <string.h>

static const char *const names[] = {"none", "fine", "pages", "quiet", "blind"};

/* The link is alive: by claim, for the primary and for the stand-in. */
static const enum standin_do table[][2] = {
    [CLAIM_NONE] = {STANDIN_PAGE, STANDIN_WAIT},  [CLAIM_FINE] = {STANDIN_PAGE, STANDIN_WAIT},
    [CLAIM_PAGES] = {STANDIN_MUTE, STANDIN_MUTE}, [CLAIM_QUIET] = {STANDIN_PAGE, STANDIN_MUTE},
    [CLAIM_BLIND] = {STANDIN_PAGE, STANDIN_PAGE},
};

enum standin_do standin_decide(bool primary, enum standin_link link, enum standin_claim claim, bool we_page)
{
	if (link == LINK_UNHEARD)
		return STANDIN_WAIT;
	/* one that stops for a moment has not forgotten what it paged, and its pagerd goes on */
	if (link == LINK_PLANNED && !we_page && (claim == CLAIM_PAGES || claim == CLAIM_QUIET))
		return STANDIN_MUTE;
	if (link != LINK_ALIVE)
		return STANDIN_PAGE;
	/* who pages it keeps it; when both do (the link was cut, or one came back), the primary goes on */
	if (we_page && (primary || claim <= CLAIM_FINE))
		return STANDIN_PAGE;
	return table[claim][!primary];
}

const char *standin_claim_name(enum standin_claim c)
{
	return names[c];
}

bool standin_claim_from_name(const char *s, enum standin_claim *c)
{
	for (int i = 0; i < 5; i++) {
		if (strcmp(s, names[i]) == 0) {
			*c = (enum standin_claim)i;
			return true;
		}
	}
	return false;
}
