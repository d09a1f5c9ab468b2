/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * Linux TCP as a CCP datapath: a congestion control whose flows run compiled CCP programs on every ACK.
 *
 *   ccp_ack:  measure; no word from the agent? -> native
 *             take a command; no program? -> native
 *             load the implicit registers, tail call -> program k -> tail call -> ccp_post: window, pacing, report
 *
 * The programs are made and loaded by the agent's process, and entered through `jumps`. `native` is Reno with the
 * proportional rate reduction that a `cong_control` has to bring along.
 */
#include "kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* The name of the instance is written over it before the object is loaded. */
#define NAME "ccpark_________"
const volatile char own_name[16] = NAME;
/* Every invocation leaves the registers before and after it in `traces`. */
const volatile bool tracing = 0;

enum {
	PRIMITIVES = 15,
	CONTROLS = 110,
	REPORTS = 110,
	HOST_WORDS = 24,
	MAX_FLOWS = 1024,
	MAX_PROGRAMS = 64,
	MAX_INITIALS = CONTROLS + REPORTS,
	MAX_UPDATES = CONTROLS + 2,
	MIN_CWND_PACKETS = 2,
	MAX_CWND_PACKETS = 1 << 24,
	PAGE = 4096,
};

enum { ACK_BYTES, ACK_MISORDERED_BYTES, ECN_BYTES, ECN_PACKETS, LOST_PACKETS, ACK_NOW, ACK_PACKETS, MISORDERED_PACKETS,
       BYTES_IN_FLIGHT, BYTES_PENDING, PACKETS_IN_FLIGHT, RATE_INCOMING, RATE_OUTGOING, RTT_SAMPLE_US, WAS_TIMEOUT };
enum { EVENT_FLAG, FALLTHROUGH, REPORT_FLAG, MICROS, CWND, RATE, IMPLICITS };

struct flow {
	u64 primitives[PRIMITIVES];
	u64 implicit[IMPLICITS];
	u64 temporary[8];
	u64 local[8];
	u64 micros_start;
	u64 now_us;
	s64 code;
	union {
		u64 host_words[HOST_WORDS];
		struct {
			/* number of the slot and a count, so that it is never another flow's; 0: there was no slot */
			u32 id;
			u32 mss;
			/* in `jumps` and `programs`; 0: none */
			u32 program;
			/* the snd_cwnd that was set last: another one means that Linux has changed it */
			u32 applied_packets;
			u64 cwnd_bytes;
			/* 0: none */
			u64 rate;
			u64 bytes_acked;
			u32 delivered_ce;
			u32 sacked_out;
			u32 prr_delivered;
			/* the agent that was told of it; 0: none */
			u32 announced_to;
			/* the program ran on the last ACK: loss recovery follows who did */
			u8 by_program;
			u8 is_reducing;
			u8 was_timeout;
			/* internal pacing is ours */
			u8 is_paced;
			/* of the guard: what had been delivered and lost when its round began, and what it leaves of the window; 0: all */
			u32 round_delivered;
			u32 round_lost;
			u32 cap_packets;
			u8 bad_rounds;
			/* rounds are counted: something was lost in the running one, or in one before it */
			u8 is_watching;
		};
	};
	/* downwards: register i is controls[CONTROLS - 1 - i] */
	u64 controls[CONTROLS];
	u64 stamp_ns;
	struct {
		u16 type;
		u16 length;
		u32 flow_id;
		u32 program_uid;
		u32 fields;
	} header;
	u64 reports[REPORTS];
	u64 unused;
};
#define WORD(member) (__builtin_offsetof(struct flow, member) / 8)
_Static_assert(WORD(implicit) == 15 && WORD(temporary) == 21 && WORD(local) == 29, "KERNEL_FLOW");
_Static_assert(WORD(micros_start) == 37 && WORD(now_us) == 38 && WORD(code) == 39, "KERNEL_FLOW");
_Static_assert(WORD(host_words) == 40 && WORD(controls) == 64 && WORD(stamp_ns) == 174, "KERNEL_FLOW");
_Static_assert(WORD(header) == 175 && WORD(reports) == 177 && sizeof(struct flow) == 8 * 288, "KERNEL_FLOW");

