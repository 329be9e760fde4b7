/* The few kernel types that are read, by the names that BTF relocates (CO-RE): no vmlinux.h. */
#pragma once

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed int __s32;
typedef signed long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
enum { false = 0, true = 1 };

#define BPF_MAP_TYPE_HASH 1
#define BPF_MAP_TYPE_LRU_HASH 9
#define BPF_MAP_TYPE_SK_STORAGE 24
#define BPF_MAP_TYPE_RINGBUF 27
#define BPF_MAP_TYPE_TASK_STORAGE 29
#define BPF_F_NO_PREALLOC 1
#define BPF_RB_NO_WAKEUP 1
#define BPF_RB_AVAIL_DATA 0
#define BPF_STORAGE_CREATE 1
#define BPF_ANY 0

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define SOCK_STREAM 1
#define MSG_PEEK 2
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_CLOSE 7
#define IPPROTO_FRAGMENT_MASK 0x1fff
#define ETH_P_IP 0x0800
#define ETH_P_8021Q 0x8100
#define ETH_P_IPV6 0x86dd
#define ETH_P_8021AD 0x88a8
#define TCP_FIN 1
#define TCP_SYN 2
#define TCP_RST 4
#define TCP_ACK 16
#define TCX_NEXT -1
#define BPF_NOEXIST 1

#define RCV_SHUTDOWN 1
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define TS_COMPAT 2

/* On the host compiler, for tests, the fields are where this file puts them. */
#ifdef __bpf__
#define RELOCATED __attribute__((preserve_access_index))
#else
#define RELOCATED
#endif

struct ns_common {
	unsigned int inum;
} RELOCATED;
struct net {
	struct ns_common ns;
} RELOCATED;
typedef struct {
	struct net *net;
} possible_net_t;
struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct {
		__s64 counter;
	} skc_cookie;
	struct {
		__u8 bytes[16];
	} skc_v6_daddr;
	struct {
		__u8 bytes[16];
	} skc_v6_rcv_saddr;
} RELOCATED;
struct sock {
	struct sock_common __sk_common;
	__u8 sk_shutdown;
	__u16 sk_protocol;
	__u16 sk_type;
} RELOCATED;
struct sockaddr_un {
	unsigned short sun_family;
	char sun_path[108];
} RELOCATED;
struct unix_address {
	int len; /* Of the family and the path. */
	struct sockaddr_un name[1];
} RELOCATED;
struct unix_sock {
	struct sock sk;
	struct unix_address *addr;
	struct sock *peer;
} RELOCATED;
struct inet_sock {
	struct sock sk;
} RELOCATED;
struct inet_connection_sock {
	struct inet_sock icsk_inet;
} RELOCATED;
struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 write_seq;
	__u32 copied_seq;
	__u32 rcv_nxt;
} RELOCATED;
struct file;
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
} RELOCATED;
struct files_struct {
	struct fdtable *fdt;
} RELOCATED;
struct inode {
	unsigned short i_mode;
} RELOCATED;
struct file {
	struct inode *f_inode;
	void *private_data;
} RELOCATED;
struct socket {
	struct sock *sk;
} RELOCATED;
struct thread_info {
	__u32 status;
} RELOCATED;
struct task_struct {
	struct thread_info thread_info;
	struct files_struct *files;
	int pid;
	int tgid;
	char comm[16];
} RELOCATED;
struct net_device {
	int ifindex;
	possible_net_t nd_net;
} RELOCATED;
struct sk_buff {
	struct net_device *dev;
	unsigned char *head;
	unsigned char *data;
	__u16 network_header;
} RELOCATED;
struct pt_regs {
	unsigned long di, si, dx, r10, orig_ax;
} RELOCATED;
struct user_iovec {
	void *base;
	unsigned long len;
};
struct user_msghdr {
	void *name;
	int name_len;
	struct user_iovec *iov;
	unsigned long iov_count;
};
/* Only named in the declarations of helpers. */
struct bpf_dynptr;
struct bpf_sock;
struct bpf_tcp_sock;
struct xdp_md;
struct seq_file;
struct bpf_cgroup_dev_ctx;
struct bpf_dynptr;
struct bpf_fib_lookup;
struct bpf_map;
struct bpf_perf_event_value;
struct bpf_pidns_info;
struct bpf_raw_tracepoint_args;
struct bpf_redir_neigh;
struct bpf_sk_lookup;
struct bpf_sock;
struct bpf_sock_addr;
struct bpf_sock_tuple;
struct bpf_spin_lock;
struct bpf_sysctl;
struct bpf_tcp_sock;
struct bpf_timer;
struct bpf_tunnel_key;
struct bpf_xfrm_state;
struct btf_ptr;
struct cgroup;
struct iphdr;
struct ipv6hdr;
struct linux_binprm;
struct mptcp_sock;
struct path;
struct seq_file;
struct sk_msg_md;
struct sk_reuseport_md;
struct tcp6_sock;
struct tcp_request_sock;
struct tcp_timewait_sock;
struct tcphdr;
struct udp6_sock;
struct xdp_md;
