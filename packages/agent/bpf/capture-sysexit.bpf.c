/*
 * Rung B, for kernels without the socket tracepoints: the end of every system call, and a walk from
 * its descriptor to the socket. Costs each system call of the host 30 to 90 ns.
 */
#include "kernel-types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include "events.h"
#include "state.h"
#include "socket-table.h"
#include "transfer.h"
#include "loop.h"

char LICENSE[] SEC("license") = "GPL";

enum { NO_DIRECTION = 255 };

/* Which way a system call moves bytes; a peek moves none. */
static __always_inline __u8 direction_of(struct pt_regs *regs)
{
	switch (regs->orig_ax) {
	case SYS_READ:
	case SYS_READV:
		return DIRECTION_IN;
	case SYS_RECVFROM:
		return regs->r10 & MSG_PEEK ? NO_DIRECTION : DIRECTION_IN;
	case SYS_RECVMSG:
		return regs->dx & MSG_PEEK ? NO_DIRECTION : DIRECTION_IN;
	case SYS_WRITE:
	case SYS_WRITEV:
	case SYS_SENDTO:
	case SYS_SENDMSG:
	case SYS_SENDFILE:
		return DIRECTION_OUT;
	}
	return NO_DIRECTION;
}

/* The socket behind a descriptor of this task, or null. The pointer is not to be trusted. */
static __always_inline struct sock *sock_of(struct task_struct *task, __u32 descriptor)
{
	struct fdtable *table = task->files->fdt;
	struct file *file;
	if (descriptor >= table->max_fds ||
	    bpf_probe_read_kernel(&file, sizeof(file), table->fd + descriptor) || !file)
		return 0;
	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	struct socket *socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

SEC("tp_btf/sys_exit")
int on_sys_exit(unsigned long long *ctx)
{
	if (!config.enabled)
		return 0;
	struct pt_regs *regs = (struct pt_regs *)ctx[0];
	__u8 direction = direction_of(regs);
	if (direction == NO_DIRECTION || (long)ctx[1] < 0)
		return 0;
	struct task_struct *task = bpf_get_current_task_btf();
	/* The numbers of 32-bit system calls mean others. */
	if (task->thread_info.status & TS_COMPAT)
		return 0;
	struct sock *sk = sock_of(task, regs->di);
	/* A closed socket's state is gone, and nothing would remove it a second time. */
	if (!sk || SOCK(sk, __sk_common.skc_state) == TCP_CLOSE)
		return 0;
	struct socket_state *socket = admit(sk, ctx[1], direction);
	if (socket)
		tell_transfer(sk, socket, regs, ctx[1], direction);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int on_state(unsigned long long *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];
	int old_state = ctx[1], new_state = ctx[2];
	if (new_state == TCP_SYN_SENT || (old_state == TCP_SYN_RECV && new_state == TCP_ESTABLISHED))
		on_birth(sk);
	on_tcp_state(sk, old_state, new_state);
	return 0;
}