/* Who holds it may write: a slot is nobody's (idle, ready) or one side's. */
enum { IDLE, READY, TAKEN_BY_KERNEL, TAKEN_BY_AGENT };

/* A program's number in a command: the flow is none of the agent's. */
#define LEAVE 0xffffffffU

/* What the agent tells a flow, and what it may see of it. */
struct slot {
	u32 state;
	/* flow id; 0: free */
	u32 owner;
	/* of the command: whom it is for, its program (0: the same) and the number of its updates */
	u32 flow_id;
	u32 program;
	u64 update_count;
	u64 values[MAX_UPDATES];
	u16 words[MAX_UPDATES];
	/* facts */
	struct {
		u64 acks;
		u64 reports;
		/* those that found the ring full */
		u64 lost_reports;
		u64 errors;
		u64 cwnd_bytes;
		u64 rate;
		u32 srtt_us;
		u32 program;
		u64 native_acks;
		u64 commands;
		/* address and ports as in the create message */
		u32 source_ip;
		u32 destination_ip;
		u32 source_port;
		u32 destination_port;
		/* of the congestion control */
		char name[16];
		u64 unused[4];
	} facts;
};
_Static_assert(sizeof(struct slot) == 1280, "SLOT");

struct agent {
	/* on the clock of bpf_ktime_get_ns */
	u64 alive_us;
	u64 timeout_us;
	/* zero of `Ack.now` */
	u64 zero_us;
	/* flows so far */
	u32 flows;
	/* those that found no slot */
	u32 refused_flows;
	/* counts agents, from 1: a new one knows nothing of the flows */
	u32 number;
	/* 1: it looks at the ring by itself, and is not to be woken */
	u32 is_looking;
	/* the congestion control of flows that are to leave */
	char other[16];
};

struct program {
	u32 uid;
	u32 report_fields;
	u32 volatiles;
	/* behind the volatile ones */
	u32 nonvolatiles;
	struct {
		u32 word;
		u32 value;
	} initials[MAX_INITIALS];
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, MAX_FLOWS);
	__type(key, u32);
	__type(value, struct slot);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct agent);
} agents SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, MAX_PROGRAMS + 1);
	__type(key, u32);
	__type(value, struct program);
} programs SEC(".maps");

/* 0: ccp_post */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, MAX_PROGRAMS + 1);
	__type(key, u32);
	__type(value, u32);
} jumps SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 22);
} reports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PAGE);
} traces SEC(".maps");

extern u32 tcp_reno_ssthresh(struct sock *sk) __ksym;
extern void tcp_reno_cong_avoid(struct sock *sk, u32 ack, u32 acked) __ksym;

static __always_inline struct tcp_sock *tcp_sk(const struct sock *sk)
{
	return (struct tcp_sock *)sk;
}

static __always_inline u64 max_of(u64 a, u64 b)
{
	return a > b ? a : b;
}

static __always_inline u64 min_of(u64 a, u64 b)
{
	return a < b ? a : b;
}

static __always_inline struct flow *flow_of(struct sock *sk)
{
	return bpf_sk_storage_get(&flows, sk, 0, 0);
}

/* A slot's number is the lower part of the flow's. */
static __always_inline struct slot *slot_of(const struct flow *flow)
{
	u32 number = flow->id % MAX_FLOWS;
	return flow->id == 0 ? 0 : bpf_map_lookup_elem(&slots, &number);
}

static __always_inline struct agent *the_agent(void)
{
	u32 zero = 0;
	return bpf_map_lookup_elem(&agents, &zero);
}

static __always_inline u32 packets_in_flight(const struct tcp_sock *tp)
{
	return tp->packets_out - tp->sacked_out - tp->lost_out + tp->retrans_out;
}

static __always_inline bool is_alive(const struct agent *agent, u64 now_us)
{
	u64 alive_us = agent->alive_us;
	return alive_us != 0 && (now_us <= alive_us || now_us - alive_us < agent->timeout_us);
}

