/* Socket capture itself, whatever the hook: who said how much to whom, and the first bytes of it. */
#pragma once

#include "unix.h"
#include "causes.h"
#include "filter.h"
#include "user-buffer.h"

/* Puts the enums into the object's type information: the TypeScript side is generated from it. */
const volatile struct vocabulary {
	enum event_kind event_kind;
	enum direction direction;
	enum role role;
	enum cause_kind cause_kind;
	enum counter counter;
	enum port_verdict port_verdict;
	struct event event;
} vocabulary;

/* Counts an event that the reader gets. A ring that is nearly full pauses the capture. */
static __always_inline void count_told(__u32 length)
{
	__u64 *of = counters[bpf_get_smp_processor_id() & (CPUS_MAX - 1)].of;
	of[EVENTS] += 1;
	of[BYTES] += length;
	if (bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) >= config.pause_bytes)
		config.is_paused = 1;
}

/* All of an event but what it captured. */
static __always_inline void fill(struct event *event, struct sock *sk, struct socket_state *socket,
				 struct transfer *what)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const __u64 *comm = (const __u64 *)&task->comm;
	struct unix_sock *local_stream = named_unix(sk);
	event->at_ns = bpf_ktime_get_ns();
	event->cookie = socket->cookie;
	event->turn_id = what->turn_id;
	event->cause_id = what->cause_id;
	event->pid = task->tgid;
	event->tid = task->pid;
	event->sequence = what->sequence;
	event->answer_sequence = what->answer_sequence;
	event->length = what->length;
	event->netns = socket->netns;
	event->lost_before = socket->lost;
	socket->lost = 0;
	event->local_port = SOCK(sk, __sk_common.skc_num);
	event->remote_port = bpf_ntohs(SOCK(sk, __sk_common.skc_dport));
	event->kind = what->kind;
	event->direction = what->direction;
	event->role = socket->role;
	event->cause_kind = what->cause_kind;
	if (SOCK(sk, __sk_common.skc_family) == AF_INET) {
		event->ip_version = 4;
		*(__u32 *)event->local_address = SOCK(sk, __sk_common.skc_rcv_saddr);
		*(__u32 *)event->remote_address = SOCK(sk, __sk_common.skc_daddr);
	} else if (local_stream) {
		event->ip_version = IP_VERSION_UNIX;
		event->local_port = event->remote_port = 0;
		read_unix_path(local_stream, event);
	} else {
		event->ip_version = 6;
		bpf_core_read(event->local_address, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(event->remote_address, 16, &sk->__sk_common.skc_v6_daddr);
	}
	((__u64 *)event->comm)[0] = comm[0];
	((__u64 *)event->comm)[1] = comm[1];
}

/* Fills and sends a reserved event, or counts the loss at its socket. */
static __always_inline void send_event(struct event *event, struct sock *sk,
				       struct socket_state *socket, struct transfer *what,
				       __u32 captured)
{
	fill(event, sk, socket, what);
	event->captured = captured;
	/* Never a wake-up, which costs ten times the event itself: the reader comes by a timer. */
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	count_told(what->length);
}

/* Sends an event with up to `wanted` bytes of payload. */
static __always_inline void tell(struct sock *sk, struct socket_state *socket,
				 struct transfer *what, struct user_buffer *buffer, __u32 wanted)
{
	struct event *event;
	__u32 captured = 0;
	if (wanted == 0) {
		event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	} else if (wanted <= PAYLOAD_TINY) {
		event = bpf_ringbuf_reserve(&events, sizeof(*event) + PAYLOAD_TINY, 0);
		if (event)
			captured = gather((char *)(event + 1), PAYLOAD_TINY, buffer, wanted);
	} else if (wanted <= PAYLOAD_SMALL) {
		event = bpf_ringbuf_reserve(&events, sizeof(*event) + PAYLOAD_SMALL, 0);
		if (event)
			captured = gather((char *)(event + 1), PAYLOAD_SMALL, buffer, wanted);
	} else if (wanted <= PAYLOAD_MEDIUM) {
		event = bpf_ringbuf_reserve(&events, sizeof(*event) + PAYLOAD_MEDIUM, 0);
		if (event)
			captured = gather((char *)(event + 1), PAYLOAD_MEDIUM, buffer, wanted);
	} else {
		event = bpf_ringbuf_reserve(&events, sizeof(*event) + PAYLOAD_LARGE, 0);
		if (event)
			captured = gather((char *)(event + 1), PAYLOAD_LARGE, buffer, wanted);
	}
	if (event) {
		send_event(event, sk, socket, what, captured);
	} else {
		socket->lost += 1;
		count(LOST, 1);
	}
}

