//! Builds histories with libraries that have no way to add an edit at given
//! parents: there is a document for each branch, which is forked where the history
//! forks, and receives what the other parents contain where it merges.
use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Instant;

use crate::peers::Document;
use crate::trace::{Patch, Trace, Txn};

pub trait Replica: Document + Sized {
    /// What other documents have to receive of a transaction.
    type Edit;

    fn new(agent: usize) -> Self;

    /// A copy in which another author goes on.
    fn fork(&mut self, agent: usize) -> Self;

    /// Applies the edits of one author who is alone.
    fn type_in<'a>(&mut self, patches: impl Iterator<Item = &'a Patch>);

    /// Applies one transaction.
    fn edit<'a>(&mut self, patches: impl Iterator<Item = &'a Patch>) -> Self::Edit;

    /// Takes in edits, each after those that it depends on.
    fn receive(&mut self, edits: &[&Self::Edit]);

    /// Characters of the text.
    fn length(&self) -> usize;
}

/// A sequential trace, edit by edit.
pub fn type_in<R: Replica>(trace: &Trace) -> R {
    let mut replica = R::new(0);
    replica.type_in(trace.patches());
    replica
}

/// The document that has everything, and notes on edits that had to be changed.
pub fn build<R: Replica>(
    trace: &Trace,
    deadline: Instant,
) -> Result<(R, Vec<String>), String> {
    if !trace.concurrent {
        return Ok((type_in(trace), Vec::new()));
    }
    let count = trace.txns.len();
    let mut branches = Branches::<R>::new(trace);
    let mut edits = Vec::with_capacity(count);
    let mut cut_count = 0;
    for (index, txn) in trace.txns.iter().enumerate() {
        if Instant::now() > deadline {
            return Err(format!("out of time after {index} of {count} transactions"));
        }
        let mut branch = branches.at_parents(txn);
        branch.catch_up(trace, txn, &edits);
        let patches = fit(&txn.patches, branch.replica.length());
        cut_count += usize::from(matches!(patches, Cow::Owned(_)));
        edits.push(branch.replica.edit(patches.iter()));
        branch.knows[index] = true;
        branch.known_count += 1;
        branches.live.insert(index, branch);
    }
    let whole = count.checked_sub(1).and_then(|last| branches.live.remove(&last));
    let whole = whole.filter(|branch| branch.known_count == count);
    let branch = whole.ok_or("its last transaction does not contain all others")?;
    let note = format!("{cut_count} transactions reached past the text and were cut");
    let notes = if cut_count > 0 { vec![note] } else { Vec::new() };
    Ok((branch.replica, notes))
}

/// A document as it is after a transaction, and which transactions it contains.
struct Branch<R> {
    replica: R,
    agent: usize,
    knows: Vec<bool>,
    known_count: usize,
}

/// The branches that still have children to come.
struct Branches<R> {
    live: HashMap<usize, Branch<R>>,
    child_counts: Vec<usize>,
}

impl<R: Replica> Branches<R> {
    fn new(trace: &Trace) -> Self {
        let mut child_counts = vec![0; trace.txns.len()];
        for &parent in trace.txns.iter().flat_map(|txn| &txn.parents) {
            child_counts[parent] += 1;
        }
        Branches { live: HashMap::new(), child_counts }
    }

    /// A branch for the transaction, from the parent that contains most. It is
    /// forked unless the same author is the last one to go on from there.
    fn at_parents(&mut self, txn: &Txn) -> Branch<R> {
        for &parent in &txn.parents {
            self.child_counts[parent] -= 1;
        }
        let fullest =
            txn.parents.iter().max_by_key(|&parent| self.live[parent].known_count);
        let branch = match fullest {
            None => Branch {
                replica: R::new(txn.agent),
                agent: txn.agent,
                knows: vec![false; self.child_counts.len()],
                known_count: 0,
            },
            Some(parent) => {
                let mut branch =
                    self.live.remove(parent).expect("it has children to come");
                if self.child_counts[*parent] == 0 && branch.agent == txn.agent {
                    branch
                } else {
                    let fork = branch.fork(txn.agent);
                    self.live.insert(*parent, branch);
                    fork
                }
            }
        };
        self.live.retain(|&index, _| self.child_counts[index] > 0);
        branch
    }
}

