/*
 * The phone at the far end of the simulated modem: joins the parts of long messages and shows them, one line
 * each; every single PDU goes to a file as a JSON line.
 */
#ifndef DRIVERS_SIM_SIMPHONE_H
#define DRIVERS_SIM_SIMPHONE_H

#include "simmodem.h"

struct simphone;

/* show: lines for people go to stdout and, if not NULL, to the file phone; json: JSON lines; number: who
 * sends. NULL with a reason. Files are appended to. */
struct simphone *simphone_new(const char *phone, const char *json, const char *number, char *why,
			      size_t size);
void simphone_free(struct simphone *p);
/* It begins or ends to ring. */
void simphone_ring(struct simphone *p, const char *number, bool on);
void simphone_take(struct simphone *p, const struct sim_message *m);

#endif
