/* What a queue is made of; see shape.h. Called by read.c for each message of the sample. */
#include "shape.h"

#include <stdio.h>
#include <string.h>

const int64_t queue_age_limit_ms[QUEUE_AGES - 1] = {10 * 60000, 3600000, 24 * 3600000, 72 * 3600000};

bool queue_shape_init(struct queue_shape *sh, bool by_domain)
{
	struct top **tops[] = {&sh->senders, &sh->rcpts,    &sh->domains,
			       &sh->clients, &sh->accounts, &sh->account_clients};

	for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++) {
		*tops[i] = top_new(QUEUE_TOP_ROOM);
		if (!*tops[i])
			return false;
	}
	if (!by_domain)
		return true;
	sh->from = top_new(QUEUE_TOP_ROOM);
	sh->by = top_new(QUEUE_TOP_ROOM);
	return sh->from && sh->by;
}

void queue_shape_fini(struct queue_shape *sh)
{
	top_free(sh->senders);
	top_free(sh->rcpts);
	top_free(sh->domains);
	top_free(sh->clients);
	top_free(sh->accounts);
	top_free(sh->account_clients);
	top_free(sh->from);
	top_free(sh->by);
}

void queue_shape_rcpt(struct queue_shape *sh, const char *address, bool done)
{
	const char *at = strrchr(address, '@');
	char domain[QUEUE_ADDRESS_MAX];
	size_t n = 0;

	if (done || sh->rcpts_of_this++ >= QUEUE_RCPTS_MAX)
		return;
	top_add(sh->rcpts, address);
	for (at = at ? at + 1 : ""; at[n] && n < sizeof(domain) - 1; n++)
		domain[n] = (char)(at[n] >= 'A' && at[n] <= 'Z' ? at[n] | 0x20 : at[n]);
	domain[n] = '\0';
	top_add(sh->domains, n ? domain : "(no domain)");
}

static void account(struct queue_shape *sh, const struct queue_message *m)
{
	char pair[sizeof(m->account) + sizeof(m->client) + 2];

	if (!m->account[0])
		return;
	sh->with_account++;
	top_add(sh->accounts, m->account);
	snprintf(pair, sizeof(pair), "%s\n%s", m->account, m->client);
	top_add(sh->account_clients, pair);
}

/* The last two labels of a name: "mx1.mail.example.org" counts for example.org. */
static void last_two(struct top *t, const char *name)
{
	const char *at = name + strlen(name);
	int dots = 0;

	while (at > name && (at[-1] != '.' || ++dots < 2))
		at--;
	if (dots && strchr(at, '.'))
		top_add(t, at);
}

static void domains(struct queue_shape *sh, const struct queue_message *m)
{
	const char *at = strrchr(m->sender, '@');

	if (at)
		last_two(sh->from, at + 1);
	if (m->host[0])
		last_two(sh->by, m->host);
}

void queue_shape_add(struct queue_shape *sh, const struct queue_message *m, int64_t now_ms)
{
	int age = 0;

	sh->rcpts_of_this = 0;
	sh->read++;
	if (m->has_sender && !m->sender[0])
		sh->null_senders++;
	top_add(sh->senders, m->sender[0] ? m->sender : "<>");
	if (m->client[0])
		top_add(sh->clients, m->client);
	else
		sh->local++;
	sh->frozen += m->frozen;
	account(sh, m);
	if (sh->from)
		domains(sh, m);
	while (age < QUEUE_AGES - 1 && now_ms - m->arrival_ms >= queue_age_limit_ms[age])
		age++;
	sh->age[age]++;
}

void queue_shape_miss(struct queue_shape *sh, enum queue_got got, int error)
{
	sh->rcpts_of_this = 0;
	switch (got) {
	case QUEUE_GOT:
		break;
	case QUEUE_GONE:
		sh->vanished++;
		break;
	case QUEUE_UNFINISHED:
		sh->incomplete++;
		break;
	case QUEUE_DAMAGED:
		sh->broken++;
		break;
	case QUEUE_FOREIGN:
		sh->foreign++;
		break;
	case QUEUE_REFUSED:
		sh->denied++;
		sh->denied_error = error;
		break;
	}
}

void queue_age_note(struct queue_age *a, int64_t ms)
{
	if (ms <= 0)
		return;
	a->read++;
	if (!a->oldest_ms || ms < a->oldest_ms)
		a->oldest_ms = ms;
}
