//! Symbol tables: the local heap, symbol nodes and B-tree of one group.

use super::Block;
use crate::hdf5::UNDEFINED;

/// Symbols in one node: twice the group leaf K of the superblock.
pub(super) const LEAF_K: u16 = 4;
/// Half the children of one B-tree node: the group internal K of the superblock.
pub(super) const INTERNAL_K: u16 = 16;
const SYMBOLS: usize = 2 * LEAF_K as usize;
const CHILDREN: usize = 2 * INTERNAL_K as usize;

const SYMBOL_NODE_LENGTH: u64 = 8 + SYMBOLS as u64 * 40;
const TREE_NODE_LENGTH: u64 = 24 + CHILDREN as u64 * 16 + 8;
const HEAP_HEADER: u64 = 32;
/// The segment that h5py starts with, and the room of one free block in it.
const MIN_SEGMENT: u64 = 88;
const FREE_BLOCK: u64 = 16;
/// What the list of free blocks ends with.
const NO_FREE_BLOCK: u64 = 1;

/// A member to be listed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Symbol<'t> {
    pub(super) name: &'t str,
    pub(super) header: u64,
    /// The B-tree and heap when the member is a group; HDF5 keeps them beside the name.
    pub(super) table: Option<(u64, u64)>,
}

/// Where the structures of a group's symbol table lie: B-tree nodes, heap, symbol nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    members: usize,
    tree_nodes: u64,
    segment: u64,
    /// Where the used part of the segment ends.
    names_end: u64,
    start: u64,
}

impl Plan {
    /// Plans the table of members with these names from address `start`.
    pub(super) fn new<'t>(names: impl Iterator<Item = &'t str>, start: u64) -> Self {
        let (mut members, mut names_end) = (0_usize, 8);
        for name in names {
            members += 1;
            names_end += heap_length(name);
        }
        let mut tree_nodes = 0;
        let mut level = members.div_ceil(SYMBOLS);
        loop {
            level = level.div_ceil(CHILDREN).max(1);
            tree_nodes += level as u64;
            if level == 1 {
                break;
            }
        }
        Self { members, tree_nodes, segment: MIN_SEGMENT.max(names_end), names_end, start }
    }

    /// The address of the B-tree's root, which comes last of its nodes.
    pub(super) fn tree(&self) -> u64 {
        self.start + (self.tree_nodes - 1) * TREE_NODE_LENGTH
    }

    pub(super) fn heap(&self) -> u64 {
        self.start + self.tree_nodes * TREE_NODE_LENGTH
    }

    fn symbol_nodes(&self) -> u64 {
        self.heap() + HEAP_HEADER + self.segment
    }

    pub(super) fn end(&self) -> u64 {
        self.symbol_nodes() + self.members.div_ceil(SYMBOLS) as u64 * SYMBOL_NODE_LENGTH
    }

    /// The bytes of the table. `symbols` have the names that were planned, in ascending order.
    pub(super) fn finish(&self, symbols: &[Symbol<'_>]) -> Block {
        let mut offsets = Vec::with_capacity(symbols.len());
        let mut next = 8;
        for symbol in symbols {
            offsets.push(next);
            next += heap_length(symbol.name);
        }
        let mut out = Block::default();
        self.tree_nodes_into(&mut out, &offsets);
        self.heap_into(&mut out, symbols);
        for (symbols, offsets) in symbols.chunks(SYMBOLS).zip(offsets.chunks(SYMBOLS)) {
            symbol_node(&mut out, symbols, offsets);
        }
        out
    }

    fn heap_into(&self, out: &mut Block, symbols: &[Symbol<'_>]) {
        let free = self.segment - self.names_end;
        let has_free_block = free >= FREE_BLOCK;
        out.bytes(b"HEAP").u32(0).u64(self.segment);
        out.u64(if has_free_block { self.names_end } else { NO_FREE_BLOCK });
        out.u64(self.heap() + HEAP_HEADER);
        // The empty name at offset 0 is the key before the first member.
        out.u64(0);
        for symbol in symbols {
            out.bytes(symbol.name.as_bytes());
            out.0.resize(out.0.len() + (heap_length(symbol.name) as usize - symbol.name.len()), 0);
        }
        if has_free_block {
            out.u64(NO_FREE_BLOCK).u64(free);
            out.0.resize(out.0.len() + (free - FREE_BLOCK) as usize, 0);
        } else {
            out.0.resize(out.0.len() + free as usize, 0);
        }
    }

    /// B-tree nodes, the lowest level first. A key is the heap offset of the last name at or below its left neighbour.
    fn tree_nodes_into(&self, out: &mut Block, offsets: &[u64]) {
        // Children of the level in work: address and offset of the last name in each.
        let mut children: Vec<(u64, u64)> = offsets
            .chunks(SYMBOLS)
            .enumerate()
            .map(|(k, names)| {
                let address = self.symbol_nodes() + k as u64 * SYMBOL_NODE_LENGTH;
                (address, names.last().copied().unwrap_or(0))
            })
            .collect();
        let mut address = self.start;
        let mut level = 0_u8;
        loop {
            let count = children.len().div_ceil(CHILDREN).max(1);
            let mut above = Vec::with_capacity(count);
            let mut key = 0;
            for k in 0..count {
                let here = children.chunks(CHILDREN).nth(k).unwrap_or_default();
                let left = if k == 0 { UNDEFINED } else { address - TREE_NODE_LENGTH };
                let right = if k + 1 == count { UNDEFINED } else { address + TREE_NODE_LENGTH };
                let node_start = out.0.len();
                out.bytes(b"TREE").u8(0).u8(level).u16(here.len() as u16).u64(left).u64(right);
                out.u64(key);
                for &(child, last) in here {
                    out.u64(child).u64(last);
                    key = last;
                }
                out.0.resize(node_start + TREE_NODE_LENGTH as usize, 0);
                above.push((address, key));
                address += TREE_NODE_LENGTH;
            }
            if count == 1 {
                return;
            }
            children = above;
            level += 1;
        }
    }
}

/// A name, its zero, and padding.
fn heap_length(name: &str) -> u64 {
    (name.len() as u64 + 1).next_multiple_of(8)
}

fn symbol_node(out: &mut Block, symbols: &[Symbol<'_>], offsets: &[u64]) {
    let start = out.0.len();
    out.bytes(b"SNOD").u8(1).u8(0).u16(symbols.len() as u16);
    for (symbol, &offset) in symbols.iter().zip(offsets) {
        entry(out, offset, symbol.header, symbol.table);
    }
    out.0.resize(start + SYMBOL_NODE_LENGTH as usize, 0);
}

/// A symbol table entry: name, object header, and the cached table of a group.
pub(super) fn entry(out: &mut Block, name: u64, header: u64, table: Option<(u64, u64)>) {
    let (tree, heap) = table.unwrap_or((0, 0));
    out.u64(name).u64(header).u32(u32::from(table.is_some())).u32(0).u64(tree).u64(heap);
}
