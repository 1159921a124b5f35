//! One step of the cell, after the products.

/// Activates the gates `z` `[B, 4U]` in place and writes the new states `[B, U]`.
pub(super) fn forward(units: usize, z: &mut [f32], c_before: &[f32], c_after: &mut [f32], h_after: &mut [f32]) {
    let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
    for (b, z) in z.chunks_exact_mut((4 * units).max(1)).enumerate() {
        for u in 0..units {
            let (i, f) = (sigmoid(z[u]), sigmoid(z[units + u]));
            let (candidate, o) = (z[2 * units + u].tanh(), sigmoid(z[3 * units + u]));
            z[u] = i;
            z[units + u] = f;
            z[2 * units + u] = candidate;
            z[3 * units + u] = o;
            let c = f * c_before[b * units + u] + i * candidate;
            c_after[b * units + u] = c;
            h_after[b * units + u] = o * c.tanh();
        }
    }
}

/// From the gates `[B, 4U]` after activation, the cell states around the step, and the gradients of the states after
/// it, writes the gradient of `z` `[B, 4U]` and turns `dc` into the gradient of the cell state before the step.
pub(super) fn backward(
    units: usize,
    gates: &[f32],
    c_before: &[f32],
    c_after: &[f32],
    dh: &[f32],
    dc: &mut [f32],
    dz: &mut [f32],
) {
    for (b, (gates, dz)) in
        gates.chunks_exact((4 * units).max(1)).zip(dz.chunks_exact_mut((4 * units).max(1))).enumerate()
    {
        for u in 0..units {
            let (i, f, candidate, o) = (gates[u], gates[units + u], gates[2 * units + u], gates[3 * units + u]);
            let at = b * units + u;
            let t = c_after[at].tanh();
            let d = dc[at] + dh[at] * o * (1.0 - t * t);
            dz[u] = d * candidate * i * (1.0 - i);
            dz[units + u] = d * c_before[at] * f * (1.0 - f);
            dz[2 * units + u] = d * i * (1.0 - candidate * candidate);
            dz[3 * units + u] = dh[at] * t * o * (1.0 - o);
            dc[at] = d * f;
        }
    }
}
