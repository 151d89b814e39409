/* Time stamps before a line, and what else the formats share; see event.h. */
#include "event.h"

#include <ctype.h>

static bool digits(const char *s, const char *shape)
{
	for (; *shape; s++, shape++) {
		if (*shape == '0' ? !log_digit(*s) : *shape != *s)
			return false;
	}
	return true;
}

const char *log_stamp(const char *s, const char *end, bool *exim)
{
	size_t n = (size_t)(end - s);

	*exim = false;
	if (n > 16 && s[3] == ' ' && s[6] == ' ' && digits(s + 7, "00:00:00 "))
		return s + 16;
	if (n > 20 && digits(s, "0000-00-00")) {
		*exim = s[10] == ' ' && digits(s + 11, "00:00:00");
		if (!*exim && (s[10] != 'T' || !digits(s + 11, "00:00:00")))
			return NULL;
		s = memchr(s + 19, ' ', (size_t)(end - s - 19));
		return s ? s + 1 : NULL;
	}
	return NULL;
}

/* Exim through syslog puts its own stamp in front again. */
const char *log_past_stamp(const char *s, const char *end)
{
	bool exim;
	const char *p = log_stamp(s, end, &exim);

	return p && exim ? p : s;
}

bool log_begins_any(const char *s, const char *end, const char *with)
{
	for (; *with; s++, with++) {
		if (s >= end || tolower((unsigned char)*s) != *with)
			return false;
	}
	return true;
}
