/* Any text as Postfix' main.cf: looking a parameter up must end and stay inside its buffers. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "probes/queue/postfix_conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), out[64];
	enum postfix_conf_found found;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	found = postfix_conf_get(text, "/etc/postfix", "queue_directory", out, sizeof(out));
	assert(memchr(out, 0, sizeof(out)));
	assert(found == POSTFIX_CONF_FOUND || found == POSTFIX_CONF_ABSENT || out[0]);
	free(text);
	return 0;
}
