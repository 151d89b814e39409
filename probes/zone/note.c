/*
 * The worst finding is what people read first.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "zone.h"

void zone_note(struct zone_look *l, enum nag_state s, const char *layer, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	result_more(l->result, "%s", text);
	if (l->text[0] && nag_worse(s, l->state) == l->state)
		return;
	l->state = s;
	snprintf(l->layer, sizeof(l->layer), "%s", s == NAG_OK ? "" : layer);
	memcpy(l->text, text, sizeof(text));
}
