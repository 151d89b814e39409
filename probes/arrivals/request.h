/*
 * One request of a Postfix policy client (SMTPD_POLICY_README): lines NAME=VALUE, ended by an empty one.
 * Bytes are fed as they come; only what is counted is kept. Pure; called by the policy service.
 */
#ifndef PROBES_ARRIVALS_REQUEST_H
#define PROBES_ARRIVALS_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "origins.h"

enum { POLICY_REQUEST_MAX = 65536, POLICY_LINE_MAX = 1024 };

enum policy_step { POLICY_MORE, POLICY_DONE, POLICY_BAD };

struct policy_request {
	char client[ORIGIN_NAME_MAX], sasl[ORIGIN_NAME_MAX], uid[ORIGIN_NAME_MAX], instance[ORIGIN_NAME_MAX];
	size_t bytes; /* so far; 0: none has begun */
	char line[POLICY_LINE_MAX];
	size_t len; /* of the line that is being read; what is beyond POLICY_LINE_MAX is passed over */
	bool named; /* it said what it is: request=smtpd_access_policy */
};

void policy_request_begin(struct policy_request *r);
/* Takes bytes up to the end of a request; *used says how many. POLICY_BAD: no policy request, or one without
 * end. */
enum policy_step policy_request_feed(struct policy_request *r, const char *data, size_t n, size_t *used);

#endif
