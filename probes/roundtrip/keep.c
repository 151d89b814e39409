/* Makes a round trip's state durable while it runs: its token is stored before its message leaves. */
#include "roundtrip.h"

bool rt_keep(struct rt_run *r)
{
	struct buf text;
	bool ok;

	probe_at(r->run, "storing the state");
	buf_init(&text, PROBE_STATE_MAX);
	ok = rt_dump(&r->state, &text) && r->run->store(r->run, text.data, text.len);
	buf_fini(&text);
	return ok;
}
