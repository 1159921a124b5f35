//! How many cores this process may use.

use std::collections::HashSet;
use std::fs::read_to_string;
use std::thread::available_parallelism;

/// The smallest of: physical cores this process may run on, schedulable threads, control group quota. At least 1.
pub(super) fn default_threads() -> usize {
    // The standard library accounts for the affinity mask and the quota of control groups v1 and v2.
    let schedulable = available_parallelism().map_or(1, usize::from);
    physical_cores().map_or(schedulable, |cores| cores.clamp(1, schedulable))
}

/// Distinct cores among the processors this process may run on. Two hardware threads of one core share its vector
/// units, so the second adds nothing. Unknown where the system does not tell through files.
fn physical_cores() -> Option<usize> {
    let status = read_to_string("/proc/self/status").ok()?;
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let mut cores = HashSet::new();
    for cpu in parse_list(allowed)? {
        let siblings = format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
        cores.insert(read_to_string(siblings).ok()?);
    }
    Some(cores.len())
}

/// The numbers of a list like `0-3,8`.
fn parse_list(list: &str) -> Option<Vec<usize>> {
    // Far above the number of processors of any machine; keeps a malformed range from filling memory.
    const LIMIT: usize = 1 << 16;
    let mut numbers = Vec::new();
    for range in list.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        if last >= LIMIT {
            return None;
        }
        numbers.extend(first..=last);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_processors() {
        assert_eq!(parse_list("\t0-3,8\n"), Some(vec![0, 1, 2, 3, 8]));
        assert_eq!(parse_list("5"), Some(vec![5]));
        assert_eq!(parse_list(""), None);
        assert_eq!(parse_list("0-18446744073709551615"), None);
    }

    #[test]
    fn at_least_one_and_at_most_what_the_scheduler_gives() {
        let threads = default_threads();
        assert!(threads >= 1 && threads <= available_parallelism().map_or(1, usize::from));
    }
}
