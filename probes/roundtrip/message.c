/*
 * The mail that a round trip sends (see message.h). Called by check_roundtrip.
 * Auto-Submitted (RFC 3834) keeps vacation programs quiet. There is no Precedence:
 * some relays sort their queue by it, and then we would measure that.
 */
#include "message.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

bool rt_address_ok(const char *address)
{
	static const char local[] = "!#$%&'*+-/=?^_`{|}~.", domain[] = "-.[]:";
	const char *at = strrchr(address, '@');

	if (!at || at == address || !at[1] || strlen(address) > 254)
		return false;
	for (const char *p = address; *p; p++) {
		const char *more = p < at ? local : domain;

		if (p != at && (*p & 0x80 || (!isalnum((unsigned char)*p) && !strchr(more, *p))))
			return false;
	}
	return true;
}

static void date(int64_t wall_ms, char *out, size_t size)
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm = {0};

	gmtime_r(&t, &tm);
	/* not strftime: its names follow the locale */
	snprintf(out, size, "%.3s, %d %.3s %d %02d:%02d:%02d +0000", days + 3 * tm.tm_wday, tm.tm_mday,
		 months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

bool rt_message(const struct rt_letter *l, struct buf *out)
{
	char when[64], name[TOKEN_CHECK_MAX + 1];

	date(l->wall_ms, when, sizeof(when));
	token_check_name(l->check, name, sizeof(name));
	return buf_puts(out, TOKEN_HEADER ": ") && token_value(l->key, l->key_len, l->check, &l->token, out) &&
	       buf_printf(out, "\r\nFrom: %s\r\nTo: %s\r\nDate: %s\r\nMessage-ID: <%s.%" PRIu64 ".monitord%s>\r\n",
			  l->from, l->to, when, l->token.hex, l->token.run, strrchr(l->from, '@')) &&
	       buf_printf(out, "Subject: monitord round trip %s %" PRIu64 "\r\n", name, l->token.run) &&
	       buf_puts(out, "Auto-Submitted: auto-generated\r\n"
			     "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
			     "monitord sent this mail to measure how long mail takes. It deletes it from the\r\n"
			     "mailbox as soon as it finds it there. If it reaches a person, mail is going astray.\r\n");
}