/* ---- messages ---- */

static __always_inline void announce(struct sock *sk, struct flow *flow, const struct slot *slot, u32 agent_number)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct {
		u64 stamp_ns;
		u16 type;
		u16 length;
		u32 flow_id;
		u32 init_cwnd_bytes;
		u32 mss_bytes;
		u32 source_ip;
		u32 source_port;
		u32 destination_ip;
		u32 destination_port;
		char algorithm[64];
	} create = { .length = 96 };

	create.stamp_ns = bpf_ktime_get_ns();
	create.flow_id = flow->id;
	create.init_cwnd_bytes = tp->snd_cwnd * flow->mss;
	create.mss_bytes = flow->mss;
	create.source_ip = slot->facts.source_ip;
	create.source_port = slot->facts.source_port;
	create.destination_ip = slot->facts.destination_ip;
	create.destination_port = slot->facts.destination_port;
	if (bpf_ringbuf_output(&reports, &create, sizeof(create), BPF_RB_FORCE_WAKEUP) == 0)
		flow->announced_to = agent_number;
}

static __always_inline void say_goodbye(const struct flow *flow)
{
	struct {
		u64 stamp_ns;
		u16 type;
		u16 length;
		u32 flow_id;
		u32 program_uid;
		u32 fields;
	} close = { .type = 1, .length = 16 };

	close.stamp_ns = bpf_ktime_get_ns();
	close.flow_id = flow->id;
	/* one that is lost: the agent finds the slot without its owner */
	bpf_ringbuf_output(&reports, &close, sizeof(close), BPF_RB_FORCE_WAKEUP);
}

/* ---- registers ---- */

static __always_inline void write_initials(struct flow *flow, const struct program *program, u32 from, u32 to)
{
	u64 *words = (u64 *)flow;

	for (u32 i = 0; i < MAX_INITIALS; i++) {
		u32 place = from + i;
		if (place >= to || place >= MAX_INITIALS)
			break;
		u32 word = program->initials[place].word;
		if (word >= sizeof(struct flow) / 8)
			break;
		words[word] = program->initials[place].value;
	}
}

static __always_inline void measure(const struct tcp_sock *tp, struct flow *flow, const struct rate_sample *rs, u64 zero_us)
{
	u64 *to = flow->primitives;
	u64 mss = tp->mss_cache;
	u32 sacked = tp->sacked_out;
	u32 misordered = sacked > flow->sacked_out ? sacked - flow->sacked_out : 0;
	u32 in_flight = packets_in_flight(tp);
	u32 delivered_ce = tp->delivered_ce;
	u32 marked = delivered_ce - flow->delivered_ce;
	u32 acked = rs->acked_sacked;
	u64 bytes_acked = tp->bytes_acked;
	long rtt_us = rs->rtt_us;
	s32 delivered = rs->delivered;

	to[ACK_BYTES] = bytes_acked - flow->bytes_acked;
	to[ACK_MISORDERED_BYTES] = misordered * mss;
	to[ECN_BYTES] = marked * mss;
	to[ECN_PACKETS] = marked;
	to[LOST_PACKETS] = rs->losses > 0 ? rs->losses : 0;
	to[ACK_NOW] = flow->now_us - zero_us;
	to[ACK_PACKETS] = acked > misordered ? acked - misordered : 0;
	to[MISORDERED_PACKETS] = misordered;
	to[BYTES_IN_FLIGHT] = in_flight * mss;
	to[BYTES_PENDING] = tp->write_seq - tp->snd_una;
	to[PACKETS_IN_FLIGHT] = in_flight;
	/* an ACK without a sample leaves the last one standing */
	if (delivered > 0 && rs->interval_us > 0) {
		u64 bytes = 1000000ull * delivered * mss;
		if (rs->rcv_interval_us > 0)
			to[RATE_INCOMING] = bytes / rs->rcv_interval_us;
		if (rs->snd_interval_us > 0)
			to[RATE_OUTGOING] = bytes / rs->snd_interval_us;
	}
	to[RTT_SAMPLE_US] = rtt_us > 0 ? rtt_us : 0;
	to[WAS_TIMEOUT] = flow->was_timeout;
	flow->was_timeout = 0;
	flow->bytes_acked = bytes_acked;
	flow->delivered_ce = delivered_ce;
	flow->sacked_out = sacked;
	flow->mss = mss;
}

