/*
 * What the SMS line tells of its modem beside words, for check_modem and whoever reads pagerd's status.
 */
#ifndef NOTIFIERS_SMS_VALUES_H
#define NOTIFIERS_SMS_VALUES_H

#include "lib/json.h"
#include "modem.h"

/* A flat object (doc/contracts.md, "values"); NULL when memory is out. What is not known is left out. */
cJSON *sms_values(const struct modem *m);

#endif
