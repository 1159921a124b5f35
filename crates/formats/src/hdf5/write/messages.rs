//! Object headers of version 1 and their messages.

use super::heap::Reference;
use super::{Block, Content, TextAttribute};
use crate::element_type::ElementType;
use crate::hdf5::UNDEFINED;
use crate::hdf5::object_header as kinds;

/// Collects the messages of one header.
#[derive(Debug, Default)]
pub(super) struct Header {
    count: u16,
    messages: Block,
}

impl Header {
    /// Adds one message, padded to a multiple of 8 bytes.
    fn message(&mut self, kind: u16, constant: bool, mut data: Block) {
        data.pad(8);
        self.count += 1;
        self.messages.u16(kind).u16(data.0.len() as u16).u8(u8::from(constant)).bytes(&[0; 3]).bytes(&data.0);
    }

    pub(super) fn symbol_table(&mut self, tree: u64, heap: u64) {
        let mut data = Block::default();
        data.u64(tree).u64(heap);
        self.message(kinds::SYMBOL_TABLE, false, data);
    }

    /// The messages of a dataset whose data is at `address`.
    pub(super) fn dataset(&mut self, content: &Content<'_>, address: Option<u64>) {
        let mut space = Block::default();
        dataspace(&mut space, &content.shape);
        self.message(kinds::DATASPACE, false, space);

        let mut kind = Block::default();
        datatype(&mut kind, content.element_type);
        self.message(kinds::DATATYPE, true, kind);

        // Version 2, space allocated late, written if set, a default fill value.
        let mut fill = Block::default();
        fill.bytes(&[2, 2, 2, 1]).u32(0);
        self.message(kinds::FILL_VALUE, true, fill);

        let mut layout = Block::default();
        layout.u8(3).u8(1).u64(address.unwrap_or(UNDEFINED)).u64(content.data.len() as u64);
        self.message(kinds::LAYOUT, false, layout);
    }

    /// An attribute whose text is in a global heap.
    pub(super) fn attribute(&mut self, attribute: &TextAttribute, reference: Reference) {
        let mut kind = Block::default();
        variable_text(&mut kind);
        let mut space = Block::default();
        dataspace(&mut space, &[]);
        let mut data = Block::default();
        data.u8(1)
            .u8(0)
            .u16(attribute.name.len() as u16 + 1)
            .u16(kind.0.len() as u16)
            .u16(space.0.len() as u16)
            .bytes(attribute.name.as_bytes())
            .u8(0)
            .pad(8)
            .bytes(&kind.0)
            .pad(8)
            .bytes(&space.0)
            .pad(8)
            .u32(attribute.text.len() as u32)
            .u64(reference.collection)
            .u32(u32::from(reference.index));
        self.message(kinds::ATTRIBUTE, false, data);
    }

    /// The header with its prefix.
    pub(super) fn finish(self) -> Block {
        let mut out = Block::default();
        // Version 1, reserved, messages, one link to this object, bytes of messages, padding to 8 bytes.
        out.u8(1).u8(0).u16(self.count).u32(1).u32(self.messages.0.len() as u32).u32(0).bytes(&self.messages.0);
        out
    }
}

/// Version 1, with the maximal extents that h5py writes too.
fn dataspace(out: &mut Block, shape: &[u64]) {
    out.u8(1).u8(shape.len() as u8).u8(u8::from(!shape.is_empty())).bytes(&[0; 5]);
    for _ in 0..if shape.is_empty() { 0 } else { 2 } {
        for &extent in shape {
            out.u64(extent);
        }
    }
}

fn datatype(out: &mut Block, element_type: ElementType) {
    match element_type {
        ElementType::F16 => float(out, 2, 15, (10, 5), 15),
        ElementType::F32 => float(out, 4, 31, (23, 8), 127),
        ElementType::F64 => float(out, 8, 63, (52, 11), 1023),
        ElementType::I8 => integer(out, 1, true),
        ElementType::I16 => integer(out, 2, true),
        ElementType::I32 => integer(out, 4, true),
        ElementType::I64 => integer(out, 8, true),
        ElementType::U8 => integer(out, 1, false),
        ElementType::U16 => integer(out, 2, false),
        ElementType::U32 => integer(out, 4, false),
        ElementType::U64 => integer(out, 8, false),
        ElementType::Bool => {
            out.u8(0x18).bytes(&[2, 0, 0]).u32(1);
            integer(out, 1, true);
            out.bytes(b"FALSE\0\0\0TRUE\0\0\0\0").bytes(&[0, 1]);
        }
        // Opaque, without a tag.
        ElementType::Bf16 => {
            out.u8(0x15).bytes(&[0; 3]).u32(2);
        }
        // The writer's checks let no strings through; as datatypes they are complete all the same.
        ElementType::FixedString(size) => {
            out.u8(0x13).bytes(&[1, 0, 0]).u32(size);
        }
        ElementType::VariableString => variable_text(out),
    }
}

fn integer(out: &mut Block, size: u32, signed: bool) {
    out.u8(0x10).bytes(&[u8::from(signed) << 3, 0, 0]).u32(size).u16(0).u16(size as u16 * 8);
}

fn float(out: &mut Block, size: u32, sign: u8, (mantissa, exponent): (u8, u8), bias: u32) {
    // Little-endian, implied leading bit of the mantissa.
    out.u8(0x11)
        .bytes(&[0x20, sign, 0])
        .u32(size)
        .u16(0)
        .u16(size as u16 * 8)
        .bytes(&[mantissa, exponent, 0, mantissa])
        .u32(bias);
}

/// UTF-8 of variable length, over one-byte integers.
fn variable_text(out: &mut Block) {
    out.u8(0x19).bytes(&[1, 1, 0]).u32(16);
    integer(out, 1, false);
}
