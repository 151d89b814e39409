/*
 * `device: simulated`: the simulated modem as a child on a pty.
 */
#ifndef NOTIFIERS_SMS_SIM_H
#define NOTIFIERS_SMS_SIM_H

#include <stdbool.h>
#include <stddef.h>

struct sms_sim;

/* Starts it if it does not run; path receives the pty's path. The phone's lines go to phone_file, NULL: to
 * standard error. False and a reason. */
bool sms_sim_start(struct sms_sim **sim, const char *phone_file, char *path, size_t pathsize, char *why,
		   size_t size);
void sms_sim_stop(struct sms_sim *sim); /* NULL is allowed */

#endif
