/* The mail that a round trip sends, byte for byte. Pure. */
#ifndef PROBES_ROUNDTRIP_MESSAGE_H
#define PROBES_ROUNDTRIP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "token.h"

enum { RT_MESSAGE_MAX = 4096 };

struct rt_letter {
	const char *from, *to; /* addresses that rt_address_ok passed */
	const char *check;
	const void *key;
	size_t key_len;
	struct token token;
	int64_t wall_ms;       /* for Date */
};

/* An address as it may stand in MAIL FROM and in a header without quoting: LOCAL@DOMAIN, ASCII, at most 254 bytes. */
bool rt_address_ok(const char *address);
/* Adds the whole message, lines ending in CRLF, no line starting with a dot. False when it does not fit. */
bool rt_message(const struct rt_letter *l, struct buf *out);

#endif
