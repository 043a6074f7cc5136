//! The attributes of load balancers, target groups and listeners: keys and values.

use control::elb::AttributeList;
use control::elb::input::Pairs;

use crate::input::shape::Text;
use crate::input::{Fields, TEXT};
use crate::xml::Xml;

const KEY: Text = TEXT.at_most(256).matching("^[a-zA-Z0-9._]+$", is_key);
/// The values of load balancer attributes are bounded by the model, the others by their own rules.
pub(crate) const LOAD_BALANCER_VALUE: Text = TEXT.at_most(1024);

/// `Attributes`. An attribute without a value has the empty one.
pub(crate) fn read(fields: &Fields<'_>, value: Text) -> Pairs {
    fields.required_structures("Attributes", |attribute| {
        (
            attribute.required("Key", KEY),
            attribute
                .optional("Value", value.clone())
                .unwrap_or_default(),
        )
    })
}

pub(crate) fn print(xml: &mut Xml, attributes: &AttributeList) {
    xml.list("Attributes", attributes, |xml, (key, value)| {
        xml.text("Key", key);
        xml.text("Value", value);
    });
}

fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'_')
}
