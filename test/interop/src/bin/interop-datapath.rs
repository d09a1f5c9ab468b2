//! A datapath on libccp: `interop-datapath AGENT_SOCKET OWN_SOCKET SECONDS [ALGORITHM]`.
//! One flow over a toy network of 48 Mbit/s and 50 ms, in real time (libccp reads the real clock); at the end one line
//! of JSON.
use std::{
    cell::RefCell, env, fs, os::unix::net::UnixDatagram, process::exit, rc::Rc, thread,
    time::Duration, time::Instant,
};

use ccpark_interop::link::{Network, MSS};
use libccp::{
    CongestionOps, Connection, DatapathBuilder, DatapathOps, FlowInfo, LibccpError, Primitives,
};

const RETRIES: u32 = 1000;

#[derive(Default)]
struct Sent {
    creates: u64,
    reports: u64,
    failed: u64,
}

struct Ipc {
    socket: UnixDatagram,
    agent: String,
    sent: Rc<RefCell<Sent>>,
}

impl DatapathOps for Ipc {
    fn send_msg(&mut self, msg: &[u8]) {
        let mut sent = self.sent.borrow_mut();
        let mut failed = self.socket.send_to(msg, &self.agent).is_err();
        // the crate takes every send for a success, so a lost ready or create would never be repeated
        for _ in 0..RETRIES {
            if !failed || msg[0] == 1 {
                break;
            }
            thread::sleep(Duration::from_millis(1));
            failed = self.socket.send_to(msg, &self.agent).is_err();
        }
        if failed {
            sent.failed += 1;
        } else if msg[0] == 0 {
            sent.creates += 1;
        } else if msg[0] == 1 && msg[12] > 0 {
            sent.reports += 1;
        }
    }
}

struct Window {
    bytes: u32,
    changes: u64,
    largest: u32,
}

impl CongestionOps for Window {
    fn set_cwnd(&mut self, cwnd: u32) {
        self.changes += u64::from(cwnd != self.bytes);
        self.bytes = cwnd;
        self.largest = self.largest.max(cwnd);
    }

    fn set_rate_abs(&mut self, _rate: u32) {}
}

fn run(args: &[String]) -> Result<String, String> {
    let usage = || "usage: interop-datapath AGENT_SOCKET OWN_SOCKET SECONDS [ALGORITHM]".to_owned();
    let [agent, own, seconds, rest @ ..] = args else {
        return Err(usage());
    };
    let seconds: f64 = seconds.parse().map_err(|_| usage())?;
    let algorithm = rest.first().map_or("", String::as_str);

    let _ = fs::remove_file(own);
    let socket = UnixDatagram::bind(own).map_err(|e| format!("{own}: {e}"))?;
    socket.set_nonblocking(true).map_err(|e| e.to_string())?;
    let sent = Rc::new(RefCell::new(Sent::default()));
    let ipc = Ipc {
        socket: socket.try_clone().map_err(|e| e.to_string())?,
        agent: agent.clone(),
        sent: sent.clone(),
    };
    let datapath = DatapathBuilder::default()
        .with_ops(ipc)
        .init()
        .map_err(|e| e.to_string())?;
    let info = FlowInfo::default()
        .with_init_cwnd(10 * MSS)
        .with_mss(MSS)
        .with_four_tuple(0x0a00_0001, 40000, 0x0a00_0002, 443)
        .with_cong_alg(algorithm)
        .map_err(|e| e.to_string())?;
    let window = Window {
        bytes: 10 * MSS,
        changes: 0,
        largest: 0,
    };
    let mut flow = Connection::start(&datapath, window, info).map_err(|e| e.to_string())?;
    let mut network = Network::new(48.0, 50.0, 60.0);
    let (mut accepted, mut refused, mut unprogrammed, mut errors) = (0, 0, 0, 0);
    let mut buffer = [0u8; 32678];
    let start = Instant::now();
    network.send(0.0, flow.bytes);
    loop {
        while let Ok(length) = socket.recv(&mut buffer) {
            match datapath.recv_msg(&mut buffer[..length]) {
                Ok(()) => accepted += 1,
                Err(_) => refused += 1,
            }
        }
        let now_us = start.elapsed().as_secs_f64() * 1e6;
        while let Some((time_us, ack)) = network.next_ack(now_us) {
            flow.load_primitives(
                Primitives::default()
                    .with_bytes_acked(ack.bytes_acked)
                    .with_packets_acked(ack.packets_acked)
                    .with_bytes_misordered(ack.misordered * MSS)
                    .with_packets_misordered(ack.misordered)
                    .with_lost_pkts_sample(ack.lost)
                    .with_was_timeout(ack.timeout)
                    .with_rtt_sample_us(ack.rtt_us)
                    .with_rate_incoming(ack.rate)
                    .with_rate_outgoing(ack.rate)
                    .with_bytes_in_flight(ack.in_flight * MSS)
                    .with_packets_in_flight(ack.in_flight)
                    .with_snd_cwnd(flow.bytes),
            );
            match flow.invoke() {
                Ok(()) => {}
                Err(LibccpError::LibccpProgIsNull) => unprogrammed += 1,
                Err(_) => errors += 1,
            }
            network.send(time_us, flow.bytes);
        }
        if now_us >= seconds * 1e6 {
            break;
        }
        thread::sleep(Duration::from_micros(200));
    }
    let _ = fs::remove_file(own);
    let sent = sent.borrow();
    Ok(format!(
        concat!(
            r#"{{"creates":{},"reports":{},"sendsFailed":{},"messagesAccepted":{},"messagesRefused":{},"#,
            r#""acksWithoutProgram":{},"invokeErrors":{},"cwndChanges":{},"largestCwndBytes":{},"#,
            r#""lossEvents":{},"lostPackets":{},"timeouts":{},"goodputMbps":{:.3}}}"#
        ),
        sent.creates,
        sent.reports,
        sent.failed,
        accepted,
        refused,
        unprogrammed,
        errors,
        flow.changes,
        flow.largest,
        network.loss_events,
        network.lost_packets,
        network.timeouts,
        network.delivered_bytes() as f64 * 8.0 / seconds / 1e6,
    ))
}

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    match run(&args) {
        Ok(json) => println!("{json}"),
        Err(reason) => {
            eprintln!("interop-datapath: {reason}");
            exit(1);
        }
    }
}
