//! A Portus agent: `interop-agent published|own SOCKET`. It runs until it is killed.
//!
//! `published`: Reno of the crate generic_cong_avoid, on Portus 0.7. `own`: Reno of ours on Portus 0.9.
use std::{env, process::exit};

use ccpark_interop::{published, reno::Reno};
use portus::ipc::{unix::Socket, BackendBuilder, Blocking};

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let outcome = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["published", socket] => published::run(socket),
        ["own", socket] => run_own(socket),
        _ => Err("usage: interop-agent published|own SOCKET".to_owned()),
    };
    if let Err(reason) = outcome {
        eprintln!("interop-agent: {reason}");
        exit(1);
    }
}

/// Portus puts `/tmp/ccp/` before every name; from there this leads to any absolute path.
fn run_own(socket: &str) -> Result<(), String> {
    let sock = Socket::<Blocking>::new(&format!("../..{socket}")).map_err(|e| e.0)?;
    portus::RunBuilder::new(BackendBuilder { sock })
        .default_alg(Reno)
        .run()
        .map_err(|e| e.0)
}
