/*
 * Unix-domain sockets, with the shape of TCP: streams that a path names. They have no sequence
 * numbers, so both ends count bytes from one random number for each direction. Only where
 * HAS_UNIX: state is kept at the peer too, which is reached from a socket that may be trusted.
 */
#pragma once

enum { UNIX_PATH_MAX = 32 };

static __always_inline struct unix_sock *unix_peer_of(struct unix_sock *own)
{
	struct sock *peer = own->peer;
	return peer ? bpf_skc_to_unix_sock(peer) : 0;
}

/*
 * The unix socket of a stream between two ends of which one is bound to a path: accepted sockets
 * have the listener's. Pairs without a name join a process to its own children.
 */
static __always_inline struct unix_sock *named_unix(struct sock *sk)
{
	if (!HAS_UNIX || SOCK(sk, __sk_common.skc_family) != AF_UNIX || SOCK(sk, sk_type) != SOCK_STREAM)
		return 0;
	struct unix_sock *own = bpf_skc_to_unix_sock(sk);
	if (!own)
		return 0;
	if (own->addr)
		return own;
	struct unix_sock *peer = unix_peer_of(own);
	return peer && peer->addr ? own : 0;
}

/* Who is bound and whose peer is not serves. */
static __always_inline __u8 unix_role(struct unix_sock *own)
{
	struct unix_sock *peer = unix_peer_of(own);
	bool is_bound = own->addr != 0, is_peer_bound = peer && peer->addr;
	if (is_bound == is_peer_bound)
		return ROLE_UNKNOWN;
	return is_bound ? ROLE_SERVER : ROLE_CLIENT;
}

/*
 * Counts `length` bytes and tells the sequence number behind them. Who is first to be seen since
 * the capture looks begins for both ends: a reader has read all that was sent, as far as it knows.
 */
static __always_inline void count_unix(struct unix_sock *own, struct socket_state *socket,
				       __u32 length, struct transfer *what)
{
	__u8 direction = what->direction & 1;
	if (socket->stream_generation != config.generation) {
		struct unix_sock *peer = unix_peer_of(own);
		struct socket_state *other =
		    peer ? bpf_sk_storage_get(&sockets, peer, 0, BPF_STORAGE_CREATE) : 0;
		socket->stream_generation = config.generation;
		socket->next_sequence[0] = bpf_get_prandom_u32();
		socket->next_sequence[1] = bpf_get_prandom_u32();
		if (other) {
			other->stream_generation = config.generation;
			other->next_sequence[0] = socket->next_sequence[1];
			other->next_sequence[1] = socket->next_sequence[0];
			if (direction == DIRECTION_IN)
				other->next_sequence[1] += length;
		}
	}
	what->sequence = socket->next_sequence[direction] += length;
	what->answer_sequence = socket->next_sequence[direction ^ 1];
}

/*
 * Puts the end of the path that one of both is bound to, zero-terminated, in place of both addresses;
 * an abstract name is empty.
 */
static __always_inline void read_unix_path(struct unix_sock *own, struct event *event)
{
	struct unix_address *bound = own->addr;
	if (!bound) {
		struct unix_sock *peer = unix_peer_of(own);
		bound = peer ? peer->addr : 0;
	}
	char *target = (char *)event + __builtin_offsetof(struct event, local_address);
	__builtin_memset(target, 0, UNIX_PATH_MAX);
	if (!bound)
		return;
	int length = bound->len - (int)sizeof(unsigned short);
	__u32 from = length > UNIX_PATH_MAX ? length - UNIX_PATH_MAX : 0;
	bpf_probe_read_kernel_str(target, UNIX_PATH_MAX, (const char *)bound->name[0].sun_path + from);
}