/* A window is whole packets in Linux, bytes here: read back only where it is not what was set. */
static __always_inline void read_window(const struct tcp_sock *tp, struct flow *flow)
{
	if (tp->snd_cwnd != flow->applied_packets)
		flow->cwnd_bytes = (u64)tp->snd_cwnd * flow->mss;
}

/* ---- commands ---- */

static __always_inline void take_command(struct flow *flow, struct slot *slot)
{
	u64 *words = (u64 *)flow;
	u32 number = slot->program;
	u32 count = slot->update_count;

	if (number != 0) {
		const struct program *program = bpf_map_lookup_elem(&programs, &number);
		if (program) {
			flow->program = number;
			write_initials(flow, program, 0, program->volatiles + program->nonvolatiles);
			flow->micros_start = flow->now_us;
		}
	}
	for (u32 i = 0; i < MAX_UPDATES; i++) {
		if (i >= count)
			break;
		u32 word = slot->words[i];
		u64 value = slot->values[i];
		if (word >= sizeof(struct flow) / 8)
			break;
		words[word] = value;
		if (value == 0)
			continue;
		if (word == WORD(implicit) + CWND)
			flow->cwnd_bytes = value;
		else if (word == WORD(implicit) + RATE)
			flow->rate = value;
	}
	slot->facts.commands++;
}

/* Whether the flow is to leave. */
static __always_inline bool take_commands(struct flow *flow, struct slot *slot)
{
	bool leaves = 0;

	if (slot->state != READY || __sync_val_compare_and_swap(&slot->state, READY, TAKEN_BY_KERNEL) != READY)
		return 0;
	/* else for a flow that was here before */
	if (slot->flow_id == flow->id) {
		leaves = slot->program == LEAVE;
		if (!leaves)
			take_command(flow, slot);
	}
	slot->program = 0;
	slot->update_count = 0;
	__sync_lock_test_and_set(&slot->state, IDLE);
	return leaves;
}

/* ---- guard ---- */

/*
 * What decides outside of the kernel cannot override it (engine/wasm/sender/guard.ts has the same rule): where most packets were
 * lost in two rounds running, or nearly all in one, the window is cut to what the last one delivered. From there it grows by a quarter
 * per round, and is cut again where more than a fifth was lost, until it is the program's own again. That silence leaves one packet per
 * retransmission timeout is Linux's own rule: without an ACK no program runs and no command is taken.
 */
enum { NEARLY_ALL = 8, MOST = 5, MANY = 2, BAD_ROUNDS = 2, GROWTH = 4 };

static __always_inline void weigh(struct flow *flow, u32 delivered, u32 lost, u64 window_packets)
{
	u64 got = delivered - flow->round_delivered;
	u64 gone = lost - flow->round_lost;
	u64 all = max_of(1, got + gone);
	u64 cap = flow->cap_packets;

	flow->bad_rounds = 10 * gone > MOST * all ? min_of(flow->bad_rounds + 1, BAD_ROUNDS) : 0;
	if (flow->bad_rounds >= BAD_ROUNDS || 10 * gone > NEARLY_ALL * all || (cap != 0 && 10 * gone > MANY * all)) {
		flow->cap_packets = max_of(MIN_CWND_PACKETS, got);
	} else if (cap != 0 && 2 * (got + gone) >= cap) {
		/* only while the flow makes use of it */
		cap += max_of(1, cap / GROWTH);
		flow->cap_packets = cap > window_packets ? 0 : cap;
	}
}

static __always_inline void begin_round(struct flow *flow, u32 delivered, u32 lost)
{
	flow->round_delivered = delivered;
	flow->round_lost = lost;
	flow->is_watching = 1;
}

