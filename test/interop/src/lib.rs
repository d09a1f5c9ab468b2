//! What the two binaries are made of.
pub mod link;
pub mod published;
pub mod reno;
