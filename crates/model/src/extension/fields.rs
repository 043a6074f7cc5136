//! Fields that a rule sets in messages, or takes out of them: `elbow:request-header.…` and
//! `elbow:response-header.…`.

use super::{InvalidExtension, Tag};

/// Most tags of each kind in one rule; they are numbered from 1.
pub const CHANGES_MAX: u32 = 10;

/// What becomes of the fields of one direction. Names are compared without regard to case, and stand here
/// once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldChanges {
    set: Vec<(Box<str>, Box<str>)>,
    removed: Vec<Box<str>>,
}

/// Fields that frame a message, that belong to one connection, or that the load balancer writes.
pub(super) const RESERVED: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "date",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The beginnings of names that the load balancer gives to what it tells about the client.
const RESERVED_PREFIXES: &[&str] = &["x-amzn-", "x-forwarded-"];

impl FieldChanges {
    /// Names and values that replace all of the same name, in the order of their tags' keys.
    pub fn set(&self) -> impl Iterator<Item = (&str, &str)> {
        self.set.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Every name that is set or removed.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let set = self.set.iter().map(|(name, _)| &**name);
        set.chain(self.removed.iter().map(|name| &**name))
    }

    /// Whether no field is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.removed.is_empty()
    }

    /// Takes in the tag whose key ends in `rest`: `set.<n>` or `remove.<n>`.
    pub(super) fn add(&mut self, tag: &Tag<'_>, rest: &str) -> Result<(), InvalidExtension> {
        let (verb, number) = rest.split_once('.').ok_or_else(|| tag.unknown())?;
        if !(1..=CHANGES_MAX).any(|n| n.to_string() == number) {
            return Err(tag.unknown());
        }
        match verb {
            "set" => {
                let expected = "a field's name of letters, digits and hyphens, '=', and its value, such as 'X-Team=blue'";
                let (name, value) = tag
                    .value
                    .split_once('=')
                    .filter(|(name, value)| is_name(name) && is_value(value))
                    .ok_or_else(|| tag.must_be(expected))?;
                self.check_name(tag, name)?;
                self.set.push((name.into(), value.into()));
            }
            "remove" => {
                let name = tag.value;
                if !is_name(name) {
                    return Err(tag.must_be("a field's name of letters, digits and hyphens"));
                }
                self.check_name(tag, name)?;
                self.removed.push(name.into());
            }
            _ => return Err(tag.unknown()),
        }
        Ok(())
    }

    fn check_name(&self, tag: &Tag<'_>, name: &str) -> Result<(), InvalidExtension> {
        let lower = name.to_ascii_lowercase();
        let mut prefixes = RESERVED_PREFIXES.iter();
        if RESERVED.contains(&&*lower) || prefixes.any(|prefix| lower.starts_with(prefix)) {
            return Err(InvalidExtension::ReservedField {
                key: tag.key.to_owned(),
                name: name.to_owned(),
            });
        }
        if self.names().any(|other| other.eq_ignore_ascii_case(name)) {
            return Err(InvalidExtension::RepeatedField {
                key: tag.key.to_owned(),
                name: name.to_owned(),
            });
        }
        Ok(())
    }
}

/// Whether `text` is the name of a field that no target takes for another one.
///
/// Source: ALB guide, "Load balancer attributes", `routing.http.drop_invalid_header_fields.enabled`.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Whether `text` is a value of RFC 9110 section 5.5, and not empty.
fn is_value(text: &str) -> bool {
    let is_visible = |b: u8| b.is_ascii_graphic() || b == b' ';
    !text.is_empty() && text.trim() == text && text.bytes().all(is_visible)
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;

    #[test]
    fn fields_are_set_and_removed_in_both_directions() {
        let extensions = parse(
            "elbow:request-header.set.1=X-Team=blue
             elbow:request-header.set.10=X-Query=a=b @ 1
             elbow:request-header.remove.2=X-Debug
             elbow:response-header.set.3=Cache-Control=no-store
             elbow:response-header.remove.1=X-Team",
        )
        .unwrap();
        let request = &extensions.request_fields;
        assert_eq!(
            request.set().collect::<Vec<_>>(),
            [("X-Team", "blue"), ("X-Query", "a=b @ 1")]
        );
        assert_eq!(
            request.names().collect::<Vec<_>>(),
            ["X-Team", "X-Query", "X-Debug"]
        );
        let response = &extensions.response_fields;
        assert_eq!(
            response.names().collect::<Vec<_>>(),
            ["Cache-Control", "X-Team"]
        );
    }

    #[test]
    fn what_is_no_field_is_refused() {
        for (tag, expected) in [
            ("elbow:request-header.set.1=X-Team", "a field's name"),
            ("elbow:request-header.set.1=X-Team=", "a field's name"),
            ("elbow:request-header.set.1==blue", "a field's name"),
            ("elbow:request-header.set.1=X_Team=blue", "a field's name"),
            ("elbow:request-header.set.1=X-Team= blue", "a field's name"),
            ("elbow:request-header.set.1=X-Team=bläu", "a field's name"),
            ("elbow:response-header.remove.1=X Team", "a field's name"),
            ("elbow:response-header.remove.1=", "a field's name"),
        ] {
            let error = parse(tag).unwrap_err();
            let (key, _) = tag.split_once('=').unwrap();
            let start = format!("The value of the tag '{key}' must be {expected}");
            assert!(error.starts_with(&start), "{tag}: {error}");
        }
    }

    #[test]
    fn fields_of_the_protocol_and_of_the_load_balancer_are_refused() {
        for name in [
            "Host",
            "connection",
            "Content-Length",
            "Transfer-Encoding",
            "Content-Encoding",
            "Set-Cookie",
            "Date",
            "X-Forwarded-For",
            "X-Forwarded-Anything",
            "X-AMZN-Trace-Id",
            "TE",
        ] {
            for tag in [
                format!("elbow:request-header.set.1={name}=x"),
                format!("elbow:response-header.remove.1={name}"),
            ] {
                let error = parse(&tag).unwrap_err();
                assert!(
                    error.contains(&format!("cannot name the field '{name}'")),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn a_field_is_named_once() {
        let error = parse(
            "elbow:request-header.set.1=X-Team=blue
             elbow:request-header.set.2=x-team=red",
        );
        let sentence = "The tag 'elbow:request-header.set.2' names the field 'x-team' a second time; \
                        name it in one tag";
        assert_eq!(error, Err(sentence.to_owned()));
        let error = parse(
            "elbow:response-header.set.1=X-Team=blue
             elbow:response-header.remove.1=X-Team",
        );
        assert!(error.unwrap_err().contains("a second time"));
    }
}
