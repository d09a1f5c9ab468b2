/**
 * The figures and tables of chapter 4 of the CCP thesis (A. Narayan, MIT 2022) that a world here can run: what reruns each, what the thesis
 * says, and where and why ours differs. One row each; a later figure is one more row.
 */
export interface ThesisFigure {
  /** as on the command line: `4.9`, `table-4.1` */
  readonly id: string;
  readonly title: string;
  /** what the thesis has, in its numbers where it gives some */
  readonly thesis: readonly string[];
  /** where ours differs, and why */
  readonly differs: string;
  readonly by: {
    /** of `ccpark experiment` */
    readonly experiment: string;
    /** instead of the experiment's own, so that the whole is done in minutes */
    readonly settings?: Readonly<Record<string, unknown>>;
    /** it is of this machine's own TCP, and of nothing else */
    readonly measuresLinux?: true;
  };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

export const THESIS: readonly ThesisFigure[] = [
  {
    id: "4.2",
    title: "BBR's pulses, kept by the datapath program",
    thesis: [
      "pacing gains 1.25, 0.75 and six times 1, one round trip each: a pulse every 8 RTTs",
      "48 Mbit/s, 20 ms, 2 BDP of queue",
    ],
    differs:
      "A round trip is a little longer than the empty path's wherever the pulse has left a queue, so a cycle takes a little more than 8 of them.",
    by: { experiment: "bbr-pulses" },
  },
  {
    id: "4.3",
    title: "Slow start over CCP three ways, and native",
    thesis: [
      "in the agent once per RTT it lags, in the program by cwnd it is the native one, by rate it is as fast",
      "48 Mbit/s, 100 ms",
    ],
    differs:
      "Rate-based slow start paces and so keeps the queue shorter; the agent's steps come once per report, a round trip late, which is the lag that the thesis shows, too.",
    by: { experiment: "slow-start" },
  },
  {
    id: "4.4",
    title: "Fidelity: throughput over CCP and in the datapath",
    thesis: [
      "the distributions of throughput per RTT lie on each other: 96 Mbit/s, 20 ms, 1 BDP; recorded LTE; 0.01 % loss",
    ],
    differs:
      "Medians agree within 5 % here. The recorded link is the shipped `lte-driving`, since the thesis's trace is not in this package: `ccpark experiment fidelity --trace FILE` takes it.",
    by: { experiment: "fidelity" },
  },
  {
    id: "4.5",
    title: "Fidelity: RTT over CCP and in the datapath",
    thesis: ["the distributions of RTT lie on each other on the same three links"],
    differs:
      "As in Fig. 4.4. On the recorded link BBRv3's probes fall where they may, so that one run's median RTT differs by a third from another's, in the datapath too: hence 20 seeds.",
    by: { experiment: "fidelity" },
  },
  {
    id: "4.6",
    title: "Flow completion times over CCP and in the datapath",
    thesis: ["all: median -0.02 %, p75 +3 %, p95 +30 %; medium: -7 %; large: +22 %"],
    differs:
      "The median and the large transfers agree: those are late because the agent hears once per RTT, not because its answers take time. p95 and the medium ones differ by tens of percent from seed to seed, as they hang on single round trips and timeouts; the sizes' trace is not public (docs/experiments.md).",
    by: { experiment: "completion-times" },
  },
  {
    id: "4.7",
    title: "Staleness: how old is what the agent hears of?",
    thesis: [
      "how late the agent hears of the datapath, by its means of communication; the thesis's numbers are not in our sources",
    ],
    differs:
      "Our datapath is Linux TCP with programs in eBPF and reports by a ring buffer, our agent is JavaScript: the wake-up decides. Whatever else the machine does adds to it.",
    by: { experiment: "kernel-staleness", measuresLinux: true },
  },
  {
    id: "4.8",
    title: "Scalability: flows per host",
    thesis: [
      "throughput over CCP with up to 64 flows beside the kernel's own; the paper behind it (SIGCOMM 2018): a modest overhead of a few percent of CPU; the thesis's numbers are not in our sources",
    ],
    differs: "Measured on this machine's veth links, without a 10 Gbit/s card.",
    by: { experiment: "kernel-scalability", measuresLinux: true },
  },
  {
    id: "4.9",
    title: "Incast: tail completion over the report interval",
    thesis: [
      "10 Gbit/s: at most 15 to 20 % longer",
      "40 Gbit/s, 100-packet flows, long intervals: over 2 times",
    ],
    differs:
      "10 Gbit/s agrees. At 40 Gbit/s the same flows suffer at long intervals, by 1.8 instead of over 2: the excess is one timeout, and the thesis does not say its timer and buffer, which decide (docs/experiments.md).",
    by: { experiment: "incast", settings: { seeds: upTo(10) } },
  },
  {
    id: "4.10",
    title: "Aggregation: a flow that joins has its share at once",
    thesis: [
      "with one window for all flows of a host a joining flow has its share at once; under Reno it takes many RTTs",
    ],
    differs: "It does here, too, in at most two round trips, which is what the first ACK takes.",
    by: { experiment: "aggregation" },
  },
  {
    id: "4.11",
    title: "Write once: Copa and Cubic on three datapaths",
    thesis: ["the same algorithms on Linux TCP, QUIC and mTCP over DPDK"],
    differs:
      "Our three are the simulator, the UDP transport and Linux TCP by eBPF: QUIC and mTCP are not of this project. In real time packets wait for the scheduler, which Copa takes for a queue: on a busy machine it gets less over UDP.",
    by: { experiment: "datapaths" },
  },
  {
    id: "4.12",
    title: "Park: learned control beside Vegas",
    thesis: [
      "A2C that is confined to 0.2 to 2 times Vegas's average reaches Vegas's reward early; unconfined A2C does not",
    ],
    differs:
      "The learners are ours, and so are their hyperparameters; the thesis does not print its own. Confined A2C is above Vegas before its first update, explores below it for a while, and ends above it again; unconfined A2C stays below.",
    by: { experiment: "park", settings: { seeds: upTo(3) } },
  },
  {
    id: "table-4.1",
    title: "CPU and throughput of CCP in the kernel",
    thesis: [
      "1, 8 and 64 flows over CCP and in the kernel; the paper behind it (SIGCOMM 2018): a modest overhead of a few percent of CPU; the thesis's numbers are not in our sources",
    ],
    differs:
      "The machine and its links are others; what compares is the ratio to Linux's Cubic in the same run.",
    by: { experiment: "kernel-overhead", measuresLinux: true },
  },
  {
    id: "table-copa",
    title: "Copa and compressed ACKs",
    thesis: [
      "12 Mbit/s, 25 ms: 1.3 Mbit/s and 9 ms without the mend, 8.2 Mbit/s and 11 ms with it: the least RTT was over-estimated 5 times",
    ],
    differs:
      "How the thesis's bursts came is not known to us: ours come every 20 to 75 ms, and the figures are medians over the periods. The starved form agrees but for its queue; the mended one gets less, since a window of 1 BDP runs dry between two bursts (docs/experiments.md).",
    by: { experiment: "copa-compression" },
  },
  {
    id: "4.14",
    title: "Bundles: where the queue stands",
    thesis: ["with a bundle the queue moves from the bottleneck to the sendbox"],
    differs: "It does here too; the sendbox's control is Nimbus, whose delay rule is its own, not Copa.",
    by: { experiment: "bundle-queue" },
  },
  {
    id: "4.17-4.18",
    title: "Bundles: what a sendbox learns from epochs",
    thesis: [
      "80 % of the estimates of RTT within 1.2 ms",
      "80 % of those of the receive rate within 4 Mbit/s",
    ],
    differs: "Virtual time has no scheduling noise; beside the full link, loads that leave it free at times.",
    by: { experiment: "bundle-estimates", settings: { seeds: 2 } },
  },
  {
    id: "4.19",
    title: "Bundles: slowdown of requests",
    thesis: [
      "median: status quo 1.76, fair queueing in the network 1.07, bundle with SFQ 1.26; FIFO is worse than the status quo",
      "99 %: 79, 27, 41",
    ],
    differs:
      "The order agrees. Fair queueing does more here at 99 %: the sizes follow a published outline of a trace that is not public.",
    by: { experiment: "bundle-slowdown", settings: { requests: 20_000 } },
  },
];
