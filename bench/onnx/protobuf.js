/** Writes the wire format of protocol buffers: fields as a tag followed by a varint, four bytes, or length and bytes. */

/** A message from its fields, each made by one of the functions below; `undefined` fields are left out. */
export function message(...fields) {
  return Buffer.concat(fields.flat(Infinity).filter((field) => field !== undefined))
}

/** An integer field (int32, int64, enum). */
export function integer(number, value) {
  return Buffer.concat([varint((number << 3) | 0), varint(value)])
}

/** A float field. */
export function float(number, value) {
  const content = Buffer.alloc(4)
  content.writeFloatLE(value)
  return Buffer.concat([varint((number << 3) | 5), content])
}

/** A field of bytes, text or an embedded message. */
export function bytes(number, value) {
  const content = Buffer.from(value)
  return Buffer.concat([varint((number << 3) | 2), varint(content.length), content])
}

function varint(value) {
  const out = []
  let rest = BigInt.asUintN(64, BigInt(value))
  while (rest > 0x7fn) {
    out.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  out.push(Number(rest))
  return Buffer.from(out)
}
