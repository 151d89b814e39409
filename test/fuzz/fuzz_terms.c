/* A condition of an incident's rule and its sentence: any text is read or has a reason, and what was read
 * fits its room. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config/terms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void whole(const char *s, size_t size)
{
	if (!memchr(s, 0, size))
		abort();
}

static void look(const struct condition *c)
{
	if (c->n < 1 || c->n > TERM_ALTERNATIVES)
		abort();
	for (size_t i = 0; i < c->n; i++) {
		const struct term *t = &c->alt[i];
		whole(t->probe, sizeof t->probe);
		whole(t->fact, sizeof t->fact);
		whole(t->word, sizeof t->word);
		whole(t->by_probe, sizeof t->by_probe);
		whole(t->by_fact, sizeof t->by_fact);
		if (!*t->probe || !*t->fact || (t->is_word && !*t->word) || !*term_op_name(t->op))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct condition c;
	char why[200] = "";
	char *text = malloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (condition_parse(text, &c, why, sizeof why))
		look(&c);
	else if (!*why)
		abort();
	*why = '\0';
	if (!sentence_check(text, why, sizeof why) && !*why)
		abort();
	free(text);
	return 0;
}
