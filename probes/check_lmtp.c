/*
 * lmtp: does a local delivery agent answer, and does it take the mail of its users? LHLO, MAIL FROM, RCPT TO
 * for each recipient, RSET, QUIT, over TCP or a unix socket; no mail is sent. All of it is smtp/tour.c's.
 */
#include "probe.h"
#include "probes/smtp/tour.h"

static void run_lmtp(struct probe_run *run)
{
	struct smtp_conf o = *(const struct smtp_conf *)run->conf; /* its lists stay the caller's */

	o.lmtp = true;
	smtp_tour(&o, run);
}

const struct probe probe_lmtp = {
    .name = "lmtp",
    .help = "an LMTP delivery agent: reachable, greeting, LHLO, and each recipient that it must take",
    .place = PROBE_NET,
    .opts = lmtp_opts,
    .conf_size = sizeof(struct smtp_conf),
    .host_option = "host",
    .check_conf = smtp_conf_check,
    .global_init = smtp_global_init,
    .run = run_lmtp,
};
