/* See values.h. */
#include "values.h"

static void add_ussd(cJSON *v, const struct modem_ussd *u)
{
	char date[32];

	if (u->error[0] != '\0')
		cJSON_AddStringToObject(v, "ussd_error", u->error);
	if (u->at_wall_ms == 0)
		return;
	cJSON_AddStringToObject(v, "ussd_text", u->text);
	json_add_int(v, "ussd_wall_ms", u->at_wall_ms);
	if (u->has_balance)
		cJSON_AddNumberToObject(v, "balance", u->balance);
	if (u->has_validity) {
		json_add_int(v, "valid_until_wall_ms", u->valid_until_wall_ms);
		clock_iso(u->valid_until_wall_ms, date, sizeof(date));
		date[10] = '\0';
		cJSON_AddStringToObject(v, "valid_until", date);
	}
}

static void add_radio(cJSON *v, const struct modem *m)
{
	cJSON_AddStringToObject(v, "registration", at_registration_text(gsm_registration(&m->info)));
	cJSON_AddBoolToObject(v, "registered", modem_registered(m));
	if (gsm_dbm(m->info.csq) != 0) {
		json_add_int(v, "csq", m->info.csq);
		json_add_int(v, "dbm", gsm_dbm(m->info.csq));
	}
	if (m->info.total >= 0) {
		json_add_int(v, "storage_used", m->info.used);
		json_add_int(v, "storage_total", m->info.total);
	}
	if (m->info.operator[0] != '\0')
		cJSON_AddStringToObject(v, "operator", m->info.operator);
}

cJSON *sms_values(const struct modem *m)
{
	static const char *const voice[] = {"untried", "yes", "none"};
	cJSON *v = cJSON_CreateObject();

	cJSON_AddStringToObject(v, "kind", "gsm");
	cJSON_AddBoolToObject(v, "up", m->up);
	if (m->up)
		add_radio(v, m);
	if (m->accepted_wall_ms > 0)
		json_add_int(v, "accepted_wall_ms", m->accepted_wall_ms);
	if (m->delivered_wall_ms > 0)
		json_add_int(v, "delivered_wall_ms", m->delivered_wall_ms);
	cJSON_AddStringToObject(v, "voice", voice[m->voice]);
	if (m->conf->ussd != NULL)
		add_ussd(v, &m->ussd);
	return v;
}
