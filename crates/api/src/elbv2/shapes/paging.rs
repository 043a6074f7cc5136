//! `Marker`, `PageSize` and `NextMarker`.

use control::elb::Paging;

use crate::input::{Fields, INTEGER, TEXT};

pub(crate) fn read(fields: &Fields<'_>) -> Paging {
    Paging {
        marker: fields.optional("Marker", TEXT),
        page_size: fields.optional("PageSize", INTEGER.within(1, 400)),
    }
}
