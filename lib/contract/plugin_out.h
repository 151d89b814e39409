/*
 * What a foreign Nagios plugin wrote, as a result: line 1, further lines, performance
 * data. Follows the Nagios plugin guidelines and what Nagios itself takes: text up to
 * '|' on line 1, then lines of text up to the first '|', then performance data to the
 * end. Pure, and made for hostile bytes: junk is left out and counted, never an error.
 */
#ifndef LIB_CONTRACT_PLUGIN_OUT_H
#define LIB_CONTRACT_PLUGIN_OUT_H

#include <stddef.h>

#include "result.h"

/* Fills text, more and perf of r (replacing what was there); state, measured and layer stay. Text may come
 * out empty. What does not fit is said in a last line. */
void plugin_out_parse(const char *bytes, size_t len, struct result *r);

#endif
