// SPDX-License-Identifier: GPL-2.0-or-later
/* Passwords and secrets: from a file, from the terminal, or made up. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <termios.h>
#include <unistd.h>
#include "cli.h"

/* All of a descriptor, up to the size of the buffer. -1: errno says why. */
static ssize_t read_all(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size) {
		n = read(fd, buf + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		len += n;
	}
	return len;
}

/* Cut the end of line off; a line after it is a mistake. */
static bool line_cut(const char *what, const char *path, char *buf,
		     size_t *len)
{
	char *end = memchr(buf, '\n', *len);

	if (end && end != buf + *len - 1) {
		cli_error("%s: %s has more than one line", what, path);
		return false;
	}
	if (end)
		(*len)--;
	if (*len && end && buf[*len - 1] == '\r')
		(*len)--;
	if (!*len) {
		cli_error("%s: %s is empty", what, path);
		return false;
	}
	buf[*len] = '\0';
	return true;
}

bool cli_secret_read(const char *what, const char *path,
		     char buf[CLI_SECRET_MAX], size_t *len)
{
	bool standard = !strcmp(path, "-");
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	const char *name = standard ? "standard input" : path;
	ssize_t n;

	if (fd < 0) {
		cli_error("%s: can't open %s: %m", what, path);
		return false;
	}
	n = read_all(fd, buf, CLI_SECRET_MAX);
	if (n < 0)
		cli_error("%s: can't read %s: %m", what, name);
	else if (n == CLI_SECRET_MAX)
		cli_error("%s: %s has more than %d bytes", what, name,
			  CLI_SECRET_MAX - 1);
	if (!standard)
		close(fd);
	if (n < 0 || n == CLI_SECRET_MAX)
		return false;
	*len = n;
	return line_cut(what, name, buf, len);
}

/* One line from the terminal, not shown. */
static bool ask_once(int fd, const char *prompt, const char *what,
		     char *buf, size_t *len)
{
	struct termios saved, silent;
	ssize_t n;

	if (tcgetattr(fd, &saved)) {
		cli_error("%s: the terminal: %m", what);
		return false;
	}
	silent = saved;
	silent.c_lflag &= ~(ECHO | ECHONL);
	silent.c_lflag |= ICANON | ISIG;
	/* First, or what is typed at once would be shown, and then lost. */
	tcsetattr(fd, TCSAFLUSH, &silent);
	dprintf(fd, "%s: ", prompt);
	n = read(fd, buf, CLI_SECRET_MAX - 1);
	tcsetattr(fd, TCSADRAIN, &saved);
	dprintf(fd, "\n");
	if (n <= 0) {
		cli_error("%s: nothing was entered", what);
		return false;
	}
	*len = n;
	return line_cut(what, "the input", buf, len);
}

bool cli_secret_ask(const char *what, char buf[CLI_SECRET_MAX], size_t *len)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	char again[CLI_SECRET_MAX];
	bool ok = false;
	size_t n;

	if (fd < 0) {
		cli_error("%s: there is no terminal to ask at; name a file, - for standard input, or --generate",
			  what);
		return false;
	}
	if (ask_once(fd, "Password", what, buf, len) &&
	    ask_once(fd, "Again", what, again, &n)) {
		ok = n == *len && !memcmp(buf, again, n);
		if (!ok)
			cli_error("%s: the two differ", what);
	}
	explicit_bzero(again, sizeof(again));
	close(fd);
	return ok;
}

bool cli_secret_make(char buf[CLI_SECRET_MAX], size_t *len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t random[24];

	if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
		cli_error("can't get random bytes: %m");
		return false;
	}
	/* Six bits of each. */
	for (size_t i = 0; i < sizeof(random); i++)
		buf[i] = digits[random[i] & 63];
	buf[sizeof(random)] = '\0';
	*len = sizeof(random);
	explicit_bzero(random, sizeof(random));
	return true;
}
