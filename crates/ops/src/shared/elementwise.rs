//! Plans of element-wise ops from the functions they apply.

use ferrograph_graph::{Elementwise, Plan, Simple};
use ferrograph_kernels::elementwise;
use ferrograph_tensor::{View, ViewMut};
use std::fmt;

/// An element type of a kernel. bool and uint8 are both `u8`.
pub(crate) trait Element: Copy + Send + Sync + 'static {
    /// The elements of a view of this type.
    fn read(view: View<'_>) -> &[Self];
    /// The elements of a view of this type, to write.
    fn write(view: ViewMut<'_>) -> &mut [Self];
}

impl Element for f32 {
    fn read(view: View<'_>) -> &[Self] {
        view.f32()
    }

    fn write(view: ViewMut<'_>) -> &mut [Self] {
        view.f32()
    }
}

impl Element for i32 {
    fn read(view: View<'_>) -> &[Self] {
        view.i32()
    }

    fn write(view: ViewMut<'_>) -> &mut [Self] {
        view.i32()
    }
}

impl Element for u8 {
    fn read(view: View<'_>) -> &[Self] {
        view.u8()
    }

    fn write(view: ViewMut<'_>) -> &mut [Self] {
        view.u8()
    }
}

/// Applies `f` to every element; the loop is vectorised if `f` can be.
pub(crate) fn map<X: Element, Y: Element>(f: impl Fn(X) -> Y + Copy + Send + Sync + 'static) -> Plan {
    block(move |x, y| elementwise::map(X::read(x[0]), Y::write(y), f))
}

/// Applies `f` to corresponding elements of two operands.
pub(crate) fn zip<A: Element, B: Element, Y: Element>(f: impl Fn(A, B) -> Y + Copy + Send + Sync + 'static) -> Plan {
    block(move |x, y| elementwise::zip(A::read(x[0]), B::read(x[1]), Y::write(y), f))
}

/// Applies `f` to corresponding elements of three operands.
pub(crate) fn zip3<A: Element, B: Element, C: Element, Y: Element>(
    f: impl Fn(A, B, C) -> Y + Copy + Send + Sync + 'static,
) -> Plan {
    block(move |x, y| elementwise::zip3(A::read(x[0]), B::read(x[1]), C::read(x[2]), Y::write(y), f))
}

/// Applies `f` to corresponding elements of four operands of float32.
pub(crate) fn zip4(f: impl Fn(f32, f32, f32, f32) -> f32 + Copy + Send + Sync + 'static) -> Plan {
    block(move |x, y| elementwise::zip4(x[0].f32(), x[1].f32(), x[2].f32(), x[3].f32(), y.f32(), f))
}

/// Applies a kernel over slices of float32.
pub(crate) fn slices(f: impl Fn(&[f32], &mut [f32]) + Send + Sync + 'static) -> Plan {
    block(move |x, y| f(x[0].f32(), y.f32()))
}

/// The operand itself, broadcast; further operands give only their shapes.
pub(crate) fn copy() -> Plan {
    block(|x, mut y| y.copy_from(x[0]))
}

/// `plan`, whose function is this very one.
pub(crate) fn simple(simple: Simple, plan: Plan) -> Plan {
    match plan {
        Plan::Elementwise(function) => Plan::Elementwise(Box::new(Known { function, simple })),
        other => other,
    }
}

#[derive(Debug)]
struct Known {
    function: Box<dyn Elementwise>,
    simple: Simple,
}

impl Elementwise for Known {
    fn run(&self, operands: &[View<'_>], result: ViewMut<'_>) {
        self.function.run(operands, result);
    }

    fn simple(&self) -> Option<Simple> {
        Some(self.simple)
    }
}

fn block(f: impl Fn(&[View<'_>], ViewMut<'_>) + Send + Sync + 'static) -> Plan {
    Plan::Elementwise(Box::new(Block(f)))
}

struct Block<F>(F);

impl<F> fmt::Debug for Block<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::any::type_name::<F>())
    }
}

impl<F: Fn(&[View<'_>], ViewMut<'_>) + Send + Sync> Elementwise for Block<F> {
    fn run(&self, operands: &[View<'_>], result: ViewMut<'_>) {
        (self.0)(operands, result);
    }
}
