/* See sessions.h. */
#include "sessions.h"

#include "print.h"

void log_sessions_fill(struct log_sessions *s, struct log_event *e)
{
	uint64_t id = log_print(e->id.s, e->id.n);
	size_t i = id % LOG_SESSIONS;

	if (e->client.s && e->client.n < LOG_ADDRESS_BYTES) {
		s->slot[i].id = id;
		memcpy(s->slot[i].client, e->client.s, e->client.n);
		s->slot[i].client[e->client.n] = '\0';
	} else if (!e->client.s && s->slot[i].id == id) {
		e->client = (struct log_span){s->slot[i].client, strlen(s->slot[i].client)};
	}
}
