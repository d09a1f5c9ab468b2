//! A small Reno on Portus 0.9: one report per round trip, and at once after a loss.
use std::collections::HashMap;

use portus::{ipc::Ipc, lang::Scope, CongAlg, Datapath, DatapathInfo, DatapathTrait, Flow, Report};

const ROUND: &str = "
(def (Report (volatile acked 0) (volatile lost 0) (volatile timeout false)))
(when true
    (:= Report.acked (+ Report.acked Ack.bytes_acked))
    (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
    (:= Report.timeout (|| Report.timeout Flow.was_timeout))
    (fallthrough)
)
(when (|| (> Micros Flow.rtt_sample_us) (|| Flow.was_timeout (> Ack.lost_pkts_sample 0)))
    (report)
    (:= Micros 0)
)";

pub struct Reno;

pub struct RenoFlow<I: Ipc> {
    control: Datapath<I>,
    scope: Scope,
    mss: f64,
    cwnd: f64,
    ssthresh: f64,
    /// Bytes still to be acknowledged before another loss counts as a new event.
    recovering: f64,
}

impl<I: Ipc> CongAlg<I> for Reno {
    type Flow = RenoFlow<I>;

    fn name() -> &'static str {
        "interop-reno"
    }

    fn datapath_programs(&self) -> HashMap<&'static str, String> {
        HashMap::from([("round", ROUND.to_owned())])
    }

    fn new_flow(&self, mut control: Datapath<I>, info: DatapathInfo) -> RenoFlow<I> {
        let scope = control
            .set_program("round", Some(&[("Cwnd", info.init_cwnd)]))
            .expect("the program was installed before");
        RenoFlow {
            control,
            scope,
            mss: info.mss.into(),
            cwnd: info.init_cwnd.into(),
            ssthresh: f64::INFINITY,
            recovering: 0.0,
        }
    }
}

impl<I: Ipc> Flow for RenoFlow<I> {
    fn on_report(&mut self, _sock_id: u32, report: Report) {
        let field = |name| {
            report
                .get_field(name, &self.scope)
                .map(|value| value as f64)
        };
        let (Ok(acked), Ok(lost), Ok(timeout)) = (
            field("Report.acked"),
            field("Report.lost"),
            field("Report.timeout"),
        ) else {
            return; // of a program that is no longer ours
        };
        self.recovering -= acked;
        if timeout > 0.0 {
            self.ssthresh = (self.cwnd / 2.0).max(2.0 * self.mss);
            self.cwnd = self.mss;
        } else if lost > 0.0 && self.recovering <= 0.0 {
            self.recovering = self.cwnd;
            self.cwnd = (self.cwnd / 2.0).max(2.0 * self.mss);
            self.ssthresh = self.cwnd;
        } else if self.recovering <= 0.0 && self.cwnd < self.ssthresh {
            self.cwnd += acked;
        } else if self.recovering <= 0.0 {
            self.cwnd += self.mss * acked / self.cwnd;
        }
        // a datapath that is gone is not the end of the agent
        let _ = self
            .control
            .update_field(&self.scope, &[("Cwnd", self.cwnd as u32)]);
    }
}
