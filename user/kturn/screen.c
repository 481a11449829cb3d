// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A terminal that is taken over, and given back as it was: escape sequences
 * that all terminals of today have, and no library.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>
#include "screen.h"

/* Another page, without a cursor; and back. */
#define ENTER		"\033[?1049h\033[?25l"
#define LEAVE		"\033[?25h\033[?1049l"
#define TOP_LEFT	"\033[H"
#define CLEAR_LINE	"\033[K"
#define CLEAR_BELOW	"\033[J"

static struct termios saved;
static bool saved_input;	/* standard input is a terminal, too */
static sigset_t signals, old_signals;
static int signal_fd = -1;
static int end_signal;

/* All of it, however often the terminal takes only a part. */
static bool put(const char *text, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(STDOUT_FILENO, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		len -= n;
	}
	return true;
}

bool screen_possible(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb");
}

static void page_enter(void)
{
	struct termios raw;

	saved_input = !tcgetattr(STDIN_FILENO, &saved);
	if (saved_input) {
		raw = saved;
		/* Ctrl-C goes on being a signal. */
		raw.c_lflag &= ~(ICANON | ECHO);
		raw.c_cc[VMIN] = 1;
		raw.c_cc[VTIME] = 0;
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	put(ENTER, strlen(ENTER));
}

static void page_leave(void)
{
	if (saved_input)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	put(LEAVE, strlen(LEAVE));
}

bool screen_open(void)
{
	static const int numbers[] = {
		SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP, SIGWINCH,
	};

	sigemptyset(&signals);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaddset(&signals, numbers[i]);
	signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signal_fd < 0)
		return false;
	sigprocmask(SIG_BLOCK, &signals, &old_signals);
	fflush(stdout);
	page_enter();
	return true;
}

void screen_close(void)
{
	page_leave();
	close(signal_fd);
	signal_fd = -1;
	if (end_signal) {
		signal(end_signal, SIG_DFL);
		raise(end_signal);
	}
	sigprocmask(SIG_SETMASK, &old_signals, NULL);
}

void screen_size(unsigned int *rows, unsigned int *columns)
{
	struct winsize size;

	*rows = 24;
	*columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return;
	if (size.ws_row)
		*rows = size.ws_row;
	if (size.ws_col)
		*columns = size.ws_col;
}

/* How many bytes of the line @text fit into so many columns. */
static size_t clip(const char *text, size_t len, unsigned int columns)
{
	mbstate_t state = { 0 };
	size_t used = 0, n;
	wchar_t c;
	int width;

	while (used < len) {
		n = mbrtowc(&c, text + used, len - used, &state);
		if (n == (size_t)-1 || n == (size_t)-2 || !n) {
			memset(&state, 0, sizeof(state));
			n = 1;
			width = 1;
		} else {
			width = wcwidth(c);
			if (width < 0)
				width = 1;
		}
		if ((unsigned int)width > columns)
			break;
		columns -= width;
		used += n;
	}
	return used;
}

bool screen_draw(const char *text)
{
	unsigned int rows, columns;
	char *frame = NULL;
	size_t size, len;
	bool ok;
	FILE *f = open_memstream(&frame, &size);

	if (!f)
		return false;
	screen_size(&rows, &columns);
	fputs(TOP_LEFT, f);
	for (unsigned int row = 0; row < rows && *text; row++) {
		if (row)
			fputs("\r\n", f);
		len = strcspn(text, "\n");
		fwrite(text, 1, clip(text, len, columns), f);
		fputs(CLEAR_LINE, f);
		text += len + (text[len] == '\n');
	}
	fputs(CLEAR_BELOW, f);
	ok = !fclose(f) && put(frame, size);
	free(frame);
	return ok;
}

/* Give the terminal back while the shell has it. */
static void stop(void)
{
	page_leave();
	raise(SIGSTOP);
	page_enter();
}

static enum screen_event signal_read(void)
{
	struct signalfd_siginfo info;

	if (read(signal_fd, &info, sizeof(info)) != sizeof(info))
		return SCREEN_SIZE;
	if (info.ssi_signo == SIGTSTP) {
		stop();
		return SCREEN_SIZE;
	}
	if (info.ssi_signo == SIGWINCH)
		return SCREEN_SIZE;
	end_signal = info.ssi_signo;
	return SCREEN_END;
}

enum screen_event screen_wait(uint64_t ms, char *key)
{
	struct pollfd fds[] = {
		{ .fd = signal_fd, .events = POLLIN },
		{ .fd = saved_input ? STDIN_FILENO : -1, .events = POLLIN },
	};
	int n;

	n = poll(fds, 2, ms > INT32_MAX ? INT32_MAX : (int)ms);
	if (n < 0)
		return errno == EINTR ? SCREEN_SIZE : SCREEN_END;
	if (fds[0].revents)
		return signal_read();
	if (fds[1].revents)
		return read(STDIN_FILENO, key, 1) == 1 ? SCREEN_KEY :
							 SCREEN_END;
	return SCREEN_TIME;
}
