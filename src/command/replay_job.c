/* SPDX-License-Identifier: Apache-2.0 */
#include "command/replay_job.h"

#include "base/check.h"
#include "command/usage.h"
#include "decode/accesslog.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { FILES_MAX = 1000 };

const char replay_usage[] =
	"usage: whydown replay [OPTION…] FILE…\n"
	"Runs recordings through the engine as fast as it can and prints the incidents. A FILE is "
	"our\n"
	"NDJSON, or CSV with a header: time,service,reports (counts in buckets of any width) or\n"
	"time,service,value (any metric); plain, gzip or zstd; - is standard input. Or traffic: "
	"a\n"
	"pcap or pcapng of packets or of flow exports, raw datagrams of NetFlow, IPFIX or sFlow, "
	"or\n"
	"an access log. What a file is, its content says. Several are merged by time.\n"
	"\n"
	"  --format FORMAT      text (default); json: one incident a line; scores: CSV of every "
	"bucket of\n"
	"                       every service: time,service,observed,expected,low,high,log10_odds\n"
	"  --config FILE        names and time zones of services, floors, budget; services that it "
	"does not\n"
	"                       name are taken as the file names them\n"
	"  --false-a-month N    accepted false incidents a month, all services together (default: "
	"one for\n"
	"                       each service)\n"
	"  --from TIME, --to TIME   only what happened from then on, and before then\n"
	"  --value-is-reports   a column `value` holds counts of reports, not a metric\n"
	"  --service ID=PREFIX[,PREFIX]   whose traffic it is, beside the configuration; where "
	"nothing\n"
	"                       is said: the addresses that most packets went to\n"
	"  --log-format FORMAT  of access logs, as nginx's log_format or Apache's LogFormat has "
	"it;\n"
	"                       without: Common, Combined, JSON, HAProxy, AWS, W3C …\n"
	"  --sampling N         thin traffic out: as if one packet in N had been looked at\n"
	"  --skip-bad           count lines that are wrong and go on (default: stop)\n"
	"  --quiet              no progress, no summary\n"
	"  --help               this text\n";

static int refuse(const char *option, const char *right)
{
	return usage_refuse("replay", option, optarg, right);
}

static bool is_log_format(const char *format)
{
	struct accesslog reader;
	struct wd_why why = {0};

	accesslog_init(&reader);
	if (accesslog_set_format(&reader, format, &why) == WD_OK)
		return true;
	fprintf(stderr, "whydown replay: --log-format: %s, at byte %u\n", why.what, why.at);
	return false;
}

enum option_id {
	FORMAT = 256,
	CONFIG,
	FALSE_A_MONTH,
	FROM,
	TO,
	VALUE_IS_REPORTS,
	SKIP_BAD,
	SERVICE,
	LOG_FORMAT,
	SAMPLING,
	QUIET,
	HELP
};

static const struct option options[] = {
	{"format", required_argument, NULL, FORMAT},
	{"config", required_argument, NULL, CONFIG},
	{"false-a-month", required_argument, NULL, FALSE_A_MONTH},
	{"from", required_argument, NULL, FROM},
	{"to", required_argument, NULL, TO},
	{"value-is-reports", no_argument, NULL, VALUE_IS_REPORTS},
	{"skip-bad", no_argument, NULL, SKIP_BAD},
	{"service", required_argument, NULL, SERVICE},
	{"log-format", required_argument, NULL, LOG_FORMAT},
	{"sampling", required_argument, NULL, SAMPLING},
	{"quiet", no_argument, NULL, QUIET},
	{"help", no_argument, NULL, HELP},
	{0},
};

/* 0, or the exit status. */
static int read_option(int option, struct job *job)
{
	static const char *const formats[] = {"text", "json", "scores"};
	static const char time_like[] = "a time like 2025-03-10T09:45Z, or a day (UTC)";
	struct recording_options *r = &job->recording;
	const char *what;
	uint64_t n;
	size_t i;

	switch (option) {
	case CONFIG: job->config_file = optarg; return 0;
	case VALUE_IS_REPORTS: r->value_is_reports = true; return 0;
	case SKIP_BAD: r->skip_bad = true; return 0;
	case QUIET: job->quiet = true; return 0;
	case HELP: job->help = true; return 0;
	case LOG_FORMAT: job->log_format = optarg; return is_log_format(optarg) ? 0 : 2;
	case FROM: return usage_time(optarg, &r->from) ? 0 : refuse("--from", time_like);
	case TO: return usage_time(optarg, &r->to) ? 0 : refuse("--to", time_like);
	case FORMAT:
		if (!usage_word(optarg, formats, WD_COUNT(formats), &i))
			return refuse("--format", "text, json, scores");
		job->format = (enum format)i;
		return 0;
	case FALSE_A_MONTH:
		return usage_amount(optarg, 1e6, &job->false_a_month)
			       ? 0
			       : refuse("--false-a-month", "a number above 0, like 1");
	case SERVICE:
		return targets_add_option(job->targets, optarg, &what) ? 0
								       : refuse("--service", what);
	case SAMPLING:
		if (!usage_number(optarg, 1, 1000000, &n))
			return refuse("--sampling", "a whole number from 1 to 1000000");
		job->sampling = (uint32_t)n;
		return 0;
	default: return usage_wrong("replay", NULL);
	}
}

int replay_job_read(int argc, char **argv, struct job *job)
{
	int option, status = 0;

	optind = 1;
	while (status == 0 && !job->help &&
	       (option = getopt_long(argc, argv, "", options, NULL)) != -1)
		status = read_option(option, job);
	if (status != 0 || job->help)
		return status;
	job->paths = argv + optind;
	job->path_count = (size_t)(argc - optind);
	if (job->path_count == 0)
		return usage_wrong("replay", "which file?");
	if (job->recording.from.ns != 0 && job->recording.to.ns != 0 &&
	    !wall_before(job->recording.from, job->recording.to))
		return usage_wrong("replay", "--to is no later than --from");
	return job->path_count > FILES_MAX ? usage_wrong("replay", "too many files at once") : 0;
}
