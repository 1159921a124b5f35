//! Every op of the list on every one of its samples.

use ferrograph_graph::{Op, Operand, Sample};
use ferrograph_ops::{ALL, Entry, create_op};
use ferrograph_testkit::{Fault, Faulty, check_op};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What can be said of an entry without running it.
fn check_entry(entry: &Entry, samples: &[Sample]) -> Vec<String> {
    let name = entry.name;
    let mut wrong = Vec::new();
    if samples.is_empty() {
        wrong.push(format!("{name}: expected at least one sample"));
    }
    if !Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(format!("{name}.rs")).is_file() {
        wrong.push(format!("{name}: expected a file src/{name}.rs"));
    }
    for sample in samples {
        let (op, attributes) = (&sample.op, sample.op.attributes());
        if op.name() != name {
            wrong.push(format!("{name}: the op calls itself '{}'", op.name()));
        }
        match create_op(name, &attributes) {
            Ok(again) if again.attributes() == attributes && again.name() == name => {}
            Ok(again) => wrong.push(format!("{name}: {attributes} comes back as {}", again.attributes())),
            Err(error) => wrong.push(format!("{name}: {attributes} is refused: {error}")),
        }
    }
    let unknown = r#"{"thisAttributeDoesNotExist":1}"#;
    if create_op(name, unknown).is_ok() {
        wrong.push(format!("{name}: takes an attribute that it does not have"));
    }
    wrong
}

#[test]
fn every_op_keeps_its_promises() {
    // `OPS=add,conv2d` runs a part while an op is being written.
    let only = std::env::var("OPS").ok();
    let chosen = |name: &str| only.as_ref().is_none_or(|only| only.split(',').any(|wanted| wanted == name));
    let wrong = Mutex::new(Vec::new());
    let (next, count) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(entry) = ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if !chosen(entry.name) {
                        continue;
                    }
                    let samples = (entry.samples)();
                    let mut found = check_entry(entry, &samples);
                    found.extend(samples.iter().flat_map(|sample| check_op(entry.name, sample)).map(|f| f.to_string()));
                    count.fetch_add(samples.len(), Ordering::Relaxed);
                    wrong.lock().unwrap().extend(found);
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    println!("{count:?} samples");
    assert!(count.into_inner() > 0, "no samples");
    assert!(wrong.is_empty(), "{} failures:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn names_are_unique_and_sorted() {
    let names: Vec<&str> = ALL.iter().map(|entry| entry.name).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
}

/// The test above is able to fail: faults planted in a real op are reported.
#[test]
fn planted_faults_are_reported() {
    let multiply = || create_op("multiply", "{}").unwrap();
    let reported = |fault| {
        let sample = Sample::new(
            Faulty { inner: multiply(), fault, multiply },
            [Operand::normal(&[3, 4]), Operand::normal(&[4])],
        );
        let mut checks: Vec<_> = check_op("multiply", &sample).into_iter().map(|failure| failure.check).collect();
        checks.dedup();
        checks
    };
    assert_eq!(reported(Fault::ScaledGradient), ["derivative"]);
    assert!(reported(Fault::ShiftedReference).contains(&"forward"));
    assert!(reported(Fault::WrongShape).contains(&"forward"));
    assert_eq!(reported(Fault::GuessedShape), ["shape rule"]);
    assert_eq!(reported(Fault::PanickingRule), ["hostile"]);
    let right: Arc<dyn Op> = multiply();
    let sample = Sample {
        op: right,
        ..Sample::new(
            Faulty { inner: multiply(), fault: Fault::WrongShape, multiply },
            [Operand::normal(&[2]), Operand::normal(&[2])],
        )
    };
    assert!(check_op("multiply", &sample).is_empty());
}
