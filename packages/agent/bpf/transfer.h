/* Socket capture itself, whatever the hook: who said how much to whom, and the first bytes of it. */
#pragma once

/* What an event says beside its socket and its task. */
struct transfer {
	__u8 kind;
	__u8 direction;
	__u8 cause_kind;
	__u32 sequence;
	__u32 length;
	__u64 turn_id;
	__u64 cause_id;
};

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

/*
 * Wakes the reader only while crossing the mark: a wake-up costs ten times the event itself. A ring
 * that is nearly full pauses the capture.
 */
static __always_inline __u64 wake_flags(void)
{
	__u64 queued = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);
	if (queued >= config.pause_bytes)
		config.is_paused = 1;
	bool crossing = queued >= config.wake_bytes && queued < config.wake_bytes + 1280;
	return crossing ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

static __always_inline void fill(struct event *event, struct sock *sk, struct socket_state *socket)
{
	__u64 id = bpf_get_current_pid_tgid();
	event->at_ns = bpf_ktime_get_ns();
	event->cookie = socket->cookie;
	event->pid = id >> 32;
	event->tid = id;
	event->netns = socket->netns;
	event->role = socket->role;
	event->lost_before = socket->lost;
	socket->lost = 0;
	event->local_port = SOCK(sk, __sk_common.skc_num);
	event->remote_port = bpf_ntohs(SOCK(sk, __sk_common.skc_dport));
	if (SOCK(sk, __sk_common.skc_family) == AF_INET) {
		event->ip_version = 4;
		*(__u32 *)event->local_address = SOCK(sk, __sk_common.skc_rcv_saddr);
		*(__u32 *)event->remote_address = SOCK(sk, __sk_common.skc_daddr);
	} else {
		event->ip_version = 6;
		bpf_core_read(event->local_address, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(event->remote_address, 16, &sk->__sk_common.skc_v6_daddr);
	}
	bpf_get_current_comm(event->comm, sizeof(event->comm));
}

/* Sends one event with up to `wanted` bytes of payload, or counts the loss at its socket. */
static __always_inline void send_event(struct sock *sk, struct socket_state *socket,
				       struct transfer *what, struct user_buffer *buffer,
				       __u32 wanted)
{
	struct event *event;
	__u32 captured = 0;
	if (wanted == 0 || !buffer) {
		event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
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
	if (!event) {
		socket->lost += 1;
		count(LOST, 1);
		return;
	}
	fill(event, sk, socket);
	event->kind = what->kind;
	event->direction = what->direction;
	event->sequence = what->sequence;
	event->length = what->length;
	event->turn_id = what->turn_id;
	event->cause_id = what->cause_id;
	event->cause_kind = what->cause_kind;
	event->captured = captured;
	bpf_ringbuf_submit(event, wake_flags());
	count(EVENTS, 1);
	count(BYTES, what->length);
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

/* The state of a socket whose transfer is to be told, or null: filtered, not TCP, nothing moved. */
static __always_inline struct socket_state *admit(struct sock *sk, int result, __u8 direction)
{
	if (!config.enabled || result < 0 || (direction == DIRECTION_OUT && result == 0))
		return 0;
	if (!is_tcp(sk))
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
	if (!sequence_after(sk, direction, &what.sequence))
		return;
	if (direction == DIRECTION_IN && result == 0) {
		/* A read of no bytes answers 0 too: only the peer's FIN is the end. */
		if (!(SOCK(sk, sk_shutdown) & RCV_SHUTDOWN))
			return;
		what.kind = EVENT_END;
		send_event(sk, socket, &what, 0, 0);
		return;
	}
	what.kind = EVENT_DATA;
	what.sequence -= result;
	stamp_cause(socket, thread, direction, &what);
	struct user_buffer buffer;
	find_user_buffer(&buffer, regs);
	send_event(sk, socket, &what, &buffer, budget(socket, result));
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
			send_event(sk, socket, &what, 0, 0);
		}
		forget_socket(sk);
	}
}
