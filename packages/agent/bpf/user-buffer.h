/* The user buffer of a system call, from its saved registers, and the first bytes in it. */
#pragma once

enum {
	SYS_READ = 0,
	SYS_WRITE = 1,
	SYS_READV = 19,
	SYS_WRITEV = 20,
	SYS_SENDFILE = 40,
	SYS_SENDTO = 44,
	SYS_RECVFROM = 45,
	SYS_SENDMSG = 46,
	SYS_RECVMSG = 47
};
enum { SEGMENTS_MAX = 4, SHORT_PREFIX = 64 };

struct user_buffer {
	struct user_iovec first;
	struct user_iovec *vector;
	__u32 count;
};

/* Other calls than these (sendfile, splice, sendmmsg, recvmmsg, io_uring) show no bytes. */
static __always_inline void find_user_buffer(struct user_buffer *buffer, struct pt_regs *regs)
{
	buffer->vector = 0;
	buffer->count = 0;
	buffer->first.base = 0;
	buffer->first.len = 0;
	switch (regs->orig_ax) {
	case SYS_READ:
	case SYS_WRITE:
	case SYS_SENDTO:
	case SYS_RECVFROM:
		buffer->first.base = (void *)regs->si;
		buffer->first.len = regs->dx;
		buffer->count = 1;
		break;
	case SYS_READV:
	case SYS_WRITEV:
		buffer->vector = (struct user_iovec *)regs->si;
		buffer->count = regs->dx;
		break;
	case SYS_SENDMSG:
	case SYS_RECVMSG: {
		struct user_msghdr header;
		if (bpf_probe_read_user(&header, sizeof(header), (void *)regs->si))
			break;
		buffer->vector = header.iov;
		buffer->count = header.iov_count;
		break;
	}
	}
}

/*
 * Copies the first `wanted` bytes of a transfer to `target`, which holds `size` (a constant).
 * Later segments are taken only behind a short first one: their bounds stay constant that way.
 * Called, not inlined: once for all sizes a program is a quarter shorter, and the cache holds it.
 */
static __attribute__((noinline)) __u32 gather(char *target, const __u64 size,
					      struct user_buffer *buffer, __u64 wanted)
{
	__u64 got = 0;
	if (wanted > size)
		wanted = size;
	for (__u32 i = 0; i < SEGMENTS_MAX; i++) {
		if (i >= buffer->count || got >= wanted)
			break;
		struct user_iovec segment = buffer->first;
		if (buffer->vector &&
		    bpf_probe_read_user(&segment, sizeof(segment), buffer->vector + i))
			break;
		__u64 length = wanted - got, at = got, most = i ? size - SHORT_PREFIX : size;
		if (length > segment.len)
			length = segment.len;
		/* Without the barriers clang 14 recomputes unbounded copies of both. */
		barrier_var(length);
		barrier_var(at);
		if (at >= SHORT_PREFIX)
			break;
		if (length == 0)
			continue;
		if (length > most)
			length = most;
		barrier_var(length);
		if (length > most)
			break;
		if (bpf_probe_read_user(target + at, length, segment.base))
			break;
		got += length;
	}
	return got;
}
