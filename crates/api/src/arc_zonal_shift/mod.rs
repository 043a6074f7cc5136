//! ARC zonal shift, version 2022-10-30: traffic of load balancers away from a zone.
//!
//! An operation is a file with two functions, `read` and `call`, one line in [`OPERATIONS`] and one in [`ROUTES`].

use serde_json::Value;

use crate::operation::{Operations, operations};
use crate::rest_json::Route;
use crate::service::Service;

mod cancel_zonal_shift;
mod error;
mod get_managed_resource;
mod list_managed_resources;
mod list_zonal_shifts;
mod shapes;
mod start_zonal_shift;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unreachable;
mod update_zonal_shift;

pub(crate) use error::translate;

/// Every operation of the service.
pub(crate) const OPERATIONS: Operations<Option<Value>> = Operations {
    service: Service::ArcZonalShift,
    served: operations! {
        "CancelZonalShift" => cancel_zonal_shift,
        "GetManagedResource" => get_managed_resource,
        "ListManagedResources" => list_managed_resources,
        "ListZonalShifts" => list_zonal_shifts,
        "StartZonalShift" => start_zonal_shift,
        "UpdateZonalShift" => update_zonal_shift,
    },
    reads: &[
        "GetManagedResource",
        "ListManagedResources",
        "ListZonalShifts",
    ],
    refused: &[
        "CancelPracticeRun",
        "CreatePracticeRunConfiguration",
        "DeletePracticeRunConfiguration",
        "GetAutoshiftObserverNotificationStatus",
        "ListAutoshifts",
        "StartPracticeRun",
        "UpdateAutoshiftObserverNotificationStatus",
        "UpdatePracticeRunConfiguration",
        "UpdateZonalAutoshiftConfiguration",
    ],
};

/// Where each of them is.
pub(crate) const ROUTES: &[Route] = &[
    route(
        "CancelPracticeRun",
        "DELETE",
        "/practiceruns/{zonalShiftId}",
    ),
    route("CancelZonalShift", "DELETE", "/zonalshifts/{zonalShiftId}"),
    Route {
        status: 201,
        ..route("CreatePracticeRunConfiguration", "POST", "/configuration")
    },
    route(
        "DeletePracticeRunConfiguration",
        "DELETE",
        "/configuration/{resourceIdentifier}",
    ),
    route(
        "GetAutoshiftObserverNotificationStatus",
        "GET",
        "/autoshift-observer-notification",
    ),
    route(
        "GetManagedResource",
        "GET",
        "/managedresources/{resourceIdentifier}",
    ),
    Route {
        query: &["nextToken", "status", "maxResults"],
        ..route("ListAutoshifts", "GET", "/autoshifts")
    },
    Route {
        query: &["nextToken", "maxResults"],
        ..route("ListManagedResources", "GET", "/managedresources")
    },
    Route {
        query: &["nextToken", "status", "maxResults", "resourceIdentifier"],
        ..route("ListZonalShifts", "GET", "/zonalshifts")
    },
    route("StartPracticeRun", "POST", "/practiceruns"),
    Route {
        status: 201,
        ..route("StartZonalShift", "POST", "/zonalshifts")
    },
    route(
        "UpdateAutoshiftObserverNotificationStatus",
        "PUT",
        "/autoshift-observer-notification",
    ),
    route(
        "UpdatePracticeRunConfiguration",
        "PATCH",
        "/configuration/{resourceIdentifier}",
    ),
    route(
        "UpdateZonalAutoshiftConfiguration",
        "PUT",
        "/managedresources/{resourceIdentifier}",
    ),
    route("UpdateZonalShift", "PATCH", "/zonalshifts/{zonalShiftId}"),
];

const fn route(name: &'static str, method: &'static str, path: &'static str) -> Route {
    Route {
        name,
        method,
        path,
        query: &[],
        status: 200,
    }
}
