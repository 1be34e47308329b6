//! Editing traces as they lie in the folder `GROVE_TRACES`.
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use flate2::bufread::GzDecoder;
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub const NAMES: [&str; 5] =
    ["automerge-paper", "rustcode", "sveltecomponent", "friendsforever", "A2"];

/// Deletes `deleted` characters at `at`, then inserts there. Both count code
/// points of the text that the patch before has left.
#[derive(Clone, Deserialize)]
#[serde(from = "(usize, usize, String)")]
pub struct Patch {
    pub at: usize,
    pub deleted: usize,
    pub inserted: String,
}

impl From<(usize, usize, String)> for Patch {
    fn from((at, deleted, inserted): (usize, usize, String)) -> Self {
        Patch { at, deleted, inserted }
    }
}

/// What one author does on top of everything that the parents, indexes of
/// earlier transactions, contain.
pub struct Txn {
    pub parents: Vec<usize>,
    pub agent: usize,
    pub patches: Vec<Patch>,
}

pub struct Trace {
    pub end: String,
    /// Names by which ties are broken; several authors may share one.
    pub agents: Vec<String>,
    pub txns: Vec<Txn>,
    pub concurrent: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    #[serde(default)]
    start_content: String,
    end_content: String,
    num_agents: Option<usize>,
    txns: Vec<StoredTxn>,
}

/// In a sequential trace it has neither parents nor an author.
#[derive(Deserialize)]
struct StoredTxn {
    parents: Option<Vec<usize>>,
    #[serde(default)]
    agent: usize,
    patches: Vec<Patch>,
}

impl Trace {
    /// Reads `NAME.json.gz`, and the authors' names from `NAME.agents.json` if it
    /// is there; without it they are called by their numbers.
    pub fn read(folder: &Path, name: &str) -> Result<Trace, String> {
        let file = open(&folder.join(format!("{name}.json.gz")))?;
        let stored: Stored = parse(GzDecoder::new(file))?;
        if !stored.start_content.is_empty() {
            return Err("it does not start with an empty text".into());
        }
        let names = folder.join(format!("{name}.agents.json"));
        let agents: Vec<String> = if names.exists() {
            parse(open(&names)?)?
        } else {
            (0..stored.num_agents.unwrap_or(1))
                .map(|agent| format!("{agent:04}"))
                .collect()
        };
        if stored.txns.iter().any(|txn| txn.agent >= agents.len()) {
            return Err("a transaction has an unknown author".into());
        }
        let concurrent = stored.num_agents.is_some();
        let txns = join(stored.txns)?;
        Ok(Trace { end: stored.end_content, agents, txns, concurrent })
    }

    pub fn patches(&self) -> impl Iterator<Item = &Patch> {
        self.txns.iter().flat_map(|txn| &txn.patches)
    }

    /// Inserted and deleted characters.
    pub fn event_count(&self) -> usize {
        self.patches().map(|patch| patch.deleted + patch.inserted.chars().count()).sum()
    }
}

/// Joins transactions where an author goes on and nobody else has seen the edits
/// before alone: a sequential trace becomes a single one.
fn join(stored: Vec<StoredTxn>) -> Result<Vec<Txn>, String> {
    let mut stored = stored;
    for (index, txn) in stored.iter_mut().enumerate() {
        let parents =
            txn.parents.get_or_insert_with(|| index.checked_sub(1).into_iter().collect());
        if parents.iter().any(|&parent| parent >= index) {
            return Err(format!("transaction {index} comes before a parent"));
        }
    }
    let mut child_counts = vec![0; stored.len()];
    for &parent in stored.iter().flat_map(|txn| txn.parents.iter().flatten()) {
        child_counts[parent] += 1;
    }
    let mut txns: Vec<Txn> = Vec::new();
    let mut places = Vec::with_capacity(stored.len());
    for (index, txn) in stored.into_iter().enumerate() {
        let parents = txn.parents.unwrap_or_default();
        let goes_on = index > 0 && parents == [index - 1] && child_counts[index - 1] == 1;
        match txns.last_mut() {
            Some(last) if goes_on && last.agent == txn.agent => {
                last.patches.extend(txn.patches)
            }
            _ => {
                let parents = parents.iter().map(|&parent| places[parent]).collect();
                txns.push(Txn { parents, agent: txn.agent, patches: txn.patches });
            }
        }
        places.push(txns.len() - 1);
    }
    Ok(txns)
}

fn open(path: &Path) -> Result<BufReader<File>, String> {
    let file =
        File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(BufReader::new(file))
}

fn parse<T: DeserializeOwned>(bytes: impl std::io::Read) -> Result<T, String> {
    serde_json::from_reader(BufReader::new(bytes)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(txns: &str) -> Vec<StoredTxn> {
        serde_json::from_str(txns).expect("it is JSON")
    }

    #[test]
    fn a_sequential_trace_becomes_one_transaction() {
        let txns = join(stored(
            r#"[{"patches": [[0, 0, "ab"]]}, {"patches": [[1, 1, "é"], [0, 1, ""]]}]"#,
        ));
        let txns = txns.expect("it is sound");
        assert_eq!(txns.len(), 1);
        assert_eq!(txns[0].patches.len(), 3);
        assert!(txns[0].parents.is_empty());
    }

    #[test]
    fn only_edits_that_nobody_saw_alone_are_joined() {
        let txns = join(stored(
            r#"[{"parents": [], "agent": 0, "patches": [[0, 0, "a"]]},
                {"parents": [0], "agent": 0, "patches": [[1, 0, "b"]]},
                {"parents": [1], "agent": 0, "patches": [[2, 0, "c"]]},
                {"parents": [1], "agent": 1, "patches": [[0, 0, "d"]]},
                {"parents": [3], "agent": 0, "patches": [[0, 0, "e"]]},
                {"parents": [2, 4], "agent": 0, "patches": [[0, 0, "f"]]}]"#,
        ));
        let txns = txns.expect("it is sound");
        let parents: Vec<_> = txns.iter().map(|txn| txn.parents.clone()).collect();
        assert_eq!(parents, [vec![], vec![0], vec![0], vec![2], vec![1, 3]]);
        assert_eq!(txns[0].patches.len(), 2);
    }

    #[test]
    fn a_parent_that_comes_later_is_refused() {
        assert!(join(stored(r#"[{"parents": [0], "patches": []}]"#)).is_err());
    }
}
