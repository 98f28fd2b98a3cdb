/* SPDX-License-Identifier: Apache-2.0 */
#include "command/progress.h"

#include "base/timetext.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	CELLS_MAX = 30,
	BESIDE_MAX = 46, /* what stands beside the cells, and the last column */
	COLUMNS_MAX = CELLS_MAX + BESIDE_MAX,
	COLUMNS_USUAL = 80,
};

static double seconds_since(struct timespec t)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - t.tv_sec) + (double)(now.tv_nsec - t.tv_nsec) / 1e9;
}

double progress_seconds(const struct progress *p) { return seconds_since(p->began); }

void progress_begin(struct progress *p, bool wanted)
{
	struct winsize size = {0};
	*p = (struct progress){.on = wanted && isatty(STDERR_FILENO)};
	clock_gettime(CLOCK_MONOTONIC, &p->began);
	p->shown = p->began;
	bool known = p->on && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
	p->columns = known ? size.ws_col : COLUMNS_USUAL;
}

bool progress_is_due(const struct progress *p) { return p->on && seconds_since(p->shown) >= 0.1; }

void progress_show(struct progress *p, double done, wd_wall at, uint64_t count)
{
	char time[TIMETEXT_LEN_MAX], bar[CELLS_MAX + 1], line[COLUMNS_MAX + 64];
	int room = p->columns < COLUMNS_MAX ? (int)p->columns - BESIDE_MAX : CELLS_MAX;
	int len = 0, cells = room < 0 ? 0 : room;

	clock_gettime(CLOCK_MONOTONIC, &p->shown);
	done = done < 0 ? 0 : done > 1 ? 1 : done;
	memset(bar, '.', (size_t)cells);
	memset(bar, '#', (size_t)(done * cells));
	bar[cells] = '\0';
	timetext_write(time, at);
	if (cells > 0)
		len = snprintf(line, sizeof(line), "[%s] ", bar);
	len += snprintf(line + len, sizeof(line) - (size_t)len, "%3.0f%%  %.16s  %.1f M/s ",
			100 * done, time, (double)count / 1e6 / (progress_seconds(p) + 1e-9));
	/* In the last column some terminals begin a new line. */
	int most = (int)p->columns - 1;
	fprintf(stderr, "\r%.*s", len < most ? len : most, line);
}

void progress_clear(const struct progress *p)
{
	unsigned columns = p->columns < COLUMNS_MAX ? p->columns : COLUMNS_MAX;
	if (p->on)
		fprintf(stderr, "\r%*s\r", (int)columns - 1, "");
}
