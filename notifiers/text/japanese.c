/*
 * What is wrong, in Japanese: a table of the phrases that our own probes and daemons use. Words that are not
 * in it stay as they are: a reply code or a name says more untranslated than guessed at. Pure.
 */
#include "words.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/*
 * %d a number (digits, with point, comma or sign), %w a word (no blank), %p a phase or name of one or two
 * words, %t a span of time as clock_span writes it; $1, $2, $3 what they matched (a span in Japanese).
 */
static const struct {
	const char *en, *ja;
} phrases[] = {
    /* where a connection breaks */
    {"refuses the connection", "接続拒否"},
    {"connection refused", "接続拒否"},
    {"Connection refused", "接続拒否"},
    {"resets the connection in %p", "接続が切られた($1)"},
    {"closes the connection in %p", "接続が切られた($1)"},
    {"closes the connection without a greeting", "挨拶なしで接続が切られた"},
    {"connection closed in %p", "接続が切られた($1)"},
    {"connection timed out", "接続タイムアウト"},
    {"Connection timed out", "接続タイムアウト"},
    {"timed out after %d seconds", "$1秒でタイムアウト"},
    {"timed out after %d s", "$1秒でタイムアウト"},
    {"timed out", "タイムアウト"},
    {"no answer in the connect (the network gave up)", "応答なし(接続)"},
    {"no answer in the connect for %d s", "$1秒応答なし(接続)"},
    {"no answer in %p (the network gave up)", "応答なし($1)"},
    {"no answer in %p for %d s", "$2秒応答なし($1)"},
    {"no answer", "応答なし"},
    {"nobody answered", "応答なし"},
    {"no greeting in %d s", "$1秒挨拶なし"},
    {"answers slowly, in %d s", "応答が遅い $1秒"},
    {"answers in %d s", "応答 $1秒"},
    {"cannot be found: no such name", "名前が見つからない"},
    {"cannot be found: ", "名前を引けない: "},
    {"cannot be looked up: ", "名前を引けない: "},
    {"no such name", "名前が存在しない"},
    {"Name or service not known", "名前が見つからない"},
    {"No route to host", "経路なし"},
    {"no route to host", "経路なし"},
    {"Network is unreachable", "ネットワーク到達不能"},
    {"(%d of %d addresses fail)", "($2アドレス中$1失敗)"},
    {"limits us: ", "接続数制限: "},
    {"turns us away for now: ", "一時的に拒否: "},
    {"does not speak SMTP", "SMTPの応答でない"},
    {"does not offer %w", "$1に対応せず"},
    {"login refused", "ログイン拒否"},
    {"the server hung up", "サーバが切断"},
    {"cannot be reached: ", "到達不能: "},
    {"no resolver answers", "リゾルバが応答しない"},
    {"%d of %d resolvers do not answer", "リゾルバ$2台中$1台が無応答"},
    {"%d of %d connects answered", "接続$2回中$1回応答"},
    {"%d % lost", "損失$1%"},
    {"answers %p: ", "$1の応答: "},
    /* certificates */
    {"certificate has expired", "証明書の期限切れ"},
    {"certificate is not for %w but for %w", "証明書の名前違い($1でなく$2)"},
    {"ended %d d ago", "$1日前に期限切れ"},
    {"ends in %d d", "期限まであと$1日"},
    {"is not valid yet", "はまだ有効でない"},
    {"certificate", "証明書"},
    /* who may send, and who does */
    {"is on %w (%w)", "が$1に掲載($2)"},
    {"may not send for %w", "は$1の送信元に許可なし"},
    {"has no SPF record", "にSPFレコードなし"},
    {"is an open relay: takes RCPT TO:", "は第三者中継可: "},
    {"sends %d messages a minute, usual are %d", "が毎分$1通送信(通常$2)"},
    {"sends %d messages a minute", "が毎分$1通送信"},
    {"sends to %d recipients a minute", "が毎分宛先$1件へ送信"},
    {"%d messages a minute", "毎分$1通"},
    {"%d failed logins", "ログイン失敗$1件"},
    {"%d %w a minute (limit %w)", "$2 毎分$1件(上限$3)"},
    {"looping, most likely: ", "ループの疑い: "},
    /* queues */
    {"at least %d deferred", "遅延キュー $1通以上"},
    {"at least %d", "$1以上"},
    {"queue %d deferred", "遅延キュー $1通"},
    {"%d deferred", "遅延キュー $1通"},
    {"%d active", "送信キュー $1通"},
    {"%d incoming", "受信キュー $1通"},
    {"%d maildrop", "投函キュー $1通"},
    {"%d hold", "保留キュー $1通"},
    {"%d corrupt", "破損メール $1通"},
    {"%d queued", "キュー $1通"},
    {"(%d/min)", "($1/分)"},
    {"%d/min in all queues", "全キュー $1/分"},
    {"mail waits in %w for %t", "$1でメールが$2待ち"},
    {"oldest deferred %t", "最古の遅延 $1"},
    {"all queues are empty", "キューは空"},
    {"%d % null sender", "空送信者 $1%"},
    {"top client %w", "最多の接続元 $1"},
    {"top sender %w", "最多の送信者 $1"},
    {"top recipient %w", "最多の宛先 $1"},
    {"top login %w", "最多のログイン $1"},
    {"not above %d", "下限$1"},
    /* disks and load */
    {"disk full", "ディスク満杯"},
    {"No space left on device", "ディスク満杯"},
    {"Read-only file system", "読み取り専用"},
    {"will be full in %t", "あと$1で満杯"},
    {"%d% of the inodes free", "inode空き$1%"},
    {"%d% free", "空き$1%"},
    {"%d %w free", "空き$1$2"},
    {"is not accessible", "参照できない"},
    {"has become read-only", "読み取り専用になった"},
    {"is read-only, though mounted for writing (after an error?)", "読み取り専用(障害か)"},
    {"stopped taking writes after an error", "障害で書き込み停止"},
    {"all file systems are fine", "ディスクは正常"},
    {"free space:", "空き容量:"},
    {"growing %d %w a minute", "毎分$1$2増加"},
    {"load over %d min is above %d: ", "$1分負荷が$2超: "},
    {"load average:", "負荷:"},
    {"per CPU:", "CPUあたり:"},
    {"%d MiB of %d MiB available (%d %)", "空きメモリ$1/$2MiB ($3%)"},
    {"swap %d % free", "スワップ空き$1%"},
    {"%w pressure %d %", "$1待ち$2%"},
    {"%d of %d file descriptors in use", "ファイル記述子$1/$2使用"},
    {"%d process with command name", "プロセス$1個、名前"},
    {"%d processes with command name", "プロセス$1個、名前"},
    {"%d processes", "プロセス$1個"},
    {"is not there", "がない"},
    {"is %d seconds old and %d bytes", "は$1秒前、$2バイト"},
    /* round trips */
    {"%d lost, later mail arrives", "往復メール$1通消失(後続は到着)"},
    {"%d lost", "往復メール$1通消失"},
    {"%d late, on the way for %t", "往復メール$1通遅延($2)"},
    {"%d on the way for %t", "$1通配送中($2)"},
    {"%d more on the way", "他$1通配送中"},
    {"%d arrived more than once", "$1通が重複到着"},
    {"the relay took a mail in %d s", "リレー受付$1秒"},
    {"the last took %d s", "前回$1秒"},
    {"the last took %t", "前回$1"},
    {"none has arrived yet", "まだ届かない"},
    /* probes and daemons */
    {"cannot be measured: ", "測定不能: "},
    {"could not be measured: ", "測定不能: "},
    {"the plugin said ", "プラグイン: "},
    {"out of memory", "メモリ不足"},
    {"Permission denied", "権限なし"},
    {"No such file or directory", "ファイルなし"},
    {"was OK:", "前は正常:"},
    {"was WARNING:", "前は警告:"},
    {"was CRITICAL:", "前は障害:"},
    {"was UNKNOWN:", "前は不明:"},
    {"; now:", "; 今:"},
    {"recovered after %t", "$1で復旧"},
    {"acknowledged by %w", "対応者 $1"},
    {"own link %w is down (no carrier): nothing beyond this host can be reached",
     "監視機のリンク$1断: 外へ出られない"},
    {"own gateway %w on %w does not answer: nothing beyond it can be reached",
     "監視機のゲートウェイ$1が無応答: 外へ出られない"},
    {"nothing proves that line %w reaches %w", "回線$1が$2に届く証拠なし"},
    {"a page from line %w to line %w has not arrived within %t", "回線$1から$2への試験が$3以内に届かない"},
    {"a test page over line %w could not be sent: ", "回線$1の試験送信失敗: "},
    {"the other ops host %w", "もう一方の監視機$1"},
    {"is silent for %t: it is dead, or the link to it is cut", "が$1沈黙: 停止か回線断"},
    {"the configuration is not the newest one: ", "最新でない設定で動作中: "},
    {"pagerd is gone: ", "通知係(pagerd)停止: "},
    {"pagerd is back", "通知係(pagerd)復帰"},
    {"for %t; pages do not leave", "$1、呼び出しが出ていない"},
    {"is silent for %t: nothing is being checked", "が$1沈黙: 監視が止まっている"},
    {"a file in the event spool is no event", "イベントでないファイル"},
    {"an alarm may be lost", "警報が失われた恐れ"},
    {"this is a test page of the mail monitor: nothing is wrong", "メール監視の試験です。異常はありません"},
    /* digests */
    {"%w down, %d checks behind it", "$1停止、その先$2件"},
    {"%d checks in %t", "$2で$1件"},
    {"%d more", "他$1件"},
    {"%d checks still fail: ", "障害継続 $1件: "},
    {"%d recovered: ", "復旧 $1件: "},
    {"%d acknowledged: ", "対応中 $1件: "},
    {"%d notices: ", "通知 $1件: "},
    {"(%d in all)", "(計$1件)"},
};
enum { PHRASES = sizeof(phrases) / sizeof(phrases[0]), HOLES_MAX = 4 };

