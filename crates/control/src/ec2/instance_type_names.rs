//! What the name of an instance type says.
//!
//! elbow starts no machines and has no list of types: new ones come out every month. Their names follow rules, and
//! what follows from the name is all that is said of a type.
//! Source: EC2 instance types, "Amazon EC2 instance type naming conventions".

use crate::ec2::Ec2Error;

/// A name that a type can have, such as `t3.micro`, `c7gn.16xlarge` or `m7i.metal-24xl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TypeName<'a> {
    /// Series, generation and attributes, and options behind a hyphen.
    family: &'a str,
    size: &'a str,
}

/// Refuses for an instance what no type can be called.
///
/// # Errors
/// `InvalidValue`.
pub(crate) fn require_type(name: &str) -> Result<(), Ec2Error> {
    match TypeName::parse(name) {
        Some(_) => Ok(()),
        None => Err(Ec2Error::InvalidValue {
            parameter: "InstanceType",
            value: name.to_owned(),
            expectation: "A type has a family and a size, such as t3.micro.".to_owned(),
        }),
    }
}

/// The types that run programs of 32 bits too.
///
/// Source: `DescribeInstanceTypes` of AWS, `SupportedArchitectures`.
const WITH_32_BITS: &[(&str, &[&str])] = &[
    ("c1", &["medium"]),
    ("c3", &["large"]),
    ("m1", &["small", "medium"]),
    ("t1", &["micro"]),
    ("t2", &["nano", "micro", "small", "medium"]),
];

impl<'a> TypeName<'a> {
    /// The parts of a name; `None` for what no type can be called.
    pub(crate) fn parse(name: &'a str) -> Option<Self> {
        let (family, size) = name.split_once('.')?;
        (is_family(family) && is_size(size)).then_some(Self { family, size })
    }

    /// The architectures of its processors, in the order in which EC2 shows them.
    pub(crate) fn architectures(&self) -> &'static [&'static str] {
        let options = self
            .family
            .split_once('-')
            .map_or("", |(_, options)| options);
        let has_32_bits = |(family, sizes): &(&str, &[&str])| {
            *family == self.family && sizes.contains(&self.size)
        };
        if self.family == "mac1" {
            &["x86_64_mac"]
        } else if self.family.starts_with("mac") {
            &["arm64_mac"]
        } else if self.family == "a1"
            || self.attributes().contains('g')
            || options.starts_with("gb")
        {
            // AWS Graviton, which is `g` from its second generation on, and NVIDIA Grace, as in `gb200`.
            &["arm64"]
        } else if WITH_32_BITS.iter().any(has_32_bits) {
            &["i386", "x86_64"]
        } else {
            &["x86_64"]
        }
    }

    /// Whether its instances are whole machines.
    pub(crate) fn is_bare_metal(&self) -> bool {
        self.size.starts_with("metal")
    }

    /// The letters behind the generation: `gn` of `c7gn`, `in` of `u7in-16tb`.
    fn attributes(&self) -> &'a str {
        let (main, _) = self.family.split_once('-').unwrap_or((self.family, ""));
        let from_generation = main.trim_start_matches(|c: char| c.is_ascii_lowercase());
        from_generation.trim_start_matches(|c: char| c.is_ascii_digit())
    }
}

fn is_family(text: &str) -> bool {
    let is_known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(is_known)
        && text.contains(|c: char| c.is_ascii_digit())
        && !text.ends_with('-')
}

fn is_size(text: &str) -> bool {
    let is_count = |text: &str| {
        let is_short = (1..=3).contains(&text.len()) && !text.starts_with('0');
        is_short && text.chars().all(|c| c.is_ascii_digit())
    };
    match text {
        "nano" | "micro" | "small" | "medium" | "large" | "xlarge" | "metal" => true,
        _ => {
            let of_metal = text.strip_prefix("metal-");
            let count = of_metal.map_or_else(
                || text.strip_suffix("xlarge"),
                |size| size.strip_suffix("xl"),
            );
            count.is_some_and(is_count)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_a_family_and_a_size() {
        let of_types = [
            "t3.micro",
            "a1.metal",
            "m7i.metal-24xl",
            "c7i-flex.xlarge",
            "u-6tb1.112xlarge",
            "u7in-16tb.224xlarge",
            "mac-m4pro.metal",
            "p6e-gb200.36xlarge",
            "is4gen.nano",
        ];
        for name in of_types {
            assert!(TypeName::parse(name).is_some(), "{name}");
        }
        let of_none = [
            "",
            ".",
            "micro",
            "t3",
            "t3.",
            ".micro",
            "t.micro",
            "3t.micro",
            "T3.micro",
            "t3-.micro",
            "t3 .micro",
            "t3.huge",
            "t3.micro.large",
            "t3.0xlarge",
            "t3.1000xlarge",
            "t3.+2xlarge",
            "m7i.metal-",
            "m7i.metal-xl",
            "m7i.metal-24xlarge",
        ];
        for name in of_none {
            assert_eq!(TypeName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn the_family_tells_the_architecture() {
        let cases: &[(&[&str], &[&str])] = &[
            (
                &["arm64"],
                &[
                    "a1.medium",
                    "t4g.small",
                    "c7gn.large",
                    "r8gd.metal-24xl",
                    "im4gn.large",
                    "is4gen.large",
                    "g5g.xlarge",
                    "hpc7g.4xlarge",
                    "p6e-gb200.36xlarge",
                ],
            ),
            (
                &["x86_64"],
                &[
                    "t3.micro",
                    "t2.large",
                    "m5.large",
                    "g4dn.xlarge",
                    "g6.xlarge",
                    "gr6f.4xlarge",
                    "c7i-flex.large",
                    "u-6tb1.metal",
                    "u7in-16tb.224xlarge",
                    "p6-b200.48xlarge",
                    "vt1.3xlarge",
                ],
            ),
            (&["i386", "x86_64"], &["t1.micro", "t2.micro", "c3.large"]),
            (&["x86_64_mac"], &["mac1.metal"]),
            (
                &["arm64_mac"],
                &["mac2.metal", "mac2-m2pro.metal", "mac-m4.metal"],
            ),
        ];
        for (architectures, names) in cases {
            for name in *names {
                let found = TypeName::parse(name).map(|it| it.architectures());
                assert_eq!(found, Some(*architectures), "{name}");
            }
        }
    }

    #[test]
    fn the_size_tells_whether_it_is_a_whole_machine() {
        for (name, is_bare_metal) in [
            ("m7i.metal-24xl", true),
            ("a1.metal", true),
            ("m7i.24xlarge", false),
        ] {
            let found = TypeName::parse(name).map(|it| it.is_bare_metal());
            assert_eq!(found, Some(is_bare_metal), "{name}");
        }
    }
}
