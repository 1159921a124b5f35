//! Link arguments that an addon needs on each system.

fn main() {
    napi_build::setup();
}