struct hole {
	const char *at;
	size_t len;
	bool span;
};

static bool in_word(const char *text, const char *s)
{
	return s > text && (isalnum((unsigned char)s[-1]) || s[-1] == '_') && isalnum((unsigned char)*s);
}

static size_t number(const char *s)
{
	size_t sign = *s == '+' || *s == '-', n = strspn(s + sign, "0123456789.,");

	while (n > 0 && !isdigit((unsigned char)s[sign + n - 1]))
		n--;
	return n > 0 && isdigit((unsigned char)s[sign]) ? sign + n : 0;
}

static size_t word(const char *s)
{
	size_t n = strcspn(s, " ;)");

	while (n > 0 && strchr(",.:", s[n - 1]))
		n--;
	return n;
}

/* "DATA", "the connect", "RCPT TO" */
static size_t phase(const char *s)
{
	size_t n = word(s), more = n && s[n] == ' ' ? word(s + n + 1) : 0;
	bool two = (n == 3 && strncmp(s, "the", 3) == 0) ||
		   (n == 4 && isupper((unsigned char)s[0]) && more <= 4 && isupper((unsigned char)s[5]));
	return two && more ? n + 1 + more : n;
}

/* One number with its unit: "12 min"; the unit's place in *unit. */
static size_t amount(const char *s, size_t *unit)
{
	static const char *const units[] = {"s", "min", "h", "d"};
	size_t n = number(s);

	for (size_t i = 0; n > 0 && s[n] == ' ' && i < 4; i++) {
		size_t len = strlen(units[i]);
		if (strncmp(s + n + 1, units[i], len) == 0 && !isalnum((unsigned char)s[n + 1 + len])) {
			*unit = i;
			return n + 1 + len;
		}
	}
	return 0;
}

