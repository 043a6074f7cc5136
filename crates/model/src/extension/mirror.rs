//! Where copies of a rule's requests go: `elbow:mirror.…`.

use super::{InvalidExtension, PREFIX, Tag};
use crate::arn::TargetGroupArn;
use crate::tag::Tags;

/// A second target group for the requests of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// Gets the copies.
    pub target_group: TargetGroupArn,
    /// How many of a hundred requests are copied, 0 to 100, default 100.
    pub percentage: u8,
}

/// The tag without which there is no mirror.
pub const TARGET_GROUP: &str = "elbow:mirror.target-group";

/// The target group that the tags of a rule name for copies of its requests.
#[must_use]
pub fn target_group(tags: &Tags) -> Option<TargetGroupArn> {
    // Another text there is a fault that has been told, and asks for nothing.
    tags.value(TARGET_GROUP)?.parse().ok()
}

/// The tags of a rule that were seen of a mirror.
#[derive(Default)]
pub(super) struct MirrorTags {
    target_group: Option<TargetGroupArn>,
    percentage: Option<u8>,
}

impl MirrorTags {
    /// Takes in the tag whose key ends in `rest`.
    pub(super) fn add(&mut self, tag: &Tag<'_>, rest: &str) -> Result<(), InvalidExtension> {
        match rest {
            "target-group" => {
                let arn = tag.value.parse();
                self.target_group =
                    Some(arn.map_err(|_| tag.must_be("the ARN of a target group"))?);
            }
            "percentage" => {
                let number = tag.number(0, 100, "a whole number from 0 to 100")?;
                self.percentage = u8::try_from(number).ok();
            }
            _ => return Err(tag.unknown()),
        }
        Ok(())
    }

    /// The mirror, if there is one.
    pub(super) fn finish(self) -> Result<Option<Mirror>, InvalidExtension> {
        match (self.target_group, self.percentage) {
            (Some(target_group), percentage) => Ok(Some(Mirror {
                target_group,
                percentage: percentage.unwrap_or(100),
            })),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(InvalidExtension::Missing {
                key: format!("{PREFIX}mirror.percentage"),
                needed: TARGET_GROUP,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;

    const ARN: &str =
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/shadow/0123456789abcdef";

    #[test]
    fn a_mirror_has_a_target_group_and_a_percentage() {
        let tags = format!("elbow:mirror.target-group={ARN}");
        let mirror = parse(&tags).unwrap().mirror.unwrap();
        assert_eq!(
            (mirror.target_group.to_string().as_str(), mirror.percentage),
            (ARN, 100)
        );
        for (text, expected) in [("0", 0), ("100", 100)] {
            let tags = format!("{tags}\nelbow:mirror.percentage={text}");
            assert_eq!(parse(&tags).unwrap().mirror.unwrap().percentage, expected);
        }
    }

    #[test]
    fn what_cannot_be_obeyed_is_refused() {
        let whole = format!("elbow:mirror.target-group={ARN}\n");
        for (tags, expected) in [
            (
                "elbow:mirror.target-group=shadow",
                "must be the ARN of a target group, but was 'shadow'",
            ),
            (
                "elbow:mirror.target-group=",
                "must be the ARN of a target group",
            ),
            (
                "elbow:mirror.percentage=5",
                "needs the tag 'elbow:mirror.target-group' beside it",
            ),
            (
                &format!("{whole}elbow:mirror.percentage=101"),
                "from 0 to 100",
            ),
            (
                &format!("{whole}elbow:mirror.percentage=0.5"),
                "from 0 to 100",
            ),
            (&format!("{whole}elbow:mirror.percentage="), "from 0 to 100"),
            (
                &format!("{whole}elbow:mirror.timeout=5"),
                "none that elbow knows",
            ),
        ] {
            let error = parse(tags).unwrap_err();
            assert!(error.contains(expected), "{tags}: {error}");
        }
    }
}
