/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Passing file descriptors. The surprising thing: a message may bring more of them than were asked for, and
 * each is open from then on; so there is room for one only, and the kernel throws away the others.
 */
#define _GNU_SOURCE
#include "lib/fd-pass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/fd.h"

union control {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
};

bool tn_fd_pass_send(int socket, const void *bytes, size_t len, int fd)
{
        struct iovec part = {.iov_base = (void *) bytes, .iov_len = len};
        union control control = {.bytes = {0}};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
        ssize_t n;

        if (fd >= 0) {
                struct cmsghdr *header = &control.align;

                message.msg_control = control.bytes;
                message.msg_controllen = sizeof control.bytes;
                header->cmsg_level = SOL_SOCKET;
                header->cmsg_type = SCM_RIGHTS;
                header->cmsg_len = CMSG_LEN(sizeof fd);
                memcpy(CMSG_DATA(header), &fd, sizeof fd);
        }
        do
                n = sendmsg(socket, &message, MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        return n >= 0;
}

ssize_t tn_fd_pass_receive(int socket, void *bytes, size_t size, int *ret_fd)
{
        struct iovec part = {.iov_base = bytes, .iov_len = size};
        union control control = {.bytes = {0}};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control.bytes,
                                 .msg_controllen = CMSG_LEN(sizeof *ret_fd)};
        const struct cmsghdr *header;
        ssize_t n;

        *ret_fd = -1;
        do
                n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -1;
        header = CMSG_FIRSTHDR(&message);
        if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
            header->cmsg_len == CMSG_LEN(sizeof *ret_fd))
                memcpy(ret_fd, CMSG_DATA(header), sizeof *ret_fd);
        if (message.msg_flags & MSG_TRUNC) {
                tn_fd_close(ret_fd);
                errno = EMSGSIZE;
                return -1;
        }
        return n;
}
