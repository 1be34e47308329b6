//! What is asked of each peer.
pub mod automerge;
pub mod diamond_types;
pub mod loro;
pub mod yrs;

use std::time::Instant;

use crate::trace::Trace;

pub struct Peer {
    /// The crate's name.
    pub name: &'static str,
    pub build: for<'a> fn(&'a Trace, Instant) -> Result<Built<'a>, String>,
}

pub const PEERS: [Peer; 4] =
    [diamond_types::PEER, loro::PEER, automerge::PEER, yrs::PEER];

/// A trace's whole history as the peer keeps it, and what can be done with it.
pub struct Built<'a> {
    pub text: String,
    pub notes: Vec<String>,
    pub bytes: Vec<(&'static str, usize)>,
    pub tasks: Vec<Task<'a>>,
}

/// Something to be timed. What it returns is dropped after the clock has stopped.
pub struct Task<'a> {
    pub name: &'static str,
    pub run: Box<dyn Fn() -> Box<dyn Document> + 'a>,
}

impl<'a> Task<'a> {
    pub fn new<D: Document + 'static>(
        name: &'static str,
        run: impl Fn() -> D + 'a,
    ) -> Self {
        Task { name, run: Box::new(move || Box::new(run())) }
    }
}

/// What a task leaves behind.
pub trait Document {
    /// Its text, by which a task is known to have done its work.
    fn text(&self) -> String;
}

/// A document, and its text that was read already.
pub struct Read<D> {
    pub text: String,
    pub _document: D,
}

impl<D: Document> Read<D> {
    pub fn new(document: D) -> Self {
        Read { text: document.text(), _document: document }
    }
}

impl<D> Document for Read<D> {
    fn text(&self) -> String {
        self.text.clone()
    }
}
