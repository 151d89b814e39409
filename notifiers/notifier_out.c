/*
 * What a notifier says to its parent, one JSON line at a time. For notifier.c and, through notifier.h, the
 * notifiers.
 */
#include "notifier_out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/log.h"
#include "notifier.h"

enum { TEXT_MAX = 512 };

/* The parent's pipe. notifier_health() and its sisters take no session, hence these two. */
static int out_fd = STDOUT_FILENO;
static bool gone;

static void write_all(const char *data, size_t len)
{
	while (len > 0 && !gone) {
		ssize_t n = write(out_fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = {.fd = out_fd, .events = POLLOUT};

			poll(&p, 1, -1);
			continue;
		}
		if (n <= 0) {
			/* The parent is gone: what is in hand is finished, nobody can be told. */
			gone = true;
			return;
		}
		data += n;
		len -= (size_t)n;
	}
}

void out_say(cJSON *v)
{
	struct buf b;

	buf_init(&b, JSON_LINE_MAX);
	if (v != NULL && json_line(v, &b))
		write_all(b.data, b.len);
	else
		log_err("could not say a line to the parent: too long or out of memory");
	buf_fini(&b);
	cJSON_Delete(v);
}

/* {"what":{...}}: returns the outer object, *inner the inner one. */
static cJSON *wrap(const char *what, cJSON **inner)
{
	cJSON *v = cJSON_CreateObject();

	*inner = cJSON_AddObjectToObject(v, what);
	return v;
}

void notifier_late(const char *id, enum outcome o, const char *detail)
{
	cJSON *inner, *v = wrap("outcome", &inner);

	cJSON_AddStringToObject(inner, "id", id);
	cJSON_AddStringToObject(inner, "result", outcome_name(o));
	cJSON_AddStringToObject(inner, "detail", detail);
	out_say(v);
}

void notifier_health_values(bool ok, const char *text, cJSON *values)
{
	cJSON *inner, *v = wrap("health", &inner);

	cJSON_AddBoolToObject(inner, "ok", ok);
	cJSON_AddStringToObject(inner, "text", text);
	if (values != NULL)
		cJSON_AddItemToObject(inner, "values", values);
	out_say(v);
}

void notifier_health(bool ok, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	notifier_health_values(ok, text, NULL);
}

void notifier_received(const struct received *r)
{
	cJSON *inner, *v = wrap("received", &inner);

	if (r->id[0] != '\0')
		cJSON_AddStringToObject(inner, "id", r->id);
	cJSON_AddStringToObject(inner, "from", r->from);
	cJSON_AddStringToObject(inner, "text", r->text);
	json_add_int(inner, "at_wall_ms", r->at_wall_ms);
	out_say(v);
}

void notifier_report(const char *id, bool delivered, const char *detail)
{
	cJSON *inner, *v = wrap("report", &inner);

	cJSON_AddStringToObject(inner, "id", id);
	cJSON_AddBoolToObject(inner, "delivered", delivered);
	cJSON_AddStringToObject(inner, "detail", detail);
	out_say(v);
}

void notifier_confirms_nothing(void)
{
	cJSON *v = cJSON_CreateObject();

	cJSON_AddBoolToObject(v, "confirms", false);
	out_say(v);
}

void out_own(void)
{
	int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return;
	out_fd = fd;
	dup2(STDERR_FILENO, STDOUT_FILENO);
}

bool out_gone(void)
{
	return gone;
}
