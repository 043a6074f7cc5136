//! What the data plane has counted, in Prometheus's text format.
//!
//! Source: Prometheus documentation, "Exposition formats", "Text-based format".

use std::fmt::Write as _;
use std::sync::Arc;

use proxy::Counters;

/// Each counter with the sum over all workers.
pub(crate) fn text(workers: &[Arc<Counters>]) -> String {
    let mut out = String::new();
    let Some(first) = workers.first() else {
        return out;
    };
    for (index, (name, help, _)) in first.each().enumerate() {
        let of_worker =
            |counters: &Arc<Counters>| counters.each().nth(index).map_or(0, |(.., value)| value);
        let sum: u64 = workers.iter().map(of_worker).sum();
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "# HELP elbow_{name}_total {help}\n# TYPE elbow_{name}_total counter\nelbow_{name}_total {sum}\n"
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_one_number_for_all_workers() {
        let text = text(&[Arc::default(), Arc::default()]);
        let lines: Vec<_> = text.lines().take(3).collect();
        assert_eq!(
            lines,
            [
                "# HELP elbow_connections_accepted_total Client connections accepted.",
                "# TYPE elbow_connections_accepted_total counter",
                "elbow_connections_accepted_total 0",
            ]
        );
    }
}
