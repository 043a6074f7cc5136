//! What the doctor tells: what is wrong, and what to do about it.

use std::fmt::Write as _;

use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Requests fail, or are about to.
    Error,
    /// It works, and is dangerous or will stop working.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    /// The kind and the name of what it is about, such as `target group web`.
    pub(crate) subject: String,
    /// Its ARN, address or path.
    pub(crate) id: String,
    /// One sentence.
    pub(crate) wrong: String,
    /// One sentence, with a command where there is one.
    pub(crate) remedy: String,
}

impl Finding {
    pub(crate) fn error(subject: String, id: &str, wrong: String, remedy: String) -> Self {
        Self {
            severity: Severity::Error,
            subject,
            id: id.to_owned(),
            wrong,
            remedy,
        }
    }

    pub(crate) fn warning(subject: String, id: &str, wrong: String, remedy: String) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(subject, id, wrong, remedy)
        }
    }
}

/// The findings for people, the worst first.
pub(crate) fn text(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "{severity}: {} ({})\n  {}\n  do: {}\n",
            finding.subject, finding.id, finding.wrong, finding.remedy
        );
    }
    let _ = match findings.len() {
        0 => writeln!(out, "nothing found"),
        1 => writeln!(out, "1 finding"),
        count => writeln!(out, "{count} findings"),
    };
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_says_what_is_wrong_and_what_to_do() {
        let subject = "target group web".to_owned();
        let wrong = "It has no targets.".to_owned();
        let finding = Finding::error(subject, "arn:web", wrong, "Register some.".to_owned());
        let expected = "\
error: target group web (arn:web)
  It has no targets.
  do: Register some.

1 finding
";
        assert_eq!(text(&[finding]), expected);
        assert_eq!(text(&[]), "nothing found\n");
    }
}
