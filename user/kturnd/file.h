/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files, read and replaced whole. */
#ifndef _KTURND_FILE_H
#define _KTURND_FILE_H

#include <stddef.h>
#include <stdint.h>
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
 * file_stamp() - a number that changes when a file does, by its size, time and
 * place on disk
 * @before: of the file before it, where there are several; else 0
 * @path: its name; NULL counts too
 *
 * Of what is no file, or is not there, it is always the same: a pipe is not to be
 * followed.
 */
uint64_t file_stamp(uint64_t before, const char *path);

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
