/* A check's record as a crash, a disk or a curious hand may have left it: taken or refused, and what was
 * taken is written back so that it is taken again, with the same numbers. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "monitord/store/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct conf_check conf = {.name = "mx1", .probe = "smtp", .max_check_attempts = 3};
	char why[200] = "";
	struct check *c = check_new("mx1", CHECK_NET), *d = check_new("mx1", CHECK_NET);
	struct stamp now = {.wall_ms = 1800000000000, .boot_ms = 1000000};
	c->conf = d->conf = &conf;
	if (!record_decode(c, (const char *)data, size, why, sizeof why)) {
		if (!why[0] || c->out)
			abort();
	} else {
		struct judge_env env = {0};
		struct judge_say say;
		size_t len = 0;
		char *text = record_encode(c, &len);
		if (text && !record_decode(d, text, len, why, sizeof why))
			abort();
		if (text && (d->judge.change != c->judge.change || d->nout != c->nout))
			abort();
		free(text);
		/* whatever was in it, judging goes on */
		uint64_t change = c->judge.change;
		judge_result(&c->judge, 3, NAG_CRITICAL, true, &now);
		bool any = judge_settle(&c->judge, &env, &now, &say);
		if (c->judge.change != change + any)
			abort();
	}
	check_free(c);
	check_free(d);
	return 0;
}
