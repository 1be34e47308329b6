//! automerge: a CRDT that keeps its history, all of it in memory.
use std::rc::Rc;
use std::time::Instant;

use automerge::transaction::Transactable;
use automerge::{ActorId, AutoCommit, Change, ObjId, ObjType, ROOT, ReadDoc};

use super::{Built, Document, Peer, Read, Task};
use crate::replicas::{self, Replica};
use crate::trace::{Patch, Trace};

pub const PEER: Peer = Peer { name: "automerge", build };

const TEXT: &str = "text";

/// Actor 0 makes the text.
fn actor(agent: usize) -> ActorId {
    ActorId::from((agent as u64 + 1).to_be_bytes())
}

struct AutomergeReplica {
    document: AutoCommit,
    text: ObjId,
}

impl AutomergeReplica {
    fn load(bytes: &[u8]) -> Self {
        let document = AutoCommit::load(bytes).expect("it was saved before");
        let found = document.get(ROOT, TEXT).expect("the root can be read");
        let (_, text) = found.expect("every history makes the text");
        let replica = AutomergeReplica { document, text };
        std::hint::black_box(replica.length());
        replica
    }
}

impl Document for AutomergeReplica {
    fn text(&self) -> String {
        self.document.text(&self.text).expect("it is a text")
    }
}

impl Replica for AutomergeReplica {
    type Edit = Change;

    /// Each root makes the text by the same change of the same actor, so that there
    /// is one text.
    fn new(agent: usize) -> Self {
        let mut document = AutoCommit::new().with_actor(ActorId::from([0u8; 8]));
        let text =
            document.put_object(ROOT, TEXT, ObjType::Text).expect("the root is a map");
        document.commit();
        AutomergeReplica { document: document.with_actor(actor(agent)), text }
    }

    fn fork(&mut self, agent: usize) -> Self {
        let document = self.document.fork().with_actor(actor(agent));
        AutomergeReplica { document, text: self.text.clone() }
    }

    fn type_in<'a>(&mut self, patches: impl Iterator<Item = &'a Patch>) {
        for Patch { at, deleted, inserted } in patches {
            self.document
                .splice_text(&self.text, *at, *deleted as isize, inserted)
                .expect("positions are in the text");
        }
        self.document.commit();
    }

    fn edit<'a>(&mut self, patches: impl Iterator<Item = &'a Patch>) -> Change {
        self.type_in(patches);
        self.document.get_last_local_change().expect("a transaction changes something")
    }

    fn receive(&mut self, edits: &[&Change]) {
        let edits: Vec<_> = edits.iter().map(|&edit| edit.clone()).collect();
        self.document.apply_changes(edits).expect("edits are sound");
        assert!(
            self.document.get_missing_deps(&[]).is_empty(),
            "edits came before their parents"
        );
    }

    fn length(&self) -> usize {
        self.document.length(&self.text)
    }
}

fn build(trace: &Trace, deadline: Instant) -> Result<Built<'_>, String> {
    let (mut replica, notes) = replicas::build::<AutomergeReplica>(trace, deadline)?;
    let changes = replica.document.save_after(&[]);
    let saved: Rc<[u8]> = replica.document.save().into();
    let bytes = vec![("history-bytes", saved.len())];
    let mut tasks = vec![Task::new("apply", move || AutomergeReplica::load(&changes))];
    if !trace.concurrent {
        tasks.push(Task::new("apply-local", || {
            replicas::type_in::<AutomergeReplica>(trace)
        }));
    }
    let again = Rc::clone(&saved);
    tasks.push(Task::new("load-text", move || Read::new(AutomergeReplica::load(&again))));
    tasks.push(Task::new("load-all", move || AutomergeReplica::load(&saved)));
    Ok(Built { text: replica.text(), notes, bytes, tasks })
}