static __always_inline void guard(const struct tcp_sock *tp, struct flow *flow, const struct rate_sample *rs)
{
	u64 window_packets = tp->mss_cache == 0 ? 0 : flow->cwnd_bytes / tp->mss_cache;
	u32 delivered = tp->delivered;
	u32 lost = tp->lost;

	if (flow->primitives[WAS_TIMEOUT]) {
		/* what was in flight has been judged lost, which ended a round; one that brought nothing says nothing more */
		u32 before = delivered - rs->acked_sacked;
		if (flow->is_watching && (s32)(before - flow->round_delivered) > 0)
			weigh(flow, before, lost, window_packets);
		begin_round(flow, before, lost);
	} else if (!flow->is_watching) {
		if (rs->losses > 0)
			begin_round(flow, delivered, lost);
		return;
	}
	/* the round ends with the first packet that was sent in it */
	if (rs->delivered < 0 || (s32)(rs->prior_delivered - flow->round_delivered) < 0)
		return;
	bool has_lost = lost != flow->round_lost;
	weigh(flow, delivered, lost, window_packets);
	begin_round(flow, delivered, lost);
	flow->is_watching = has_lost || flow->cap_packets != 0;
}

/* The losses were none. */
static __always_inline void forgive(struct flow *flow)
{
	flow->cap_packets = 0;
	flow->bad_rounds = 0;
	flow->is_watching = 0;
}

/* ---- window and pacing ---- */

/* Linux's own formula, which a cong_control has to apply itself: TSO sizes its bursts by the rate. */
static __always_inline void pace_by_window(struct sock *sk, struct flow *flow)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 srtt = tp->srtt_us;
	u32 cwnd = tp->snd_cwnd;

	if (flow->is_paced) {
		sk->sk_pacing_status = SK_PACING_NONE;
		flow->is_paced = 0;
	}
	if (srtt == 0)
		return;
	u64 rate = (u64)tp->mss_cache * (8 * 1000000 / 100) * (cwnd < tp->snd_ssthresh / 2 ? 200 : 120);
	rate *= max_of(cwnd, tp->packets_out);
	sk->sk_pacing_rate = min_of(rate / srtt, sk->sk_max_pacing_rate);
}

/* What may be in flight until the next ACK of a fast recovery, of a window that is to be the target's: RFC 6937, as tcp_cwnd_reduction. */
static __always_inline u32 reduced(const struct tcp_sock *tp, struct flow *flow, int flag, const struct rate_sample *rs, u32 target)
{
	s32 acked = rs->acked_sacked;
	u32 in_flight = packets_in_flight(tp);
	s32 delta = target - in_flight;
	s32 out = tp->prr_out;
	s32 count;

	flow->prr_delivered += acked;
	if (delta < 0) {
		u64 share = (u64)target * flow->prr_delivered + tp->prior_cwnd - 1;
		count = (s32)(share / tp->prior_cwnd) - out;
	} else {
		s32 owed = (s32)flow->prr_delivered - out;
		count = owed > acked ? owed : acked;
		if ((flag & FLAG_SND_UNA_ADVANCED) && rs->losses <= 0)
			count++;
		if (count > delta)
			count = delta;
	}
	/* the fast retransmit itself always goes */
	if (count < (out ? 0 : 1))
		count = out ? 0 : 1;
	return in_flight + count;
}

/*
 * A program's cut is a new target: without a rate of its own, fast recovery comes to it packet by packet, as the engine's senders
 * do (`prr`). Else the sender is silent for half a round, and then sends all at once what a hole that is filled sets free.
 */
static __always_inline u64 in_recovery(const struct tcp_sock *tp, struct flow *flow, int flag, const struct rate_sample *rs, u64 packets)
{
	u32 state = BPF_CORE_READ_BITFIELD(&tp->inet_conn, icsk_ca_state);

	if (state != TCP_CA_RECOVERY || flow->rate != 0 || (s32)rs->acked_sacked <= 0 || tp->prior_cwnd == 0)
		return packets;
	return reduced(tp, flow, flag, rs, packets);
}

