/*
 * Rung A: the socket tracepoints (Linux 6.3 and later) give the socket and the result; I/O that is
 * not on sockets costs nothing. The kernel stamps evidence; the agent decides.
 */
#include "kernel-types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include "events.h"
#include "state.h"
#include "socket-storage.h"
#include "transfer.h"
#include "loop.h"

char LICENSE[] SEC("license") = "GPL";

static __always_inline int on_transfer(struct sock *sk, int result, __u8 direction)
{
	struct socket_state *socket = admit(sk, result, direction);
	if (socket) {
		struct task_struct *task = bpf_get_current_task_btf();
		struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
		tell_transfer(sk, socket, regs, result, direction);
	}
	return 0;
}

SEC("tp_btf/sock_send_length")
int on_send(unsigned long long *ctx)
{
	return on_transfer((struct sock *)ctx[0], (int)ctx[1], DIRECTION_OUT);
}

SEC("tp_btf/sock_recv_length")
int on_receive(unsigned long long *ctx)
{
	if (ctx[2] & MSG_PEEK)
		return 0;
	return on_transfer((struct sock *)ctx[0], (int)ctx[1], DIRECTION_IN);
}

SEC("tp_btf/inet_sock_set_state")
int on_state(unsigned long long *ctx)
{
	on_tcp_state((struct sock *)ctx[0], ctx[1], ctx[2]);
	return 0;
}
