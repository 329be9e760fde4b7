/* From a packet to what a flow wants to know of it. Reads headers only, changes nothing. */
#pragma once

enum { VLANS_MAX = 2, VLAN_ID = 0x0fff, HEADER_OFFSET_MAX = 64 };

struct __sk_buff {
	__u32 len, pkt_type, mark, queue_mapping, protocol, vlan_present, vlan_tci, vlan_proto, priority;
	__u32 ingress_ifindex, ifindex, tc_index, cb[5], hash, tc_classid, data, data_end, napi_id;
	__u32 family, remote_ip4, local_ip4, remote_ip6[4], local_ip6[4], remote_port, local_port;
	__u32 data_meta;
	__u64 flow_keys, tstamp;
	__u32 wire_len, gso_segs;
};
struct vlan_tag {
	__be16 tci, protocol;
};
struct ipv4_header {
	__u8 version_ihl, tos;
	__be16 total_length, id, fragment;
	__u8 ttl, protocol;
	__u16 checksum;
	__u32 source, target;
};
struct ipv6_header {
	__u32 version_class_flow;
	__be16 payload_length;
	__u8 next_header, hop_limit;
	__u8 source[16], target[16];
};
struct tcp_header {
	__be16 source, target;
	__be32 sequence, acknowledged;
	__u8 offset, flags;
	__be16 window;
};

struct packet {
	struct flow_key key;
	__u64 at_ns;
	__u32 sequence;
	__u32 length; /* of payload */
	__u32 segments;
	__u16 window;
	__u16 vlan;
	__u8 flags;
	__u8 direction;
};

extern void *bpf_cast_to_kern_ctx(void *) __ksym;

static __always_inline void put_addresses(struct flow_key *key, bool is_egress, const void *source,
					  const void *target, int size)
{
	__builtin_memcpy(is_egress ? key->near : key->far, source, size);
	__builtin_memcpy(is_egress ? key->far : key->near, target, size);
}

/* Finds the TCP header and the bytes that follow it. 0: not TCP, or not readable. */
static __always_inline struct tcp_header *read_ip(struct __sk_buff *skb, void *at, __be16 protocol,
						  struct packet *packet, __u32 before)
{
	void *end = (void *)(long)skb->data_end;
	bool is_egress = packet->direction == PACKET_EGRESS;
	if (protocol == bpf_htons(ETH_P_IP)) {
		struct ipv4_header *ip = at;
		if ((void *)(ip + 1) > end || ip->protocol != IPPROTO_TCP)
			return 0;
		if (ip->fragment & bpf_htons(IPPROTO_FRAGMENT_MASK))
			return 0;
		__u32 size = (ip->version_ihl & 15) * 4;
		/* 0 when the segments that it will become are longer than 64 KiB together. */
		__u32 total = bpf_ntohs(ip->total_length);
		packet->length = (total ? total : skb->len - before) - size;
		packet->key.ip_version = 4;
		put_addresses(&packet->key, is_egress, &ip->source, &ip->target, 4);
		return at + size;
	}
	if (protocol == bpf_htons(ETH_P_IPV6)) {
		struct ipv6_header *ip = at;
		if ((void *)(ip + 1) > end || ip->next_header != IPPROTO_TCP)
			return 0;
		__u32 size = bpf_ntohs(ip->payload_length);
		packet->length = size ? size : skb->len - before - sizeof *ip;
		packet->key.ip_version = 6;
		put_addresses(&packet->key, is_egress, ip->source, ip->target, 16);
		return (void *)(ip + 1);
	}
	return 0;
}

/* Fills `packet`, which is zero but for its direction. False: not TCP, or not readable. */
static __always_inline bool read_packet(struct __sk_buff *skb, struct packet *packet)
{
	struct sk_buff *kernel = bpf_cast_to_kern_ctx(skb);
	void *start = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	/* Cards without Ethernet headers (tun, WireGuard) have the IP header at the start. */
	__u64 before = (__u64)kernel->head + kernel->network_header - (__u64)kernel->data;
	__be16 protocol = skb->protocol;
	if (before > HEADER_OFFSET_MAX)
		return false;
	packet->vlan = skb->vlan_present ? skb->vlan_tci & VLAN_ID : 0;
	void *at = start + before;
#pragma unroll
	for (int i = 0; i < VLANS_MAX; i++) {
		if (protocol != bpf_htons(ETH_P_8021Q) && protocol != bpf_htons(ETH_P_8021AD))
			break;
		struct vlan_tag *tag = at;
		if ((void *)(tag + 1) > end)
			return false;
		packet->vlan = bpf_ntohs(tag->tci) & VLAN_ID;
		protocol = tag->protocol;
		at = tag + 1;
		before += sizeof *tag;
	}
	struct tcp_header *tcp = read_ip(skb, at, protocol, packet, before);
	if (!tcp || (void *)(tcp + 1) > end)
		return false;
	__u32 size = (tcp->offset >> 4) * 4;
	if (packet->length < size)
		return false;
	bool is_egress = packet->direction == PACKET_EGRESS;
	packet->length -= size;
	packet->sequence = bpf_ntohl(tcp->sequence);
	packet->flags = tcp->flags;
	packet->window = tcp->window;
	packet->segments = skb->gso_segs ? skb->gso_segs : 1;
	packet->key.near_port = bpf_ntohs(is_egress ? tcp->source : tcp->target);
	packet->key.far_port = bpf_ntohs(is_egress ? tcp->target : tcp->source);
	packet->key.ifindex = kernel->dev->ifindex;
	packet->key.netns = kernel->dev->nd_net.net->ns.inum;
	packet->at_ns = bpf_ktime_get_ns();
	return true;
}