impl<R: Replica> Branch<R> {
    fn fork(&mut self, agent: usize) -> Self {
        Branch {
            replica: self.replica.fork(agent),
            agent,
            knows: self.knows.clone(),
            known_count: self.known_count,
        }
    }

    /// Receives what the transaction's parents contain.
    fn catch_up(&mut self, trace: &Trace, txn: &Txn, edits: &[R::Edit]) {
        let mut missing = Vec::new();
        let mut open = txn.parents.clone();
        while let Some(index) = open.pop() {
            if !self.knows[index] {
                self.knows[index] = true;
                missing.push(index);
                open.extend(&trace.txns[index].parents);
            }
        }
        self.known_count += missing.len();
        missing.sort_unstable();
        if !missing.is_empty() {
            let missing: Vec<_> = missing.iter().map(|&index| &edits[index]).collect();
            self.replica.receive(&missing);
        }
    }
}

/// Where ties fall otherwise than in the trace, characters are deleted that it
/// keeps, and positions may lie behind the end; they are cut to what is there.
fn fit(patches: &[Patch], length: usize) -> Cow<'_, [Patch]> {
    let mut length = length;
    let mut fitting = Vec::with_capacity(patches.len());
    let mut is_cut = false;
    for patch in patches {
        let at = patch.at.min(length);
        let deleted = patch.deleted.min(length - at);
        is_cut |= at != patch.at || deleted != patch.deleted;
        length = length - deleted + patch.inserted.chars().count();
        fitting.push((at, deleted));
    }
    if !is_cut {
        return Cow::Borrowed(patches);
    }
    let cut = |(patch, (at, deleted)): (&Patch, (usize, usize))| Patch {
        at,
        deleted,
        inserted: patch.inserted.clone(),
    };
    Cow::Owned(patches.iter().zip(fitting).map(cut).collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::peers::PEERS;

    fn patch(at: usize, deleted: usize, inserted: &str) -> Patch {
        Patch { at, deleted, inserted: inserted.into() }
    }

    #[test]
    fn edits_are_cut_to_the_text_they_find() {
        let patches = [patch(1, 1, "xyz"), patch(3, 4, ""), patch(9, 0, "w")];
        assert!(matches!(fit(&patches[..1], 2), Cow::Borrowed(_)));
        let fitting = fit(&patches, 2);
        let places: Vec<_> =
            fitting.iter().map(|patch| (patch.at, patch.deleted)).collect();
        assert_eq!(places, [(1, 1), (3, 1), (3, 0)]);
    }

    /// A fork where both authors delete one and the same character, and its merge.
    #[test]
    fn every_peer_builds_what_the_trace_says() {
        let txn = |parents: &[usize], agent, patches: &[Patch]| Txn {
            parents: parents.to_vec(),
            agent,
            patches: patches.to_vec(),
        };
        let trace = Trace {
            end: "<abXe!>".into(),
            agents: vec!["0000".into(), "0001".into()],
            concurrent: true,
            txns: vec![
                txn(&[], 0, &[patch(0, 0, "abcde")]),
                txn(&[0], 0, &[patch(2, 2, "X"), patch(0, 0, "<")]),
                txn(&[0], 1, &[patch(5, 0, "!"), patch(3, 1, "")]),
                txn(&[1, 2], 1, &[patch(6, 0, ">")]),
            ],
        };
        for peer in &PEERS {
            let deadline = Instant::now() + Duration::from_secs(60);
            let built = (peer.build)(&trace, deadline).expect(peer.name);
            assert_eq!(built.text, trace.end, "{}", peer.name);
            for task in &built.tasks {
                assert_eq!((task.run)().text(), trace.end, "{} {}", peer.name, task.name);
            }
        }
    }
}
