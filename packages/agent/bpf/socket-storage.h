/* State kept in the sockets themselves: for hooks that are given a socket that they may trust. */
#pragma once

#define SOCK(sk, field) ((sk)->field)
enum { HAS_UNIX = 1 };

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct socket_state);
} sockets SEC(".maps");

static __always_inline struct socket_state *socket_of(struct sock *sk, bool create)
{
	struct socket_state *socket =
	    bpf_sk_storage_get(&sockets, sk, 0, create ? BPF_STORAGE_CREATE : 0);
	if (!socket) {
		if (create)
			count(NO_STORAGE, 1);
		return 0;
	}
	if (!socket->cookie) {
		socket->cookie = bpf_get_socket_cookie(sk);
		socket->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	}
	return socket;
}

/* The kernel frees the state with its socket. */
static __always_inline void forget_socket(struct sock *sk)
{
	(void)sk;
}

/* Sequence numbers of the byte after the last one moved, of both ways. False: not TCP after all. */
static __always_inline bool read_sequences(struct sock *sk, struct transfer *what)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return false;
	bool is_out = what->direction == DIRECTION_OUT;
	what->sequence = is_out ? tcp->write_seq : tcp->copied_seq;
	what->answer_sequence = is_out ? tcp->copied_seq : tcp->write_seq;
	/* A read that reaches the peer's end counts it as one more byte. Source: tcp_recvmsg_locked. */
	if (!is_out && sk->sk_shutdown & RCV_SHUTDOWN && tcp->copied_seq == tcp->rcv_nxt)
		what->sequence -= 1;
	return true;
}
