/*
 * A visit to each address of a relay or delivery agent, and the result: the run of check_smtp and check_lmtp.
 */
#ifndef PROBES_SMTP_TOUR_H
#define PROBES_SMTP_TOUR_H

#include "conf.h"

struct probe_run;

void smtp_tour(const struct smtp_conf *o, struct probe_run *run);

#endif