/* How much to copy: `capture_bytes` of a transfer, `turn_bytes` of a turn. */
static __always_inline __u32 budget(struct socket_state *socket, __u32 length)
{
	__u32 left =
	    socket->turn_bytes < config.turn_bytes ? config.turn_bytes - socket->turn_bytes : 0;
	__u32 wanted = length < config.capture_bytes ? length : config.capture_bytes;
	socket->turn_bytes += length < (1u << 30) ? length : (1u << 30);
	return wanted < left ? wanted : left;
}

/* The state of a socket whose transfer is to be told, or null: filtered, no stream, nothing moved. */
static __always_inline struct socket_state *admit(struct sock *sk, int result, __u8 direction)
{
	if (!config.enabled || result < 0 || (direction == DIRECTION_OUT && result == 0))
		return 0;
	if (!is_tcp(sk) && !named_unix(sk))
		return 0;
	if (config.is_paused) {
		count(SHED, 1);
		return 0;
	}
	struct socket_state *socket = socket_of(sk, true);
	if (!socket)
		return 0;
	if (!is_wanted(sk, socket)) {
		count(FILTERED, 1);
		return 0;
	}
	return socket;
}

/* Tells of `result` bytes that the system call with these registers moved. */
static __always_inline void tell_transfer(struct sock *sk, struct socket_state *socket,
					  struct pt_regs *regs, int result, __u8 direction)
{
	struct thread_state *thread = thread_of(true);
	if (is_excluded(thread))
		return;
	struct transfer what = {.direction = direction, .length = result};
	struct unix_sock *local_stream = is_tcp(sk) ? 0 : named_unix(sk);
	if (local_stream)
		count_unix(local_stream, socket, result, &what);
	else if (!read_sequences(sk, &what))
		return;
	if (direction == DIRECTION_IN && result == 0) {
		/* A read of no bytes answers 0 too: only the peer's FIN is the end. */
		if (!(SOCK(sk, sk_shutdown) & RCV_SHUTDOWN))
			return;
		what.kind = EVENT_END;
		tell(sk, socket, &what, 0, 0);
		return;
	}
	what.kind = EVENT_DATA;
	what.sequence -= result;
	stamp_cause(socket, thread, direction, &what);
	__u32 wanted = budget(socket, result);
	struct user_buffer buffer = {};
	if (wanted)
		find_user_buffer(&buffer, regs);
	tell(sk, socket, &what, &buffer, buffer.count == 0 ? 0 : wanted);
}

/* Roles and connect causes: who enters SYN_SENT calls, who leaves SYN_RECV serves. */
static __always_inline void on_tcp_state(struct sock *sk, int old_state, int new_state)
{
	if (!config.enabled || !is_tcp(sk))
		return;
	if (new_state == TCP_SYN_SENT) {
		/* In the caller's thread; the ports are not final yet, so the verdict waits. */
		struct socket_state *socket = socket_of(sk, true);
		if (!socket)
			return;
		socket->role = ROLE_CLIENT;
		socket->verdict = VERDICT_NONE;
		connect_cause(socket);
	} else if (old_state == TCP_SYN_RECV && new_state == TCP_ESTABLISHED) {
		struct socket_state *socket = socket_of(sk, true);
		if (socket)
			socket->role = ROLE_SERVER;
	} else if (new_state == TCP_CLOSE) {
		struct socket_state *socket = socket_of(sk, false);
		/* The port may be gone by now, so no verdict: who was heard of is heard to end. */
		if (socket && socket->has_spoken && !config.is_paused) {
			struct transfer what = {.kind = EVENT_CLOSE};
			tell(sk, socket, &what, 0, 0);
		}
		forget_socket(sk);
	}
}
