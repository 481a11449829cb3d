/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files, read and replaced whole. */
#ifndef _KTURND_FILE_H
#define _KTURND_FILE_H

#include <stddef.h>
#include <sys/types.h>

/**
 * file_read() - read a whole file
 * @path: its name
 * @buf: room
 * @size: bytes there
 *
 * Return: bytes; -EFBIG if there are more than @size; a negative errno.
 */
ssize_t file_read(const char *path, void *buf, size_t size);

/**
 * file_replace() - put a file in place of an old one, or of none
 * @path: its name
 * @buf: what it is to hold
 * @len: bytes of that
 *
 * With mode 0600, on disk before it has the name: whoever reads sees the old
 * one or the new one. Return: 0 or a negative errno.
 */
int file_replace(const char *path, const void *buf, size_t len);

#endif /* _KTURND_FILE_H */
