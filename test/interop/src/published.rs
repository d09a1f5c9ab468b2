//! The published Reno on Portus 0.7.
//!
//! That version answers to `/tmp/ccp/` followed by the sender's path, so it cannot answer a sender that bound an
//! absolute path; it gets a socket of ours here. Everything else is the published code.
use std::{fs, os::unix::net::UnixDatagram, path::PathBuf, time::Duration};

use generic_cong_avoid as gca;
use portus07::{ipc::BackendBuilder, ipc::Ipc, Error, Result, RunBuilder};

struct Socket(UnixDatagram);

impl Ipc for Socket {
    type Addr = PathBuf;

    fn name() -> String {
        "unix".to_owned()
    }

    fn send(&self, msg: &[u8], to: &PathBuf) -> Result<()> {
        self.0.send_to(msg, to).map(|_| ()).map_err(Error::from)
    }

    fn recv(&self, msg: &mut [u8]) -> Result<(usize, PathBuf)> {
        let (size, from) = self.0.recv_from(msg).map_err(Error::from)?;
        match from.as_pathname() {
            Some(path) => Ok((size, path.to_path_buf())),
            None => Err(Error("a sender without a path".to_owned())),
        }
    }

    fn close(&mut self) -> Result<()> {
        Ok(())
    }
}

pub fn run(socket: &str) -> std::result::Result<(), String> {
    let _ = fs::remove_file(socket);
    let bound = UnixDatagram::bind(socket).map_err(|e| format!("{socket}: {e}"))?;
    bound
        .set_read_timeout(Some(Duration::from_secs(1)))
        .map_err(|e| e.to_string())?;
    let alg = gca::Alg {
        deficit_timeout: 0,
        init_cwnd: 0,
        report_option: gca::GenericCongAvoidConfigReport::Rtt,
        ss: gca::GenericCongAvoidConfigSS::Ccp,
        ss_thresh: gca::DEFAULT_SS_THRESH,
        use_compensation: false,
        alg: gca::reno::Reno::default(),
    };
    let backend = BackendBuilder {
        sock: Socket(bound),
    };
    RunBuilder::new(backend)
        .default_alg(alg)
        .run()
        .map_err(|e| e.0)
}
