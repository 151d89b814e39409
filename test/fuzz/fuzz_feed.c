/* A line for monitorctl feed: whatever it holds, its fields lie in it, or there is a reason. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "monitord/ctl/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed_line l = {0};
	const char *why = NULL;
	char *text = malloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	bool good = feed_parse(text, &l, &why);
	if (good ? (!*l.host || l.state < 0 || l.state > 3 || l.output < text ||
		    l.output + strlen(l.output) > text + size)
		 : !why)
		abort();
	free(text);
	return 0;
}
