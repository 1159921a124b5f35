//! The memory that this process may reasonably use.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// 80 % of physical memory or of what the control group allows, whichever is less; no limit where neither is known.
pub(crate) fn default_limit() -> usize {
    let least = physical().into_iter().chain(control_group()).min();
    // Through u128, so that the largest possible number does not overflow.
    least.map_or(usize::MAX, |bytes| usize::try_from(u128::from(bytes) * 8 / 10).unwrap_or(usize::MAX))
}

/// Linux: the first line of meminfo, `MemTotal:  24600000 kB`.
fn physical() -> Option<u64> {
    let text = read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Linux: the lowest limit of the process's control group and those around it, version 2 or 1.
fn control_group() -> Option<u64> {
    let groups = read_to_string("/proc/self/cgroup").ok()?;
    // `0::/path` in version 2, `9:memory:/path` in version 1.
    let limits = groups.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        match controllers {
            "" => lowest("/sys/fs/cgroup", "memory.max", path),
            _ if controllers.split(',').any(|name| name == "memory") => {
                lowest("/sys/fs/cgroup/memory", "memory.limit_in_bytes", path)
            }
            _ => None,
        }
    });
    limits.min()
}

/// The lowest number that stands in `file` of the group `path` or a group around it. `max` means none.
fn lowest(root: &str, file: &str, path: &str) -> Option<u64> {
    let relative = Path::new(path.trim_start_matches('/'));
    let numbers = relative.ancestors().filter_map(|group| {
        let file: PathBuf = Path::new(root).join(group).join(file);
        read_to_string(file).ok()?.trim().parse().ok()
    });
    numbers.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_known_here_or_unlimited() {
        let limit = default_limit();
        assert!(limit > 1 << 20, "{limit}");
        if let Some(bytes) = physical() {
            assert!(u64::try_from(limit).is_ok_and(|limit| limit < bytes));
        }
    }
}
