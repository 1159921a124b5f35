//! From the tree to bytes: addresses first, then all structures in the order of their addresses.

use super::group::{INTERNAL_K, LEAF_K, Plan, Symbol, entry};
use super::heap::{Heap, Reference};
use super::messages::Header;
use super::tree::{Node, NodeKind, Writer};
use super::{ALIGNMENT, Block, DATA_ALIGNMENT};
use crate::error::Result;
use crate::hdf5::{SIGNATURE, UNDEFINED};
use crate::memory::make_room;

const SUPERBLOCK_LENGTH: u64 = 96;

/// Where one object lies.
#[derive(Debug)]
struct Place {
    header: u64,
    /// The symbol table of a group.
    table: Option<Plan>,
    /// The data of a dataset; none when it is empty.
    data: Option<u64>,
    texts: Vec<Reference>,
}

/// All addresses of a file.
#[derive(Debug)]
pub(super) struct FilePlan<'w> {
    places: Vec<Place>,
    heap: Heap<'w>,
    end: u64,
}

impl Writer<'_> {
    /// Plans the file; the nodes must not change after this.
    fn plan(&self) -> FilePlan<'_> {
        let mut heap = Heap::new(SUPERBLOCK_LENGTH);
        let texts: Vec<Vec<Reference>> = self
            .nodes
            .iter()
            .map(|node| node.attributes.iter().map(|attribute| heap.add(&attribute.text)).collect())
            .collect();
        let mut next = heap.end();
        let mut places = Vec::with_capacity(self.nodes.len());
        for (node, texts) in self.nodes.iter().zip(texts) {
            let header = next.next_multiple_of(ALIGNMENT);
            let mut place = Place { header, table: None, data: None, texts };
            // A header's length does not depend on the addresses in it.
            next = header + header_block(node, &place).0.len() as u64;
            match &node.kind {
                NodeKind::Group(members) => {
                    let table = Plan::new(members.keys().map(String::as_str), next);
                    next = table.end();
                    place.table = Some(table);
                }
                NodeKind::Dataset(content) if !content.data.is_empty() => {
                    let data = next.next_multiple_of(DATA_ALIGNMENT);
                    next = data + content.data.len() as u64;
                    place.data = Some(data);
                }
                NodeKind::Dataset(_) => {}
            }
            places.push(place);
        }
        FilePlan { places, heap, end: next }
    }

    /// The file.
    ///
    /// # Errors
    /// `FILE_LIMIT` without memory.
    pub fn finish(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        self.prepare().append_to(&mut out)?;
        Ok(out)
    }

    /// The file before it is written, with its length known.
    pub(crate) fn prepare(&self) -> Prepared<'_> {
        Prepared { nodes: &self.nodes, plan: self.plan() }
    }
}

/// A file whose layout is settled.
#[derive(Debug)]
pub(crate) struct Prepared<'w> {
    nodes: &'w [Node<'w>],
    plan: FilePlan<'w>,
}

impl Prepared<'_> {
    /// The length of the file in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.plan.end
    }

    /// Appends the file to `out`.
    ///
    /// # Errors
    /// `FILE_LIMIT` without memory.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) -> Result<()> {
        make_room(out, self.plan.end, "the HDF5 file")?;
        let start = out.len();
        out.extend_from_slice(&self.superblock().0);
        out.extend_from_slice(&self.plan.heap.finish().0);
        for (node, place) in self.nodes.iter().zip(&self.plan.places) {
            out.resize(start + place.header as usize, 0);
            out.extend_from_slice(&header_block(node, place).0);
            match &node.kind {
                NodeKind::Group(members) => {
                    let symbols: Vec<Symbol<'_>> =
                        members.iter().map(|(name, &index)| self.symbol(name, index)).collect();
                    if let Some(table) = &place.table {
                        out.extend_from_slice(&table.finish(&symbols).0);
                    }
                }
                NodeKind::Dataset(content) => {
                    if let Some(data) = place.data {
                        out.resize(start + data as usize, 0);
                        out.extend_from_slice(&content.data);
                    }
                }
            }
        }
        Ok(())
    }

    fn symbol<'t>(&self, name: &'t str, index: usize) -> Symbol<'t> {
        let place = &self.plan.places[index];
        Symbol { name, header: place.header, table: place.table.as_ref().map(|table| (table.tree(), table.heap())) }
    }

    /// Version 0: 8-byte offsets and lengths, no free-space index, no driver, the root group's entry.
    fn superblock(&self) -> Block {
        let mut out = Block::default();
        out.bytes(&SIGNATURE)
            .bytes(&[0, 0, 0, 0, 0, 8, 8, 0])
            .u16(LEAF_K)
            .u16(INTERNAL_K)
            .u32(0)
            .u64(0)
            .u64(UNDEFINED)
            .u64(self.plan.end)
            .u64(UNDEFINED);
        let root = self.symbol("", 0);
        entry(&mut out, 0, root.header, root.table);
        out
    }
}

fn header_block(node: &Node<'_>, place: &Place) -> Block {
    let mut header = Header::default();
    match &node.kind {
        NodeKind::Group(_) => {
            let (tree, heap) = place.table.as_ref().map_or((0, 0), |table| (table.tree(), table.heap()));
            header.symbol_table(tree, heap);
        }
        NodeKind::Dataset(content) => header.dataset(content, place.data),
    }
    for (attribute, &reference) in node.attributes.iter().zip(&place.texts) {
        header.attribute(attribute, reference);
    }
    header.finish()
}
