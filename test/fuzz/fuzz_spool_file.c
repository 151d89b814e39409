/* A file in the spool's new/: whatever a script dropped. What is accepted survives its own JSON. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/contract/event.h"
#include "lib/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *reason = NULL;
	char why[256], id[EVENT_NAME_MAX * 3 + 24], again_id[EVENT_NAME_MAX * 3 + 24];
	struct event e, again;
	cJSON *v = json_parse((const char *)data, size, JSON_LINE_MAX, &reason);
	if (!v)
		return 0;
	if (event_from_json(&e, v, "stem", why, sizeof why)) {
		event_id(&e, id, sizeof id);
		cJSON *o = event_to_json(&e);
		if (!event_from_json(&again, o, "other", why, sizeof why))
			abort();
		if (strcmp(event_id(&again, again_id, sizeof again_id), id) != 0 || strchr(id, '/') || id[0] == '.')
			abort();
		cJSON_Delete(o);
		event_fini(&again);
		event_fini(&e);
	}
	cJSON_Delete(v);
	return 0;
}