static size_t span(const char *s)
{
	size_t a, b, n = amount(s, &a), more = n && s[n] == ' ' ? amount(s + n + 1, &b) : 0;

	return more && b < a ? n + 1 + more : n;
}

static size_t hole(char kind, const char *s)
{
	return kind == 'd' ? number(s) : kind == 'w' ? word(s) : kind == 'p' ? phase(s) : span(s);
}

/* Bytes of s that the pattern takes; 0: none. */
static size_t match(const char *pattern, const char *s, struct hole *holes)
{
	const char *begin = s;
	size_t k = 0;

	for (; *pattern; pattern++) {
		if (*pattern == '%' && pattern[1] && strchr("dwpt", pattern[1]) && k < HOLES_MAX) {
			size_t n = hole(pattern[1], s);
			if (n == 0)
				return 0;
			holes[k++] = (struct hole){s, n, pattern[1] == 't'};
			s += n;
			pattern++;
		} else if (*s++ != *pattern) {
			return 0;
		}
	}
	/* not the beginning of a longer word */
	return isalnum((unsigned char)s[-1]) && isalnum((unsigned char)*s) ? 0 : (size_t)(s - begin);
}

/* Bytes of the UTF-8 character at s; 1 for what is none. */
static size_t character(const char *s)
{
	size_t n = 1;

	while (n < 4 && ((unsigned char)s[n] & 0xc0) == 0x80 && (unsigned char)s[0] >= 0xc0)
		n++;
	return n;
}

