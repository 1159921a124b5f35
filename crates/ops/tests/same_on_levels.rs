//! Ops that give the same bits on all instruction sets, and those that do not.

#[path = "common/levels.rs"]
mod levels;

use ferrograph_ops::ALL;

#[test]
fn every_op_gives_the_bits_it_promises_on_every_instruction_set() {
    for entry in ALL {
        for sample in (entry.samples)() {
            levels::check(entry.name, &sample);
        }
    }
}
