//! What the process takes of the machine's memory: with what the allocator adds and keeps, as `bench/run` counts it.

use std::fs;

/// Bytes of pages that only this process has, and has written to, in memory or swapped out.
///
/// Source: proc_pid_smaps(5), `Private_Dirty` and `Swap`.
pub(crate) fn private_bytes() -> usize {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup").expect("a kernel since 4.14");
    let bytes_of = |name: &str| {
        let value = rollup
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .and_then(|value| value.trim().strip_suffix(" kB"))
            .expect("a value in KiB");
        value.parse::<usize>().expect("a number") * 1024
    };
    bytes_of("Private_Dirty:") + bytes_of("Swap:")
}
