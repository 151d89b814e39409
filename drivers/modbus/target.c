/* How a Modbus unit is reached; see target.h. */
#include "drivers/modbus/target.h"

#include <stdlib.h>
#include <string.h>

#include "lib/literal.h"

static const char *const table_names[] = {"coil", "discrete", "holding", "input"};

const char *mb_table_name(enum mb_table t)
{
	return table_names[t];
}

void mb_reach_check(const struct mb_reach *r, struct complaints *c)
{
	bool rtu = r->device != NULL;

	if (!r->host == !r->device)
		complaint_add(c, NULL, "host", r->host,
			      "give host (Modbus TCP) or device (RTU), one of them");
	if (r->host && !literal_is_address(r->host))
		complaint_add(c, NULL, "host", r->host,
			      "must be an IPv4 or IPv6 address, because name service may be what is down");
	if (r->unit > 247 && (rtu || r->unit != 255))
		complaint_add(c, NULL, "unit", NULL, "must be 1 to 247%s",
			      rtu ? "" : ", or 255 or 0 for the board itself");
	if (rtu && r->unit == 0)
		complaint_add(c, NULL, "unit", NULL, "0 speaks to all units and is answered by none");
}

struct mb_target mb_reach_target(const struct mb_reach *r)
{
	return (struct mb_target){.host = r->host,
				  .port = (int)r->port,
				  .device = r->device,
				  .baud = (int)r->baud,
				  .parity = "NEO"[r->parity],
				  .stop_bits = (int)r->stop_bits};
}

/* Digits up to the end or to stop; decimal or 0x. */
static bool number(const char **p, const char *end, char stop, int max, int *out)
{
	char digits[16];
	size_t n = 0;
	char *rest;
	long v;

	while (*p < end && **p != stop && n + 1 < sizeof(digits))
		digits[n++] = *(*p)++;
	digits[n] = '\0';
	if (n == 0 || digits[0] < '0' || digits[0] > '9')
		return false;
	v = strtol(digits, &rest, strncmp(digits, "0x", 2) == 0 ? 16 : 10);
	*out = (int)v;
	return *rest == '\0' && v >= 0 && v <= max && (*p == end || **p == stop);
}

bool mb_point_parse(const char *text, size_t len, struct mb_point *p, const char **why)
{
	const char *end = text + len, *at = memchr(text, ':', len);
	size_t t = 0, n = at ? (size_t)(at - text) : 0;

	*p = (struct mb_point){.unit = -1};
	while (t < 4 && (n != strlen(table_names[t]) || strncmp(text, table_names[t], n) != 0))
		t++;
	if (t == 4) {
		*why = "must be coil:N, discrete:N, holding:N or input:N";
		return false;
	}
	p->table = (enum mb_table)t;
	at++;
	if (!number(&at, end, '@', 65535, &p->address)) {
		*why = "the address must be 0 to 65535, as on the wire (the first is 0)";
		return false;
	}
	if (at == end)
		return true;
	at++;
	if (number(&at, end, '\0', 255, &p->unit) && at == end)
		return true;
	*why = "the unit behind \"@\" must be 0 to 255";
	return false;
}
