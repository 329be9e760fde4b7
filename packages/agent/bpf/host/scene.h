/* What the cases are played with: a process with sockets, and user memory that they speak from. */
#pragma once

enum { SOCKETS = 4, USER_SIZE = 65536, FIRST_DESCRIPTOR = 10, NETNS = 4026 };

static struct {
	union {
		struct tcp_sock tcp;
		struct unix_sock local;
	} of[SOCKETS];
	struct net net;
	struct inode inode;
	struct socket sockets[SOCKETS];
	struct file files[SOCKETS];
	struct file *descriptors[FIRST_DESCRIPTOR + SOCKETS];
	struct fdtable table;
	struct files_struct files_struct;
} scene;
static char user[USER_SIZE]; /* The alphabet, over and over. */

static struct sock *socket_at(int which)
{
	return (struct sock *)&scene.of[which];
}

/* An empty kernel, sockets with port 1000 + n to port 2000 + n, all of the user memory there. */
static void scene_reset(void)
{
	host_reset();
	memset(&scene, 0, sizeof(scene));
	memset(counters, 0, sizeof(counters));
	config.enabled = 1;
	config.capture_bytes = 512;
	config.turn_bytes = 8192;
	config.pause_bytes = ~0u;
	config.is_paused = 0;
	config.has_wanted_ports = config.has_wanted_netns = 0;
	config.generation = 1; /* The agent raises it before it enables. */
	scene.net.ns.inum = NETNS;
	scene.inode.i_mode = S_IFSOCK | 0777;
	for (int i = 0; i < USER_SIZE && !user[USER_SIZE - 1]; i++)
		user[i] = 'a' + i % 26;
	for (int i = 0; i < SOCKETS; i++) {
		struct sock *sk = socket_at(i);
		sk->sk_protocol = IPPROTO_TCP;
		sk->__sk_common.skc_family = AF_INET;
		sk->__sk_common.skc_state = TCP_ESTABLISHED;
		sk->__sk_common.skc_num = 1000 + i;
		sk->__sk_common.skc_dport = bpf_ntohs(2000 + i);
		sk->__sk_common.skc_net.net = &scene.net;
		scene.sockets[i].sk = sk;
		scene.files[i].f_inode = &scene.inode;
		scene.files[i].private_data = &scene.sockets[i];
		scene.descriptors[FIRST_DESCRIPTOR + i] = &scene.files[i];
	}
	scene.table.fd = scene.descriptors;
	scene.table.max_fds = FIRST_DESCRIPTOR + SOCKETS;
	scene.files_struct.fdt = &scene.table;
	host.task.files = &scene.files_struct;
	host.user[0] = (struct host_memory){user, sizeof(user)};
}

/* The system call in `host.regs` moved `result` bytes on a socket. */
static void play_transfer(int which, int direction, int result)
{
#ifdef RUNG_B
	(void)direction;
	unsigned long long ctx[] = {(__u64)&host.regs, result};
	host.regs.di = FIRST_DESCRIPTOR + which;
	on_sys_exit(ctx);
#else
	unsigned long long ctx[] = {(__u64)socket_at(which), result, 0};
	(direction == DIRECTION_IN ? on_receive : on_send)(ctx);
#endif
}

static void play_state(int which, int from, int to)
{
	unsigned long long ctx[] = {(__u64)socket_at(which), from, to};
	on_state(ctx);
	socket_at(which)->__sk_common.skc_state = to;
}

/* A short message by read() or write(). */
static void play_message(int which, int direction)
{
	host.regs = (struct pt_regs){.orig_ax = direction == DIRECTION_IN ? SYS_READ : SYS_WRITE,
				     .si = (unsigned long)user,
				     .dx = 100};
	play_transfer(which, direction, 10);
}

static struct event *last_event(void)
{
	return host.record_count ? host.records[host.record_count - 1] : 0;
}

static unsigned long long counted(enum counter which)
{
	return counters[bpf_get_smp_processor_id()].of[which];
}

/* One line a case: the test that runs this makes each a test of its own. */
static void report(const char *group, const char *name, bool is_ok, const char *got)
{
	printf("%s\t%s: %s\t%s\n", is_ok ? "ok" : "not ok", group, name, is_ok ? "" : got);
}

static void report_number(const char *group, const char *name, unsigned long long got,
			  unsigned long long want)
{
	char text[64];
	snprintf(text, sizeof(text), "got %llu, want %llu", got, want);
	report(group, name, got == want, text);
}
