/*
 * The table of incidents: a row is a name, what must hold, and what the page then says. To add one, add a row
 * here or under `incidents:` in conf.d/. doc/diagnosis.md gives the reason for every threshold;
 * test/unit/test_diagnose.c has each row's facts, and a quiet and a busy day that must name nothing. The condition that
 * holds most rarely goes first: a row of the whole site tries each check for it with each for the next.
 */
#include "diagnose.h"

#define RESOLVER_DEAD                                                                                            \
	"dns.resolver_dead >= 1 or mx.resolver_dead >= 1 or spf.resolver_dead >= 1 or dnsbl.resolver_dead >= 1 or "  \
	"dkim.resolver_dead >= 1 or dmarc.resolver_dead >= 1 or mta_sts.resolver_dead >= 1 or tlsa.resolver_dead >= 1 or "

#define SMTP_DOWN "smtp.layer = refused or smtp.layer = timeout or smtp.layer = unreachable or smtp.layer = closed"

const struct diag_rule diag_builtin[] = {
    {"dns_down",
     95,
     true,
     "smtp queue log mx roundtrip relay spf dnsbl dns dkim dmarc mta_sts tlsa lmtp imap pop3 http",
     {RESOLVER_DEAD "log.dns_failed_per_min >= 30", RESOLVER_DEAD "log.dns_failed_per_min >= 0.8 * log.deferred_per_min",
      RESOLVER_DEAD "log.sent_per_min <= 0.7 * log.received_per_min",
      NULL},
     "DNS down[: {dns.resolver} does not answer][, {log.dns_failed_per_min} mails a minute fail for it]; "
     "mend the resolver, mail waits",
     "DNS停止[: {dns.resolver}応答なし][ 毎分{log.dns_failed_per_min}通失敗]; リゾルバを直す"},
    {"disk_full",
     68,
     false,
     "queue smtp log",
     {"disk.used_share >= 0.95 or disk.full_in_s <= 14400 or log.disk_full_per_min >= 1",
      "disk.state != ok or log.disk_full_per_min >= 1", NULL},
     "disk or log full[: {disk.path}][, {disk.used_share%} used][, full in {disk.full_in_s~}]"
     "[: {log.disk_full_per_min} mails a minute find no room]; find what grows, make room",
     "ディスク満杯: [{disk.path}][ {disk.used_share%}使用][ あと{disk.full_in_s~}][ "
     "毎分{log.disk_full_per_min}通]; 空きを作る"},
    {"inodes_full",
     68,
     false,
     "queue smtp log",
     {"disk.inode_used_share >= 0.95", "disk.state != ok", NULL},
     "no inodes left: {disk.path}, {disk.inode_used_share%} used; find what makes so many files, remove them",
     "inode枯渇: {disk.path} {disk.inode_used_share%}; 大量の小ファイルを探し削除"},
    {"mail_loop",
     80,
     false,
     "queue log load disk",
     {"log.too_many_hops_per_min >= 1 or queue.top_rcpt_share >= 0.6",
      "log.too_many_hops_per_min >= 1 or queue.young_share >= 0.5",
      "log.too_many_hops_per_min >= 1 or queue.growth_per_min >= 30",
      "log.too_many_hops_per_min >= 1 or queue.null_sender_share >= 0.5 or queue.top_sender_share >= 0.5",
      "log.too_many_hops_per_min >= 1 or queue.top_client = unknown or queue.top_client = 127.0.0.1 or "
      "queue.top_client = ::1 or queue.top_client_share < 0.5",
      NULL},
     "mail loop: [{log.hops_rcpt}][, {log.too_many_hops_per_min} a minute with too many "
     "hops][{queue.top_rcpt}, {queue.top_rcpt_share%} of "
     "{queue.total}][ from {queue.top_sender}]; see its forward or vacation setting",
     "メールループ: [{log.hops_rcpt}][{queue.top_rcpt} {queue.top_rcpt_share%}]; 転送・不在通知設定を見る"},
    {"auth_abuse",
     78,
     false,
     "queue log rate disk",
     {"queue.top_sasl_clients >= 5 or log.top_sasl_clients >= 5 or rate.top_sasl_clients >= 5",
      "queue.top_sasl_share >= 0.3 or log.top_sasl_share >= 0.3 or rate.top_sasl_share >= 0.3",
      "queue.growth_per_min >= 60 or log.top_sasl_per_min >= 60 or rate.top_sasl_per_min >= 60", NULL},
     "relay abuse: {queue|log|rate.top_sasl} from {queue|log|rate.top_sasl_clients} addresses[, "
     "{queue|log|rate.top_sasl_share%} of the mail]; "
     "disable the account, hold its mail",
     "不正中継: {queue|log|rate.top_sasl} {queue|log|rate.top_sasl_clients}か所から; アカウント停止、保留"},
    {"open_relay",
     77,
     false,
     "queue log disk",
     {"relay.open_relay >= 1", NULL},
     "relay abuse: {relay.host} is an open relay[ by {relay.open_relay_form}]; close it, hold what is queued",
     "オープンリレー: {relay.host}[ {relay.open_relay_form}]; 閉じる、保留する"},
    {"backscatter",
     75,
     false,
     "queue log disk",
     {"log.user_unknown_per_min >= 100 or queue.null_sender_share >= 0.5",
      "log.user_unknown_per_min >= 100 or queue.growth_per_min >= 30",
      "log.user_unknown_per_min >= 100 or queue.young_share >= 0.3", NULL},
     "backscatter: [{queue.null_sender_share%} of {queue.total} are bounces][, {log.user_unknown_per_min} "
     "unknown users a minute][ from "
     "{log.user_unknown_client}]; reject at RCPT, never queue",
     "宛先探索/不達通知: [{queue.total}通の{queue.null_sender_share%}が不達][ {log.user_unknown_client}]; "
     "RCPTで拒否"},
    {"mail_bomb_at_one",
     71,
     false,
     "queue log rate load disk",
     {"queue.top_rcpt_share >= 0.6", "queue.young_share >= 0.5", "queue.growth_per_min >= 60",
      "queue.total >= 50", "not queue.null_sender_share >= 0.5",
      "queue.top_sender_share < 0.5 or queue.top_client_share >= 0.5", NULL},
     "mail bomb at {queue.top_rcpt}: {queue.top_rcpt_share%} of {queue.total}, {queue.growth_per_min} a "
     "minute[, {queue.top_client_share%} from {queue.top_client}]; hold mail to it, block who sends",
     "メール爆弾: {queue.top_rcpt}宛 毎分{queue.growth_per_min}通[ {queue.top_client}]; 宛先を保留、送信元遮断"},
    {"mail_bomb",
     70,
     false,
     "queue log rate load disk",
     {"log.top_client_per_min >= 600 or rate.top_client_per_min >= 600 or queue.growth_per_min >= 600",
      "log.top_client_share >= 0.5 or rate.top_client_share >= 0.5 or queue.top_client_share >= 0.15 or "
      "queue.top_sender_share >= 0.15",
      "log.top_client_share >= 0.5 or rate.top_client_share >= 0.5 or queue.young_share >= 0.3 or "
      "queue.young_share >= 0.8 * queue.top_client_share",
      "queue.growth_per_min >= 60 or log.deferred_per_min >= 0.5 * log.top_client_per_min or "
      "log.bounced_per_min >= 0.3 * log.top_client_per_min or log.top_client_unusual >= 10 or "
      "rate.top_client_unusual >= 10",
      "not queue.growth_per_min < 60",
      "not log.top_client_usual_per_min >= 0.5 * log.top_client_per_min or rate.top_client_usual_per_min >= "
      "0.5 * rate.top_client_per_min or queue.top_client_usual_per_min >= 0.5 * queue.growth_per_min",
      NULL},
     "mail bomb from inside[: {log|queue.top_sender}][, {queue.top_sender_share%} of {queue.total}][, "
     "{queue.growth_per_min|log.top_client_per_min|rate.top_client_per_min} a minute]"
     "[ from {log|rate|queue.top_client}]; block that client, hold its mail",
     "内部メール爆弾[: {log|queue.top_sender}][ 毎分{queue.growth_per_min|log|rate.top_client_per_min}通]"
     "[ {log|rate|queue.top_client}]; 遮断し保留"},
    {"own_address_listed",
     65,
     true,
     "queue log",
     {"dnsbl.listed >= 1 or log.listed_per_min >= 5", NULL},
     "own address listed: [{dnsbl.address} on {dnsbl.list}][ since {dnsbl.since}][{log.listed_text}]; find "
     "what it sent, then ask for removal",
     "ブラックリスト掲載: [{dnsbl.address} {dnsbl.list}][{log.listed_text}]; 原因を止め削除申請"},
    {"spf_drift",
     64,
     true,
     "queue log",
     {"spf.state = critical or spf.state = warning or log.spf_rejected_per_min >= 5",
      "spf.result = fail or spf.result = softfail or spf.result = neutral or spf.result = permerror or "
      "log.spf_rejected_per_min >= 5",
      NULL},
     "SPF does not pass [{spf.failed_address}][{log.spf_rejected_client}][ ({spf.result} by {spf.term})][, "
     "sends for us since {spf.failed_address_new}]; add the address to the record[: {spf.record}]",
     "SPF不一致: [{spf.failed_address}][{log.spf_rejected_client}][ {spf.term}]; レコードに追加"},
    {"scanner_stuck",
     60,
     false,
     "queue",
     {"queue.stage_mqueue_rx_growth_per_min >= 5", "queue.stage_mqueue_rx >= 10",
      "queue.stage_mqueue_growth_per_min <= 0", NULL},
     "scanner stage stuck: mqueue-rx {queue.stage_mqueue_rx}, +{queue.stage_mqueue_rx_growth_per_min} a "
     "minute, mqueue drains; restart the "
     "stage between",
     "スキャナ停止: mqueue-rx {queue.stage_mqueue_rx}通 毎分+{queue.stage_mqueue_rx_growth_per_min}; "
     "中間段を再起動"},
    {"relay_down",
     55,
     false,
     "queue roundtrip mx",
     {"smtp.state = critical", SMTP_DOWN, NULL},
     "relay down: {smtp.host} ({smtp.layer}); restart it or route around",
     "リレー停止: {smtp.host} ({smtp.layer}); 再起動か迂回"},
    {"relay_down_trip",
     54,
     false,
     "queue mx",
     {"roundtrip.state = critical", "roundtrip.refused >= 1 or roundtrip.timed_out >= 1", "not " SMTP_DOWN, NULL},
     "relay down: {roundtrip.host} ({roundtrip.layer}) takes no test mail; restart it or route around",
     "リレー停止: {roundtrip.host} ({roundtrip.layer}) 試験メール不可; 再起動か迂回"},
    {"backup_dead",
     50,
     false,
     "",
     {"mx.backup_dead >= 1 or relay.backup_dead >= 1 or roundtrip.backup_dead >= 1", NULL},
     "backup path dead: {mx|relay|roundtrip.backup_host} takes no mail; mend it before it is needed",
     "予備経路停止: {mx|relay|roundtrip.backup_host}; 必要になる前に直す"},
    {"relay_down_queued",
     73,
     true,
     "queue roundtrip mx",
     {"log.unreachable_per_min >= 30", "log.unreachable_per_min >= 0.8 * log.deferred_per_min",
      "smtp.state = critical", SMTP_DOWN, NULL},
     "relay down: {smtp.host} ({smtp.layer}), {log.unreachable_per_min} mails a minute find nobody; restart "
     "it or route around",
     "リレー停止: {smtp.host} ({smtp.layer}) 毎分{log.unreachable_per_min}通; 再起動か迂回"},
    {"stage_down",
     72,
     false,
     "queue roundtrip",
     {"log.stage_down_per_min >= 10", "log.stage_down_per_min >= 0.8 * log.deferred_per_min", NULL},
     "stage of this host stuck: {log.stage_down} takes no mail, {log.stage_down_per_min} a minute wait for it; "
     "restart what listens there (content filter, store)",
     "内部段停止: {log.stage_down}応答なし 毎分{log.stage_down_per_min}通; フィルタ等を再起動"},
    {"mail_lost",
     40,
     false,
     "",
     {"roundtrip.lost >= 1", "roundtrip.state = critical", NULL},
     "mail is lost: {roundtrip.host} took it, it never came (test mails: {roundtrip.lost} lost[, {roundtrip.pending} under "
     "way]); follow one through the relay's log to the store",
     "メール不着: {roundtrip.host}経由の試験メール{roundtrip.lost}通; 中継ログを追う"},
    {"some_domains",
     71,
     false,
     "queue",
     {"log.defer_few_share >= 0.6", "log.deferred_per_min >= 30", "log.sent_per_min >= 10",
      "not log.top_rcpt_share >= 0.3 or log.dns_failed_per_min >= 30 or log.listed_per_min >= 5 or "
      "log.spf_rejected_per_min >= 5",
      "not smtp.state = critical", NULL},
     "only some domains refuse: {log.defer_few}, {log.defer_few_share%} of {log.deferred_per_min} "
     "deferred a minute; likely a throttle, do not resend blindly",
     "一部ドメイン遅延: {log.defer_few} {log.defer_few_share%}; 流量制限か。再送しない"},
    {"some_domains_bounce",
     39,
     false,
     "queue",
     {"log.bounce_few_share >= 0.6", "log.bounced_per_min >= 30",
      "not log.top_rcpt_share >= 0.5 or log.listed_per_min >= 5 or log.spf_rejected_per_min >= 5", NULL},
     "only some domains refuse: {log.bounce_few}, {log.bounce_few_share%} of {log.bounced_per_min} "
     "bounced a minute; likely a throttle, do not resend blindly",
     "一部ドメイン拒否: {log.bounce_few} {log.bounce_few_share%}; 流量制限か。再送しない"},
    {"some_domains_queued",
     38,
     false,
     "",
     {"queue.top_domain_share >= 0.6", "queue.growth_per_min >= 30", "queue.young_share >= 0.3",
      "queue.deferred >= 100", "queue.deferred >= 0.5 * queue.total", "not queue.top_rcpt_share >= 0.5", NULL},
     "only some domains refuse: {queue.top_domain}, {queue.top_domain_share%} of {queue.total} queued; "
     "likely a throttle, do not resend blindly",
     "一部ドメイン滞留: {queue.top_domain} {queue.top_domain_share%}; 流量制限か。再送しない"},
    {"only_mail_slow",
     20,
     true,
     "load",
     {"load.load1 >= 2 * load.cores", "smtp.time_s >= 5 or smtp.layer = slow", "http.state = ok", NULL},
     "only mail is slow: {smtp.host}[ takes {smtp.time_s} s][, most for {smtp.slow_phase}], load "
     "{load.load1} on {load.cores} cores, web "
     "is fine; see what loads it",
     "メールのみ遅延: {smtp.host}[ {smtp.time_s}秒] 負荷{load.load1}、Web正常; 負荷元を見る"},
};
const size_t diag_nbuiltin = sizeof diag_builtin / sizeof diag_builtin[0];
