//! loro: a CRDT that keeps its history, with the state ready-made in snapshots.
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::Instant;

use loro::{ExportMode, LoroDoc, LoroText};

use super::{Built, Document, Peer, Read, Task};
use crate::replicas::{self, Replica};
use crate::trace::{Patch, Trace};

pub const PEER: Peer = Peer { name: "loro", build };

struct LoroReplica {
    document: LoroDoc,
    text: LoroText,
}

impl LoroReplica {
    fn of(document: LoroDoc) -> Self {
        let text = document.get_text("text");
        LoroReplica { document, text }
    }

    /// An update or a snapshot in an empty document. Asking for the length makes
    /// sure that the text's state is there.
    fn import(bytes: &[u8]) -> Self {
        let replica = Self::of(LoroDoc::new());
        replica.document.import(bytes).expect("it was exported before");
        std::hint::black_box(replica.length());
        replica
    }

    /// Visits every change, which decodes all blocks of the history.
    fn visit_history(self) -> Self {
        let heads: Vec<_> = self.document.oplog_frontiers().iter().collect();
        let mut visit = |change| {
            std::hint::black_box(change);
            ControlFlow::Continue(())
        };
        self.document
            .travel_change_ancestors(&heads, &mut visit)
            .expect("heads are known");
        self
    }

    fn export(&self, mode: ExportMode) -> Vec<u8> {
        self.document.export(mode).expect("a document can be exported")
    }
}

impl Document for LoroReplica {
    fn text(&self) -> String {
        self.text.to_string()
    }
}

impl Replica for LoroReplica {
    type Edit = Vec<u8>;

    fn new(agent: usize) -> Self {
        let document = LoroDoc::new();
        document.set_peer_id(agent as u64).expect("nothing is pending");
        Self::of(document)
    }

    fn fork(&mut self, agent: usize) -> Self {
        let document = self.document.fork();
        document.set_peer_id(agent as u64).expect("nothing is pending");
        Self::of(document)
    }

    fn type_in<'a>(&mut self, patches: impl Iterator<Item = &'a Patch>) {
        for Patch { at, deleted, inserted } in patches {
            if *deleted > 0 {
                self.text.delete(*at, *deleted).expect("positions are in the text");
            }
            if !inserted.is_empty() {
                self.text.insert(*at, inserted).expect("positions are in the text");
            }
        }
        self.document.commit();
    }

    fn edit<'a>(&mut self, patches: impl Iterator<Item = &'a Patch>) -> Vec<u8> {
        let before = self.document.oplog_vv();
        self.type_in(patches);
        self.export(ExportMode::updates(&before))
    }

    fn receive(&mut self, edits: &[&Vec<u8>]) {
        let edits: Vec<_> = edits.iter().map(|&edit| edit.clone()).collect();
        let status = self.document.import_batch(&edits).expect("edits are sound");
        assert!(status.pending.is_none(), "edits came before their parents");
    }

    fn length(&self) -> usize {
        self.text.len_unicode()
    }
}

fn build(trace: &Trace, deadline: Instant) -> Result<Built<'_>, String> {
    let (replica, notes) = replicas::build::<LoroReplica>(trace, deadline)?;
    let updates = replica.export(ExportMode::all_updates());
    // Its size depends on how the history arrived: here in one piece.
    let snapshot = LoroReplica::import(&updates).export(ExportMode::Snapshot);
    let snapshot: Rc<[u8]> = snapshot.into();
    let bytes =
        vec![("history-bytes", updates.len()), ("snapshot-bytes", snapshot.len())];
    let mut tasks = vec![Task::new("apply", move || LoroReplica::import(&updates))];
    if !trace.concurrent {
        tasks.push(Task::new("apply-local", || replicas::type_in::<LoroReplica>(trace)));
    }
    let again = Rc::clone(&snapshot);
    tasks.push(Task::new("load-text", move || Read::new(LoroReplica::import(&again))));
    tasks.push(Task::new("load-all", move || {
        LoroReplica::import(&snapshot).visit_history()
    }));
    Ok(Built { text: replica.text(), notes, bytes, tasks })
}
