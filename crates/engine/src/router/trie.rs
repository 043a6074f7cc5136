//! A map from literals to numbers that finds every literal with which a subject begins, or ends, in one
//! pass over the subject, however many literals there are.
//!
//! A compressed trie in three flat arrays. A sorted array with binary search was the alternative: at
//! 100,000 literals it needs 17 steps to scattered memory, this one about six.

use std::collections::VecDeque;
use std::ops::Range;

/// The end of the subject at which literals are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The beginning: `literal*`.
    Front,
    /// The end: `*literal`.
    Back,
}

/// A literal and the numbers that stand for it.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// What to look for.
    pub(super) literal: &'a [u8],
    /// How much of the subject it has to be.
    pub(super) extent: Extent,
    /// What a visit reports; below `u32::MAX`.
    pub(super) value: u32,
}

/// How much of the subject a literal has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Extent {
    /// All of it.
    Whole,
    /// One end of it.
    Part,
}

/// The compiled map.
#[derive(Debug)]
pub(super) struct Trie {
    end: End,
    /// The root first; the children of one node stand side by side. Empty if there is no literal.
    nodes: Box<[Node]>,
    /// For each node the byte that leads to it.
    leading: Box<[u8]>,
    /// The texts of all labels.
    labels: Box<[u8]>,
}

/// No value.
const NONE: u32 = u32::MAX;

#[derive(Debug)]
struct Node {
    /// What follows the leading byte before the literals of this node end or part.
    label: (u32, u32),
    children: (u32, u32),
    whole: u32,
    part: u32,
}

impl Trie {
    /// Compiles `entries`, in which no literal has two values for the same extent.
    pub(super) fn new(end: End, mut entries: Vec<Entry<'_>>) -> Self {
        let key = |entry: &Entry<'_>| (oriented(end, entry.literal), entry.extent);
        entries.sort_by_cached_key(key);
        let keys: Vec<_> = entries
            .iter()
            .map(|entry| oriented(end, entry.literal))
            .collect();
        let mut trie = Builder {
            end,
            nodes: Vec::new(),
            leading: Vec::new(),
            labels: Vec::new(),
        };
        if !entries.is_empty() {
            trie.push_all(&entries, &keys);
        }
        Self {
            end,
            nodes: trie.nodes.into(),
            leading: trie.leading.into(),
            labels: trie.labels.into(),
        }
    }

    /// Calls `found` with the value of each literal that is at this end of `subject`, shortest first.
    #[inline]
    pub(super) fn visit(&self, subject: &[u8], mut found: impl FnMut(u32)) {
        let Some(mut node) = self.nodes.first() else {
            return;
        };
        let mut rest = subject;
        loop {
            if node.part != NONE {
                found(node.part);
            }
            let Some((&byte, after)) = self.split(rest) else {
                if node.whole != NONE {
                    found(node.whole);
                }
                return;
            };
            let children = range(node.children);
            let Some(child) = memchr::memchr(byte, &self.leading[children.clone()]) else {
                return;
            };
            node = &self.nodes[children.start + child];
            let label = &self.labels[range(node.label)];
            let stripped = match self.end {
                End::Front => after.strip_prefix(label),
                End::Back => after.strip_suffix(label),
            };
            match stripped {
                Some(stripped) => rest = stripped,
                None => return,
            }
        }
    }

    fn split<'a>(&self, subject: &'a [u8]) -> Option<(&'a u8, &'a [u8])> {
        match self.end {
            End::Front => subject.split_first(),
            End::Back => subject.split_last(),
        }
    }
}

/// A trie whose arrays still grow.
struct Builder {
    end: End,
    nodes: Vec<Node>,
    leading: Vec<u8>,
    labels: Vec<u8>,
}