static __always_inline void apply(struct sock *sk, struct flow *flow, int flag, const struct rate_sample *rs)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u64 mss = tp->mss_cache;
	u64 packets = mss == 0 ? 0 : flow->cwnd_bytes / mss;

	packets = min_of(packets, min_of(tp->snd_cwnd_clamp, MAX_CWND_PACKETS));
	packets = in_recovery(tp, flow, flag, rs, packets);
	if (flow->cap_packets != 0)
		packets = min_of(packets, flow->cap_packets);
	packets = max_of(packets, MIN_CWND_PACKETS);
	tp->snd_cwnd = packets;
	flow->applied_packets = packets;
	if (flow->rate == 0) {
		pace_by_window(sk, flow);
		return;
	}
	if (sk->sk_pacing_status == SK_PACING_NONE) {
		sk->sk_pacing_status = SK_PACING_NEEDED;
		flow->is_paced = 1;
	}
	sk->sk_pacing_rate = min_of(flow->rate, sk->sk_max_pacing_rate);
}

/* Without a program, or without an agent: from the window that is there. */
static __always_inline void run_native(struct sock *sk, struct flow *flow, u32 ack, int flag, const struct rate_sample *rs)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 state = BPF_CORE_READ_BITFIELD(&tp->inet_conn, icsk_ca_state);

	if (flow->by_program) {
		/* a flow that never had a program goes on with its slow start */
		tp->snd_ssthresh = max_of(tp->snd_cwnd, MIN_CWND_PACKETS);
		flow->by_program = 0;
		flow->rate = 0;
	}
	if (state == TCP_CA_CWR || state == TCP_CA_RECOVERY) {
		if (!flow->is_reducing) {
			flow->is_reducing = 1;
			flow->prr_delivered = 0;
		}
		if ((s32)rs->acked_sacked > 0 && tp->prior_cwnd != 0)
			tp->snd_cwnd = reduced(tp, flow, flag, rs, tp->snd_ssthresh);
	} else {
		if (flow->is_reducing && state != TCP_CA_LOSS && tp->snd_ssthresh < TCP_INFINITE_SSTHRESH)
			tp->snd_cwnd = max_of(tp->snd_ssthresh, MIN_CWND_PACKETS);
		flow->is_reducing = 0;
		if (flag & (FLAG_DATA_ACKED | FLAG_DATA_SACKED))
			tcp_reno_cong_avoid(sk, ack, rs->acked_sacked);
	}
	pace_by_window(sk, flow);
}

static __always_inline void tell(struct sock *sk, struct flow *flow, struct slot *slot)
{
	struct tcp_sock *tp = tcp_sk(sk);

	slot->facts.acks++;
	slot->facts.cwnd_bytes = (u64)tp->snd_cwnd * flow->mss;
	slot->facts.rate = flow->rate;
	slot->facts.srtt_us = tp->srtt_us >> 3;
	slot->facts.program = flow->program;
}

/* ---- the congestion control ---- */

static __always_inline void claim_slot(struct sock *sk, struct flow *flow, struct agent *agent)
{
	u32 number = 1 + __sync_fetch_and_add(&agent->flows, 1);

	for (u32 i = 0; i < MAX_FLOWS; i++) {
		u32 place = (number + i) % MAX_FLOWS;
		struct slot *slot = bpf_map_lookup_elem(&slots, &place);
		if (!slot)
			return;
		u32 id = (number % (1 << 22)) * MAX_FLOWS + place;
		if (id == 0 || slot->owner != 0 || __sync_val_compare_and_swap(&slot->owner, 0, id) != 0)
			continue;
		flow->id = id;
		__builtin_memset(&slot->facts, 0, sizeof(slot->facts));
		for (int k = 0; k < sizeof(own_name); k++)
			slot->facts.name[k] = own_name[k];
		slot->facts.source_ip = bpf_ntohl(sk->__sk_common.skc_rcv_saddr);
		slot->facts.destination_ip = bpf_ntohl(sk->__sk_common.skc_daddr);
		slot->facts.source_port = sk->__sk_common.skc_num;
		slot->facts.destination_port = bpf_ntohs(sk->__sk_common.skc_dport);
		return;
	}
	__sync_fetch_and_add(&agent->refused_flows, 1);
}

