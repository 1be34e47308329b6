//! yrs: a CRDT of merged state, without history.
use std::rc::Rc;
use std::time::Instant;

use yrs::block::ClientID;
use yrs::updates::decoder::Decode;
use yrs::{
    Doc, GetString, OffsetKind, Options, ReadTxn, StateVector, Text, TextRef, Transact,
    TransactionMut, Update,
};

use super::{Built, Document, Peer, Read, Task};
use crate::replicas::{self, Replica};
use crate::trace::{Patch, Trace};

pub const PEER: Peer = Peer { name: "yrs", build };

struct YrsReplica {
    document: Doc,
    text: TextRef,
}

impl YrsReplica {
    fn import(bytes: &[u8]) -> Self {
        let mut replica = Self::new(0);
        replica.apply(&[bytes]);
        std::hint::black_box(replica.length());
        replica
    }

    fn apply(&mut self, updates: &[&[u8]]) {
        let mut transaction = self.document.transact_mut();
        for bytes in updates {
            let update = Update::decode_v2(bytes).expect("it was encoded before");
            transaction.apply_update(update).expect("updates are sound");
        }
    }

    fn state(&self) -> Vec<u8> {
        self.document.transact().encode_state_as_update_v2(&StateVector::default())
    }

    fn splice(&self, transaction: &mut TransactionMut, patch: &Patch) {
        let Patch { at, deleted, inserted } = patch;
        if *deleted > 0 {
            self.text.remove_range(transaction, *at as u32, *deleted as u32);
        }
        if !inserted.is_empty() {
            self.text.insert(transaction, *at as u32, inserted);
        }
    }
}

impl Document for YrsReplica {
    fn text(&self) -> String {
        self.text.get_string(&self.document.transact())
    }
}

impl Replica for YrsReplica {
    type Edit = Vec<u8>;

    fn new(agent: usize) -> Self {
        let mut options = Options::with_client_id(ClientID::new(agent as u64 + 1));
        options.offset_kind = OffsetKind::Utf16;
        let document = Doc::with_options(options);
        let text = document.get_or_insert_text("text");
        YrsReplica { document, text }
    }

    /// A document cannot change its author, so this is a new one with the same state.
    fn fork(&mut self, agent: usize) -> Self {
        let mut fork = Self::new(agent);
        fork.apply(&[&self.state()]);
        fork
    }

    /// Each edit is a transaction of its own: yrs joins what belongs together when a
    /// transaction ends, and gets slow within a long one.
    fn type_in<'a>(&mut self, patches: impl Iterator<Item = &'a Patch>) {
        for patch in patches {
            self.splice(&mut self.document.transact_mut(), patch);
        }
    }

    fn edit<'a>(&mut self, patches: impl Iterator<Item = &'a Patch>) -> Vec<u8> {
        let mut transaction = self.document.transact_mut();
        for patch in patches {
            self.splice(&mut transaction, patch);
        }
        transaction.encode_update_v2()
    }

    fn receive(&mut self, edits: &[&Vec<u8>]) {
        let edits: Vec<_> = edits.iter().map(|edit| edit.as_slice()).collect();
        self.apply(&edits);
        assert!(
            !self.document.transact().has_missing_updates(),
            "edits came before their parents"
        );
    }

    fn length(&self) -> usize {
        self.text.len(&self.document.transact()) as usize
    }
}

fn build(trace: &Trace, deadline: Instant) -> Result<Built<'_>, String> {
    let is_counted_otherwise =
        |patch: &Patch| patch.inserted.chars().any(|c| c > '\u{ffff}');
    if trace.patches().any(is_counted_otherwise) {
        return Err("it has characters that take two units of UTF-16".into());
    }
    let (replica, mut notes) = replicas::build::<YrsReplica>(trace, deadline)?;
    notes.push("keeps no history: state-bytes and load-text are of merged state".into());
    let state: Rc<[u8]> = replica.state().into();
    let bytes = vec![("state-bytes", state.len())];
    let again = Rc::clone(&state);
    let mut tasks = vec![Task::new("apply", move || YrsReplica::import(&again))];
    if !trace.concurrent {
        tasks.push(Task::new("apply-local", || replicas::type_in::<YrsReplica>(trace)));
    }
    tasks.push(Task::new("load-text", move || Read::new(YrsReplica::import(&state))));
    Ok(Built { text: replica.text(), notes, bytes, tasks })
}