struct out {
	char *text;
	size_t n, size;
	bool full;
};

/* All of it or nothing: no character is cut. */
static void put(struct out *o, const char *s, size_t len)
{
	if (o->full || o->n + len >= o->size) {
		o->full = true;
		return;
	}
	memcpy(o->text + o->n, s, len);
	o->n += len;
}

static void put_span(struct out *o, const struct hole *h)
{
	static const char *const ja[] = {"秒", "分", "時間", "日"};
	size_t unit = 0;

	for (const char *s = h->at; s < h->at + h->len;) {
		size_t n = amount(s, &unit), digits = number(s);
		if (n == 0)
			break;
		put(o, s, digits);
		put(o, ja[unit], strlen(ja[unit]));
		s += n + 1;
	}
}

static void put_phrase(struct out *o, const char *ja, const struct hole *holes)
{
	while (*ja) {
		size_t n = character(ja);
		if (*ja != '$' || ja[1] < '1' || ja[1] > '0' + HOLES_MAX) {
			put(o, ja, n);
			ja += n;
			continue;
		}
		const struct hole *h = &holes[ja[1] - '1'];
		if (h->span)
			put_span(o, h);
		else
			put(o, h->at, h->len);
		ja += 2;
	}
}

/* The phrase that takes most of s; its index, or -1. */
static int longest_phrase(const char *s, size_t *taken, struct hole *holes)
{
	struct hole h[HOLES_MAX] = {{0}};
	int best = -1;

	*taken = 0;
	for (int i = 0; i < PHRASES; i++) {
		size_t n = match(phrases[i].en, s, h);
		if (n <= *taken)
			continue;
		*taken = n;
		best = i;
		memcpy(holes, h, sizeof(h));
	}
	return best;
}

void japanese(const char *text, char *out, size_t size)
{
	struct out o = {.text = out, .size = size};

	for (const char *s = text; *s && !o.full;) {
		struct hole holes[HOLES_MAX] = {{0}};
		size_t n;
		int i = in_word(text, s) ? -1 : longest_phrase(s, &n, holes);

		if (i >= 0) {
			put_phrase(&o, phrases[i].ja, holes);
		} else {
			n = character(s);
			put(&o, s, n);
		}
		s += n;
	}
	out[o.n] = '\0';
}