SEC("struct_ops/ccp_init")
void BPF_PROG(ccp_init, struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct flow *flow = bpf_sk_storage_get(&flows, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	struct agent *agent = the_agent();

	if (!flow || !agent)
		return;
	flow->now_us = tp->tcp_mstamp;
	flow->mss = tp->mss_cache;
	flow->applied_packets = tp->snd_cwnd;
	flow->cwnd_bytes = (u64)tp->snd_cwnd * flow->mss;
	flow->bytes_acked = tp->bytes_acked;
	flow->delivered_ce = tp->delivered_ce;
	flow->sacked_out = tp->sacked_out;
	claim_slot(sk, flow, agent);
	struct slot *slot = slot_of(flow);
	if (slot && is_alive(agent, bpf_ktime_get_ns() / 1000))
		announce(sk, flow, slot, agent->number);
}

SEC("struct_ops/ccp_release")
void BPF_PROG(ccp_release, struct sock *sk)
{
	struct flow *flow = flow_of(sk);

	if (!flow)
		return;
	struct slot *slot = slot_of(flow);
	if (slot) {
		if (flow->announced_to != 0)
			say_goodbye(flow);
		__sync_lock_test_and_set(&slot->owner, 0);
	}
	bpf_sk_storage_delete(&flows, sk);
}

SEC("struct_ops/ccp_set_state")
void BPF_PROG(ccp_set_state, struct sock *sk, u8 new_state)
{
	if (new_state != TCP_CA_LOSS)
		return;
	struct flow *flow = flow_of(sk);
	if (flow)
		flow->was_timeout = 1;
}

SEC("struct_ops/ccp_ssthresh")
u32 BPF_PROG(ccp_ssthresh, struct sock *sk)
{
	struct flow *flow = flow_of(sk);

	if (flow) {
		flow->prr_delivered = 0;
		if (flow->by_program)
			return tcp_sk(sk)->snd_ssthresh;
	}
	return tcp_reno_ssthresh(sk);
}

SEC("struct_ops/ccp_undo_cwnd")
u32 BPF_PROG(ccp_undo_cwnd, struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct flow *flow = flow_of(sk);

	if (flow) {
		flow->is_reducing = 0;
		forgive(flow);
	}
	return max_of(tp->snd_cwnd, tp->prior_cwnd);
}

SEC("struct_ops/ccp_ack")
void BPF_PROG(ccp_ack, struct sock *sk, u32 ack, int flag, const struct rate_sample *rs)
{
	struct flow *flow = flow_of(sk);
	struct agent *agent = the_agent();

	if (!flow || !agent)
		return;
	struct slot *slot = slot_of(flow);
	u64 now_us = tcp_sk(sk)->tcp_mstamp;
	flow->now_us = now_us;
	measure(tcp_sk(sk), flow, rs, agent->zero_us);
	if (!slot) {
		run_native(sk, flow, ack, flag, rs);
		return;
	}
	if (is_alive(agent, now_us)) {
		if (flow->announced_to != agent->number) {
			flow->program = 0;
			announce(sk, flow, slot, agent->number);
		}
		read_window(tcp_sk(sk), flow);
		flow->implicit[CWND] = flow->cwnd_bytes;
		flow->implicit[RATE] = flow->rate;
		if (take_commands(flow, slot)) {
			/* the flow's storage goes with it */
			bpf_setsockopt(sk, SOL_TCP, TCP_CONGESTION, agent->other, sizeof(agent->other));
			return;
		}
		flow->implicit[EVENT_FLAG] = 0;
		flow->implicit[FALLTHROUGH] = 0;
		flow->implicit[REPORT_FLAG] = 0;
		flow->implicit[MICROS] = now_us - flow->micros_start;
		if (flow->program != 0) {
			if (tracing)
				bpf_ringbuf_output(&traces, flow, sizeof(*flow), 0);
			bpf_tail_call(ctx, &jumps, flow->program);
		}
	} else {
		/* an agent that comes back knows nothing of what was */
		flow->program = 0;
		flow->announced_to = 0;
	}
	slot->facts.native_acks++;
	run_native(sk, flow, ack, flag, rs);
	tell(sk, flow, slot);
}

static __always_inline void report(struct flow *flow, struct slot *slot)
{
	u32 number = flow->program;
	const struct program *program = bpf_map_lookup_elem(&programs, &number);

	if (!program)
		return;
	u32 fields = program->report_fields;
	if (fields > REPORTS)
		return;
	flow->stamp_ns = bpf_ktime_get_ns();
	flow->header.type = 1;
	flow->header.length = 16 + 8 * fields;
	flow->header.flow_id = flow->id;
	flow->header.program_uid = program->uid;
	flow->header.fields = fields;
	/*
	 * Waking costs some 8 us for an agent that keeps up, since each report finds it asleep. And where it is to be woken it is so
	 * in any case: it may have fallen asleep beside a report of which it was not told.
	 */
	const struct agent *agent = the_agent();
	u64 wake = agent && agent->is_looking ? BPF_RB_NO_WAKEUP : BPF_RB_FORCE_WAKEUP;
	if (bpf_ringbuf_output(&reports, &flow->stamp_ns, 24 + 8 * fields, wake) == 0)
		slot->facts.reports++;
	else
		slot->facts.lost_reports++;
	write_initials(flow, program, 0, program->volatiles);
}

/* Entered from a program. */
SEC("struct_ops/ccp_post")
void BPF_PROG(ccp_post, struct sock *sk, u32 ack, int flag, const struct rate_sample *rs)
{
	struct flow *flow = flow_of(sk);

	if (!flow)
		return;
	struct slot *slot = slot_of(flow);
	if (!slot)
		return;
	if (tracing)
		bpf_ringbuf_output(&traces, flow, sizeof(*flow), 0);
	if (flow->code >= 0) {
		if (flow->implicit[CWND] != 0)
			flow->cwnd_bytes = max_of(flow->implicit[CWND], (u64)MIN_CWND_PACKETS * flow->mss);
		if (flow->implicit[RATE] != 0)
			flow->rate = flow->implicit[RATE];
	} else {
		slot->facts.errors++;
	}
	flow->by_program = 1;
	flow->is_reducing = 0;
	guard(tcp_sk(sk), flow, rs);
	apply(sk, flow, flag, rs);
	if (flow->code == 1)
		report(flow, slot);
	tell(sk, flow, slot);
}

SEC(".struct_ops")
struct tcp_congestion_ops ccp = {
	.init = (void *)ccp_init,
	.release = (void *)ccp_release,
	.set_state = (void *)ccp_set_state,
	.ssthresh = (void *)ccp_ssthresh,
	.undo_cwnd = (void *)ccp_undo_cwnd,
	.cong_control = (void *)ccp_ack,
	.flags = TCP_CONG_NON_RESTRICTED,
	.name = NAME,
};

/* Never put into effect: it is what makes ccp_post a cong_control. */
SEC(".struct_ops")
struct tcp_congestion_ops ccp_after = {
	.cong_control = (void *)ccp_post,
	.name = "ccp_after",
};

/* Sockets that run under an instance of this name that is gone are taken over. */
SEC("iter/tcp")
int ccp_adopt(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;
	char name[16] = {};

	if (!common)
		return 0;
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(common);
	if (!tp)
		return 0;
	const struct tcp_congestion_ops *ops = tp->inet_conn.icsk_ca_ops;
	if (!ops)
		return 0;
	bpf_probe_read_kernel(name, sizeof(name), &ops->name);
	for (int i = 0; i < sizeof(name); i++) {
		if (name[i] != own_name[i])
			return 0;
		if (name[i] == 0)
			break;
	}
	bpf_setsockopt(tp, SOL_TCP, TCP_CONGESTION, name, sizeof(name));
	return 0;
}
