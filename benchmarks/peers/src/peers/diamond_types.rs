//! diamond-types: an event log that is replayed to text.
use std::rc::Rc;
use std::time::Instant;

use diamond_types::list::encoding::ENCODE_FULL;
use diamond_types::list::{Branch, ListCRDT, OpLog};

use super::{Built, Document, Peer, Read, Task};
use crate::trace::{Patch, Trace};

pub const PEER: Peer = Peer { name: "diamond-types", build };

const CHECKS_ITSELF: &str = "1.0.0 checks its whole index after each retreat, which is \
    nearly all of its time on concurrent traces; the Eg-walker paper measured a later version";

impl Document for OpLog {
    fn text(&self) -> String {
        self.checkout_tip().text()
    }
}

impl Document for Branch {
    fn text(&self) -> String {
        self.content().to_string()
    }
}

impl Document for ListCRDT {
    fn text(&self) -> String {
        self.branch.text()
    }
}

fn build(trace: &Trace, _deadline: Instant) -> Result<Built<'_>, String> {
    let encoded: Rc<[u8]> = log(trace).encode(ENCODE_FULL).into();
    let decoded = OpLog::load_from(&encoded).map_err(|error| format!("{error:?}"))?;
    let text = decoded.text();
    let bytes = vec![("history-bytes", encoded.len())];
    let mut tasks = vec![Task::new("apply", move || decoded.checkout_tip())];
    if !trace.concurrent {
        tasks.push(Task::new("apply-local", || type_in(trace)));
    }
    let load =
        |encoded: &[u8]| ListCRDT::load_from(encoded).expect("it was decoded before");
    let again = Rc::clone(&encoded);
    tasks.push(Task::new("load-text", move || Read::new(load(&again))));
    let again = Rc::clone(&encoded);
    tasks.push(Task::new("load-all", move || load(&again)));
    tasks.push(Task::new("load-log", move || {
        OpLog::load_from(&encoded).expect("it was decoded before")
    }));
    let mut notes = Vec::new();
    if trace.concurrent {
        notes.push(CHECKS_ITSELF.into());
    }
    Ok(Built { text, notes, bytes, tasks })
}

/// Adds each event at its parents, in the order of the trace.
fn log(trace: &Trace) -> OpLog {
    let mut log = OpLog::new();
    let mut ends = Vec::with_capacity(trace.txns.len());
    for txn in &trace.txns {
        let agent = log.get_or_create_agent_id(&trace.agents[txn.agent]);
        let mut version: Vec<usize> =
            txn.parents.iter().map(|&parent| ends[parent]).collect();
        version.sort_unstable();
        for Patch { at, deleted, inserted } in &txn.patches {
            if *deleted > 0 {
                version = vec![log.add_delete_at(agent, &version, *at..*at + *deleted)];
            }
            if !inserted.is_empty() {
                version = vec![log.add_insert_at(agent, &version, *at, inserted)];
            }
        }
        ends.push(version[0]);
    }
    log
}

fn type_in(trace: &Trace) -> ListCRDT {
    let mut document = ListCRDT::new();
    let agent = document.get_or_create_agent_id(&trace.agents[0]);
    for Patch { at, deleted, inserted } in trace.patches() {
        if *deleted > 0 {
            document.delete_without_content(agent, *at..*at + *deleted);
        }
        if !inserted.is_empty() {
            document.insert(agent, *at, inserted);
        }
    }
    document
}
