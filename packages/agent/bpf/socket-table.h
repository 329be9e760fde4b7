/*
 * State kept in a table by the address of the socket: for hooks that find a socket by walking from
 * a descriptor, because socket storage takes no pointer of that kind. Each field is a probed read.
 */
#pragma once

#define SOCK(sk, field) BPF_CORE_READ(sk, field)
enum { HAS_UNIX = 0 };

/* 65,536 sockets at once, 9 MB; those past it are counted as NO_STORAGE and not captured. */
enum { SOCKETS_MAX = 65536 };
/*
 * The kernel gives a socket its cookie when somebody first asks, and a walk may not ask: a socket
 * that is older than the agent is named by us, above what cookies reach (they count from 1).
 * A name stays below 2^33, so that a turn id (name << 20) is exact in a double.
 */
enum { NAME_CPU_SHIFT = 26 };
#define NAMES_FROM (1ull << 32)

/* Filled from the start: tracing programs may not allocate entries before Linux 6.1. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SOCKETS_MAX);
	__type(key, __u64);
	__type(value, struct socket_state);
} sockets SEC(".maps");

static __always_inline __u64 name_socket(void)
{
	__u32 cpu = bpf_get_smp_processor_id() & (CPUS_MAX - 1);
	__u64 number = counters[cpu].of[NAMED]++ & ((1u << NAME_CPU_SHIFT) - 1);
	return NAMES_FROM | (__u64)cpu << NAME_CPU_SHIFT | number;
}

/*
 * Addresses are used again: a state with another cookie is an earlier socket's. A named one stays
 * what it is when somebody (ss(8), for one) asks for its cookie later; on_birth ends it in time.
 */
static __always_inline struct socket_state *socket_of(struct sock *sk, bool create)
{
	__u64 address = (__u64)sk, cookie = SOCK(sk, __sk_common.skc_cookie.counter);
	struct socket_state *socket = bpf_map_lookup_elem(&sockets, &address);
	if (socket && (socket->cookie == cookie || socket->cookie >= NAMES_FROM))
		return socket;
	if (!create)
		return 0;
	struct socket_state fresh = {.cookie = cookie ? cookie : name_socket()};
	fresh.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	if (bpf_map_update_elem(&sockets, &address, &fresh, BPF_ANY)) {
		count(NO_STORAGE, 1);
		return 0;
	}
	return bpf_map_lookup_elem(&sockets, &address);
}

static __always_inline void forget_socket(struct sock *sk)
{
	__u64 address = (__u64)sk;
	bpf_map_delete_elem(&sockets, &address);
}

/* A socket begins: it gets its cookie, which walks then read, and no state of an earlier one. */
static __always_inline void on_birth(struct sock *sk)
{
	__u64 address = (__u64)sk;
	struct socket_state *socket = bpf_map_lookup_elem(&sockets, &address);
	if (socket && socket->cookie >= NAMES_FROM)
		bpf_map_delete_elem(&sockets, &address);
	bpf_get_socket_cookie(sk);
}

/* Sequence numbers of the byte after the last one moved, as far as no other thread moved more. */
static __always_inline bool read_sequences(struct sock *sk, struct transfer *what)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;
	__u32 written = BPF_CORE_READ(tcp, write_seq), read = BPF_CORE_READ(tcp, copied_seq);
	bool is_out = what->direction == DIRECTION_OUT;
	what->sequence = is_out ? written : read;
	what->answer_sequence = is_out ? read : written;
	/* A read that reaches the peer's end counts it as one more byte. Source: tcp_recvmsg_locked. */
	if (!is_out && BPF_CORE_READ(sk, sk_shutdown) & RCV_SHUTDOWN &&
	    what->sequence == BPF_CORE_READ(tcp, rcv_nxt))
		what->sequence -= 1;
	return true;
}