impl Builder {
    /// Adds the nodes of `entries`, which are sorted by their oriented literals, `keys`.
    fn push_all(&mut self, entries: &[Entry<'_>], keys: &[Vec<u8>]) {
        self.push_node(0, &[]);
        // Breadth first, so that the children of one node stand side by side. The members of a node have
        // their first `depth` bytes in common.
        let mut open = VecDeque::from([(0, 0..entries.len(), 0)]);
        while let Some((node, mut members, depth)) = open.pop_front() {
            while members.start < members.end && keys[members.start].len() == depth {
                let entry = &entries[members.start];
                match entry.extent {
                    Extent::Whole => self.nodes[node].whole = entry.value,
                    Extent::Part => self.nodes[node].part = entry.value,
                }
                members.start += 1;
            }
            let first = self.nodes.len();
            for group in groups(keys, members, depth) {
                // Sorted, so what the first and the last have in common, all have.
                let (low, high) = (&keys[group.start], &keys[group.end - 1]);
                let equal = |(a, b): &(&u8, &u8)| a == b;
                let shared = low.iter().zip(high).take_while(equal).count();
                open.push_back((self.nodes.len(), group, shared));
                self.push_node(low[depth], &low[depth + 1..shared]);
            }
            self.nodes[node].children = span(first..self.nodes.len());
        }
    }

    fn push_node(&mut self, leading: u8, label: &[u8]) {
        let start = self.labels.len();
        self.labels.extend(oriented(self.end, label));
        self.leading.push(leading);
        self.nodes.push(Node {
            label: span(start..self.labels.len()),
            children: (0, 0),
            whole: NONE,
            part: NONE,
        });
    }
}

/// `literal` in the order in which a visit reads it.
fn oriented(end: End, literal: &[u8]) -> Vec<u8> {
    match end {
        End::Front => literal.to_vec(),
        End::Back => literal.iter().rev().copied().collect(),
    }
}

/// Cuts `members` where the byte at `depth` changes.
fn groups(keys: &[Vec<u8>], members: Range<usize>, depth: usize) -> Vec<Range<usize>> {
    let start = members.start;
    let chunks = keys[members].chunk_by(|a, b| a[depth] == b[depth]);
    let ends = chunks.scan(start, |at, chunk| {
        let from = *at;
        *at += chunk.len();
        Some(from..*at)
    });
    ends.collect()
}

/// A range in half the space; the arrays hold fewer than 2³² items because the rules that fill them do.
fn span(range: Range<usize>) -> (u32, u32) {
    let narrow = |at: usize| u32::try_from(at).expect("a router's patterns are below 4 GiB");
    (narrow(range.start), narrow(range.end))
}

fn range((start, end): (u32, u32)) -> Range<usize> {
    start as usize..end as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visited<'a>(end: End, literals: &[(&'a str, Extent)], subject: &str) -> Vec<u32> {
        let entry = |(value, (literal, extent)): (usize, &(&'a str, Extent))| Entry {
            literal: literal.as_bytes(),
            extent: *extent,
            value: value as u32,
        };
        let trie = Trie::new(end, literals.iter().enumerate().map(entry).collect());
        let mut found = Vec::new();
        trie.visit(subject.as_bytes(), |value| found.push(value));
        found
    }

    #[test]
    fn every_literal_at_the_front_is_found_shortest_first() {
        use Extent::{Part, Whole};
        let literals = [
            ("/a", Part),      // 0
            ("/a/b", Whole),   // 1
            ("", Part),        // 2
            ("/a/b/", Part),   // 3
            ("/a/b", Part),    // 4
            ("/b", Part),      // 5
            ("/a/bcd", Whole), // 6
        ];
        for (subject, found) in [
            ("", vec![2]),
            ("/", vec![2]),
            ("/a", vec![2, 0]),
            ("/a/b", vec![2, 0, 4, 1]),
            ("/a/b/c", vec![2, 0, 4, 3]),
            ("/a/bcd", vec![2, 0, 4, 6]),
            ("/a/bc", vec![2, 0, 4]),
            ("/bb", vec![2, 5]),
            ("b", vec![2]),
        ] {
            assert_eq!(
                visited(End::Front, &literals, subject),
                found,
                "{subject:?}"
            );
        }
    }

    #[test]
    fn every_literal_at_the_back_is_found_shortest_first() {
        use Extent::{Part, Whole};
        let literals = [
            (".example.com", Part),     // 0
            (".b.example.com", Part),   // 1
            ("a.b.example.com", Whole), // 2
            (".example.org", Part),     // 3
        ];
        for (subject, found) in [
            ("a.b.example.com", vec![0, 1, 2]),
            ("b.example.com", vec![0]),
            ("example.com", vec![]),
            ("x.example.org", vec![3]),
            ("", vec![]),
        ] {
            assert_eq!(visited(End::Back, &literals, subject), found, "{subject:?}");
        }
    }

    #[test]
    fn an_empty_map_finds_nothing() {
        assert!(visited(End::Front, &[], "/a").is_empty());
    }
}
