/* An incident's file as a crash, a disk or a curious hand may have left it. What is accepted must be written back alike. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/json.h"
#include "pagerd/store/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[256];
	cJSON *v = json_parse((const char *)data, size, RECORD_MAX, NULL);
	struct incident *i = v ? record_read(v, why, sizeof why) : NULL;
	if (i) {
		struct stamp now = {.wall_ms = 1800000000000, .boot_ms = 1000000};
		struct contact_view who[] = {{.name = "oncall", .repeat_ms = 1000, .recovery = true}};
		cJSON *w = record_make(i);
		struct incident *j = record_read(w, why, sizeof why);
		if (!j)
			abort();
		cJSON *x = record_make(j);
		if (!cJSON_Compare(w, x, true))
			abort();
		/* and it can be lived with */
		incident_settle(i, who, 1, &now);
		incident_repeat(i, who, 1, &now);
		incident_ack(i, "a", "b", who, 1, &now, why, sizeof why);
		cJSON_Delete(record_show(i));
		cJSON_Delete(w);
		cJSON_Delete(x);
		incident_free(j);
		incident_free(i);
	}
	cJSON_Delete(v);
	return 0;
}
