/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* What is used of Linux's own structures; libbpf finds the fields in the running kernel by their names. */
#ifndef CCPARK_KERNEL_H
#define CCPARK_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef _Bool bool;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	u16 skc_num;
};

struct sock {
	struct sock_common __sk_common;
	unsigned long sk_pacing_rate;
	unsigned long sk_max_pacing_rate;
	u32 sk_pacing_status;
};

struct tcp_congestion_ops;

struct inet_connection_sock {
	const struct tcp_congestion_ops *icsk_ca_ops;
	u8 icsk_ca_state : 5;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	u64 bytes_acked;
	u64 tcp_mstamp;
	u32 mss_cache;
	u32 snd_una;
	u32 write_seq;
	u32 snd_cwnd;
	u32 snd_cwnd_clamp;
	u32 snd_ssthresh;
	u32 prior_cwnd;
	u32 prr_out;
	u32 packets_out;
	u32 sacked_out;
	u32 lost_out;
	u32 retrans_out;
	u32 srtt_us;
	u32 delivered;
	u32 delivered_ce;
	/* packets judged lost so far */
	u32 lost;
};

struct rate_sample {
	/* tp->delivered when the newest packet was sent that was delivered now */
	u32 prior_delivered;
	s32 delivered;
	long interval_us;
	u32 snd_interval_us;
	u32 rcv_interval_us;
	long rtt_us;
	int losses;
	u32 acked_sacked;
};

struct tcp_congestion_ops {
	u32 (*ssthresh)(struct sock *sk);
	void (*set_state)(struct sock *sk, u8 new_state);
	/* the signature since Linux 6.10 */
	void (*cong_control)(struct sock *sk, u32 ack, int flag, const struct rate_sample *rs);
	u32 (*undo_cwnd)(struct sock *sk);
	char name[16];
	u32 flags;
	void (*init)(struct sock *sk);
	void (*release)(struct sock *sk);
};

struct bpf_iter__tcp {
	struct sock_common *sk_common;
};

#pragma clang attribute pop

enum { TCP_CONG_NON_RESTRICTED = 1 };
enum { TCP_CA_OPEN, TCP_CA_DISORDER, TCP_CA_CWR, TCP_CA_RECOVERY, TCP_CA_LOSS };
enum { SK_PACING_NONE, SK_PACING_NEEDED };
/* of the flags that an ACK comes with: it acknowledges data, in order or selectively */
enum { FLAG_DATA_ACKED = 0x04, FLAG_SND_UNA_ADVANCED = 0x400, FLAG_DATA_SACKED = 0x20 };
#define TCP_INFINITE_SSTHRESH 0x7fffffffU
enum { SOL_TCP = 6, TCP_CONGESTION = 13 };

#endif
